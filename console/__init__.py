"""The browser console: the object browser for people of an account, and the operators' admin."""
