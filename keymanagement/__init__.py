"""The keys that wrap data keys: named, with versions, behind a port with two implementations (local ring, Vault).

Not for: what is encrypted, and how (`objects`). A data key is never stored here, wrapped or not.
"""
