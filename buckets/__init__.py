"""Buckets: the namespaces, their owners and their configurations.

Not for: what is stored in them (`objects`).
"""
