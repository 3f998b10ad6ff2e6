"""The chunk engine: where bytes lie, how they are protected, and how they are read back whole.

It knows nodes, schemes, fragments and faults; it knows nothing of objects, buckets, users or S3.
"""
