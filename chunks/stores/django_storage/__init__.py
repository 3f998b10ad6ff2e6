"""Fragments in any Django storage: an S3 bucket, a directory behind SFTP, whatever has a storage class.

A storage class promises little: `drivers` say, for each sort of storage, how a name gets its bytes whole or not at all,
how a range is read and how a listing tells size and age. `store` makes a fragment store of one; `options` keeps what a
storage is configured with, secrets apart. The packages behind a storage are imported when a node that needs them is
opened, and not before.
"""

from chunks.stores.django_storage.opening import (
    identify_storage,
    initialize_storage,
    open_storage,
    open_unknown_storage,
)
from chunks.stores.django_storage.store import DjangoStorage

__all__ = ["DjangoStorage", "identify_storage", "initialize_storage", "open_storage", "open_unknown_storage"]
