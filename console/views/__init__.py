"""The console's pages: thin functions that check, call one selector or service, and render."""
