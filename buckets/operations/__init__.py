"""The S3 operations on buckets and their configurations; thin: arguments in, a service or selector called, members out.

Importing this package registers them.
"""

from buckets.operations import (
    analytics,
    bucket,
    cors,
    encryption,
    intelligent_tiering,
    inventory,
    logging,
    metrics,
    notification,
    payment,
    replication,
    sharing,
    tagging,
    website,
)

__all__ = [
    "analytics",
    "bucket",
    "cors",
    "encryption",
    "intelligent_tiering",
    "inventory",
    "logging",
    "metrics",
    "notification",
    "payment",
    "replication",
    "sharing",
    "tagging",
    "website",
]
