"""Who may do what: accounts, users, keys, authentication and authorization.

Not for: what a request means on the wire (`s3protocol`) or what it does (`buckets`, `objects`).
"""
