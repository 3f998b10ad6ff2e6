"""Crash points: one process does one thing, and is killed between two of its steps; then everything is looked at.

A step is a statement sent to the database, a commit, or a change of a node's directory (open, rename, remove). They are
counted from outside, by a database engine of the tests and by Python's audit events, so that the product has no hooks:
what runs here is what runs elsewhere. S3 requests go through the S3 endpoint, in process, from a real client.

    python -m tests.faults.crash_points --runs 200 [--seed N] [--only put_large] [--every-step]

Not for: power failures, which take back what was not synced; the order of syncs is `tests/unit/chunks/test_local_disk.py`'s.
"""
