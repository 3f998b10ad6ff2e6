"""What other operations ask of encryption: what a new version gets, and the key to one that is there.

And UpdateObjectEncryption. The members by which requests speak of encryption are the same in all operations.
"""

from __future__ import annotations

from typing import Any

from buckets.context import RequestContext
from buckets.encryption import blocks_customer_keys
from keymanagement.names import is_arn
from objects.customer_keys import CustomerKey
from objects.encryption import EncryptionChoice, Method, choose
from objects.operations.members import NewObjectMembers
from objects.operations.read import readable_version
from objects.services import encryption as services
from s3protocol import errors
from s3protocol.registry import operation


def requested_encryption(
    context: RequestContext, members: NewObjectMembers, customer_key: CustomerKey | None
) -> EncryptionChoice | None:
    """Return what a new version in the addressed bucket is encrypted by: what is asked for, or the default, or nothing.

    Raises InvalidArgument, NotImplemented, AccessDenied where the bucket takes no customer keys.
    """
    rule = context.bucket.encryption
    bucket_key_enabled = members.get("bucket_key_enabled")
    if bucket_key_enabled is None and rule is not None:
        bucket_key_enabled = rule.get("BucketKeyEnabled")
    choice = choose(
        server_side_encryption=members.get("server_side_encryption"),
        key_id=members.get("ssekms_key_id"),
        context=members.get("ssekms_encryption_context"),
        bucket_key_enabled=bucket_key_enabled,
        customer_key=customer_key,
    )
    if choice is None:
        return services.default_choice(context.bucket)
    if choice.method is Method.SSE_C and blocks_customer_keys(rule):
        raise errors.AccessDenied("The bucket blocks server-side encryption with customer-provided keys (SSE-C).")
    return choice


@operation("UpdateObjectEncryption", action="s3:UpdateObjectEncryption", reads_object=True)
def update_object_encryption(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    object_encryption: dict[str, Any],
    version_id: str | None = None,
) -> dict[str, Any]:
    """Put a version under another key. Its bytes stay where they are."""
    version = readable_version(context, key, version_id)
    wanted = object_encryption.get("SSEKMS")
    if wanted is None:
        raise errors.InvalidRequest(
            "Requests that modify an object encryption configuration require a valid new encryption type. Valid values "
            "are SSEKMS."
        )
    reference = wanted.get("KMSKeyArn", "")
    if not is_arn(reference):
        raise errors.InvalidRequest(
            "Requests that modify an object's encryption type to SSE-KMS require a valid AWS KMS key Amazon Resource Name "
            "(ARN)."
        )
    choice = EncryptionChoice(Method.SSE_KMS, reference, "", bool(wanted.get("BucketKeyEnabled")))
    services.update_object_encryption(version_row=version.id, choice=choice)
    return {}
