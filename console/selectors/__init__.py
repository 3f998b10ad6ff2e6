"""What the console's pages show and no lower floor has a use for."""
