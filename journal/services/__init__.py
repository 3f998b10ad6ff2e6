"""The writes of the journal: keeping it, and restoring from it."""
