"""The database engine of the crash points: ours, whose statements and commits are steps."""
