"""Data keys: made, wrapped, unwrapped and wrapped anew. The one place where objects and key management meet.

What key management has to say is translated into S3's errors here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from django.conf import settings

from buckets.encryption import DEFAULT_RULE
from buckets.selectors import BucketRecord
from keymanagement.errors import KeyDisabled, KeyManagementUnavailable, KeyNotFound
from keymanagement.names import DEFAULT_KMS_KEY, SSE_S3_KEY, key_arn, parse_key_reference
from keymanagement.protocol import WrappedKey
from keymanagement.services import unwrap_data_key, wrap_data_key
from objects.chunk_cipher import KEY_BYTES
from objects.customer_keys import SALT_BYTES, CustomerKey, WrongCustomerKey, unwrap_by_customer, wrap_by_customer
from objects.encryption import EncryptionChoice, Method, StoredEncryption, choice_of_rule, concealed_etag
from objects.models import MultipartUpload, ObjectVersion
from objects.selectors.lookup import VersionRecord
from s3protocol import errors


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key in the clear, and as it is stored."""

    key: bytes = field(repr=False)
    stored: StoredEncryption


def shown_etag(data_key: DataKey | None, etag: str) -> str:
    """Return the ETag to show where it would be this one without encryption."""
    if data_key is None or not data_key.stored.hides_content:
        return etag
    return concealed_etag(data_key.key, etag)


@dataclass(frozen=True, slots=True)
class OpenedVersion:
    """A version with what it takes to read it; both keys are None where it is not encrypted."""

    version: VersionRecord
    customer_key: CustomerKey | None
    data_key: bytes | None = field(repr=False)


def open_version(version: VersionRecord, customer_key: CustomerKey | None) -> OpenedVersion:
    """Take out a version's data key. Raises as `unwrap`."""
    return OpenedVersion(version, customer_key, unwrap(version.encryption, customer_key))


def default_choice(bucket: BucketRecord) -> EncryptionChoice | None:
    """Return what a new version in a bucket is encrypted by when nobody asks for anything."""
    choice = choice_of_rule(bucket.encryption)
    if choice is None and settings.OBJSTORE_DEFAULT_ENCRYPTION != "none":
        choice = choice_of_rule(DEFAULT_RULE)
    return choice


def new_data_key(choice: EncryptionChoice | None) -> DataKey | None:
    """Make the data key of a new version or upload; None for one that is not encrypted. Raises as `wrap`."""
    return None if choice is None else wrap(os.urandom(KEY_BYTES), choice)


def wrap(data_key: bytes, choice: EncryptionChoice) -> DataKey:
    """Wrap a data key as chosen.

    Raises KMSNotFoundException, KMSDisabledException, ServiceUnavailable.
    """
    if choice.customer_key is not None:
        wrapped = wrap_by_customer(choice.customer_key, data_key, salt=os.urandom(SALT_BYTES))
        return DataKey(data_key, StoredEncryption(Method.SSE_C, wrapped))
    with _as_s3_errors(choice.key_reference or ""):
        name, key_id = _key_of(choice)
        held = wrap_data_key(name, data_key, choice.context.encode())
    stored = StoredEncryption(
        choice.method, held.text, held.key_name, held.key_version, key_id, choice.context, choice.has_bucket_key
    )
    return DataKey(data_key, stored)


def _key_of(choice: EncryptionChoice) -> tuple[str, str]:
    """Return the wrapping key's name, and how it is shown: as the client named it, so that what was set is read back."""
    if choice.method is Method.SSE_S3:
        return SSE_S3_KEY, ""
    if choice.key_reference is None:
        return DEFAULT_KMS_KEY, key_arn(DEFAULT_KMS_KEY, settings.OBJSTORE_REGION)
    return parse_key_reference(choice.key_reference), choice.key_reference


def unwrap(stored: StoredEncryption | None, customer_key: CustomerKey | None = None) -> bytes | None:
    """Return the data key of a version; None for one that is not encrypted.

    Raises InvalidRequest when a customer key is missing or not called for, AccessDenied for a wrong one.
    """
    if stored is None or stored.method is not Method.SSE_C:
        if customer_key is not None:
            raise errors.InvalidRequest("The encryption parameters are not applicable to this object.")
        return None if stored is None else _unwrap_held(stored)
    if customer_key is None:
        raise errors.InvalidRequest(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
            "retrieve the object."
        )
    try:
        return unwrap_by_customer(customer_key, stored.wrapped)
    except WrongCustomerKey:
        raise errors.AccessDenied from None


def upload_data_key(upload: MultipartUpload, customer_key: CustomerKey | None) -> DataKey | None:
    """Return the data key of an upload, which its parts share. Raises InvalidRequest."""
    stored = StoredEncryption.from_document(upload.encryption)
    if stored is not None and stored.method is Method.SSE_C and customer_key is None:
        raise errors.InvalidRequest(
            "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate "
            "encryption parameters."
        )
    try:
        data_key = unwrap(stored, customer_key)
    except errors.AccessDenied:
        raise errors.InvalidRequest(
            "The provided encryption parameters did not match the ones used originally."
        ) from None
    return None if data_key is None or stored is None else DataKey(data_key, stored)


def _unwrap_held(stored: StoredEncryption) -> bytes:
    with _as_s3_errors(stored.key_id):
        return unwrap_data_key(WrappedKey(stored.key, stored.key_version, stored.wrapped), stored.context.encode())


@contextmanager
def _as_s3_errors(key_id: str) -> Iterator[None]:
    try:
        yield
    except KeyNotFound:
        raise errors.KMSNotFoundException(f"Key '{key_id}' does not exist") from None
    except KeyDisabled:
        raise errors.KMSDisabledException(f"Key '{key_id}' is disabled") from None
    except KeyManagementUnavailable as failure:
        raise errors.ServiceUnavailable("Key management does not answer at the moment.") from failure


def update_object_encryption(*, version_row: int, choice: EncryptionChoice) -> None:
    """Wrap a visible version's data key by another key. No byte moves; ETag and time stay.

    Raises NoSuchKey when the version is gone meanwhile, InvalidRequest where nobody here can unwrap its data key.
    """
    change_wrap(version_row, lambda stored: wrap(_updatable(stored), choice).stored)


def _updatable(stored: StoredEncryption | None) -> bytes:
    if stored is None or stored.method is Method.SSE_C:
        kind = "unencrypted source objects" if stored is None else "source objects with the encryption type SSE-C"
        raise errors.InvalidRequest(
            f"The UpdateObjectEncryption operation doesn't support {kind}. Only source objects encrypted with SSE-S3 or "
            "SSE-KMS are supported."
        )
    return _unwrap_held(stored)


def change_wrap(version_row: int, change: Callable[[StoredEncryption | None], StoredEncryption]) -> None:
    """Replace a version's stored encryption by what `change` makes of it. The rival is another change of it.

    Raises NoSuchKey when the version is gone. Wrapping may mean asking another machine, so nothing is locked meanwhile:
    the update counts only if the version still is what was read.
    """
    while True:
        versions = ObjectVersion.objects.filter(pk=version_row, deleted_at=None)
        document = versions.values_list("encryption", flat=True).first()
        if document is None:
            raise errors.NoSuchKey
        changed = change(StoredEncryption.from_document(document))
        if versions.filter(encryption=document).update(encryption=changed.document()):
            return


def rewrapped(stored: StoredEncryption) -> StoredEncryption:
    """Return the same encryption with the data key wrapped by the newest version of the same key."""
    held = wrap_data_key(stored.key, _unwrap_held(stored), stored.context.encode())
    return replace(stored, wrapped=held.text, key_version=held.key_version)
