"""The S3 operations on objects; thin: arguments in, a service or selector called, members out.

Importing this package registers them.
"""

from objects.operations import copy, delete, encryption, listing, locking, multipart, read, sharing, tagging, write

__all__ = ["copy", "delete", "encryption", "listing", "locking", "multipart", "read", "sharing", "tagging", "write"]
