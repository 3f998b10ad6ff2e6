"""The S3 operations on objects; thin: arguments in, a service or selector called, members out.

Importing this package registers them.
"""

from objects.operations import (
    annotations,
    archive,
    copy,
    delete,
    encryption,
    lifecycle,
    listing,
    locking,
    multipart,
    read,
    rename,
    select,
    sharing,
    tagging,
    write,
)

__all__ = [
    "annotations",
    "archive",
    "copy",
    "delete",
    "encryption",
    "lifecycle",
    "listing",
    "locking",
    "multipart",
    "read",
    "rename",
    "select",
    "sharing",
    "tagging",
    "write",
]
