"""What the console's pages do and no lower floor offers yet."""
