"""The S3 operations on buckets and their configurations; thin: arguments in, a service or selector called, members out.

Importing this package registers them.
"""

from buckets.operations import bucket, cors, encryption, logging, notification, payment, sharing

__all__ = ["bucket", "cors", "encryption", "logging", "notification", "payment", "sharing"]
