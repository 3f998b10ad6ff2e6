"""Put an object that the store itself writes into a bucket: reports and logs, which somebody asked to have delivered.

Whoever owns the bucket must want that: its policy names the service (`s3.amazonaws.com`, under the conditions that AWS
documents: aws:SourceArn, aws:SourceAccount, s3:x-amz-acl), or it belongs to the account that asked and no policy denies it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from django.conf import settings

from accesscontrol.authorization import decide
from accesscontrol.policy import Outcome
from accesscontrol.principal import service_principal
from accesscontrol.request_facts import RequestFacts
from buckets.selectors import BucketRecord, find_bucket
from objects.attributes import checked_key
from objects.encryption import EncryptionChoice
from objects.services.encryption import default_choice
from objects.services.publish import UNCONDITIONAL, NewVersion
from objects.services.put import put_object
from s3protocol.checksums import ChecksumAlgorithm

OWNER_IN_CONTROL = "bucket-owner-full-control"


class DepositRefused(Exception):
    """The bucket is not there, or its owner does not want it."""


class DocumentBody:
    """Bytes that the store makes itself, as the body of an object."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.size_bytes: int | None = None
        self.checksum_algorithm: ChecksumAlgorithm | None = None

    def pieces(self) -> Iterator[bytes | memoryview]:
        """Yield them."""
        yield from self._pieces

    def claimed_md5(self) -> bytes | None:
        """Return nothing: nobody sent it."""
        return None

    def claimed_checksum(self) -> bytes | None:
        """Return nothing, likewise."""
        return None


def find_destination(
    name: str, key: str, *, service: str, source_bucket: str, source_owner_id: str, owner_id: str | None = None
) -> BucketRecord:
    """Return the bucket that an object is to go to; `owner_id` is the account that it must belong to, if one is named.

    Raises DepositRefused.
    """
    bucket = find_bucket(name)
    if bucket is None or (owner_id is not None and bucket.owner_id != owner_id):
        raise DepositRefused(f"there is no bucket {name} of that account")
    decision = decide(
        service_principal(service),
        action="s3:PutObject",
        bucket=bucket,
        key=key,
        facts=RequestFacts(
            headers={"x-amz-acl": OWNER_IN_CONTROL},
            is_secure=True,
            now=datetime.now(UTC),
            region=settings.OBJSTORE_REGION,
        ),
        stated={"aws:sourcearn": f"arn:aws:s3:::{source_bucket}", "aws:sourceaccount": source_owner_id},
    )
    is_own = bucket.owner_id == source_owner_id and decision.outcome is not Outcome.EXPLICIT_DENY
    if not (decision.is_allowed or is_own):
        raise DepositRefused(f"the policy of {name} does not let {service} write there")
    return bucket


def deposit_object(
    bucket: BucketRecord,
    key: str,
    pieces: Iterable[bytes],
    *,
    content_type: str,
    encryption: EncryptionChoice | None = None,
    headers: dict[str, str] | None = None,
) -> None:
    """Write an object into a bucket that `find_destination` has returned; it belongs to the bucket's owner.

    It is encrypted as chosen, or as the bucket has it. Raises KeyTooLongError, and as `put_object`.
    """
    put_object(
        bucket_id=bucket.id,
        key=checked_key(key),
        body=DocumentBody(pieces),
        version=NewVersion(
            owner_id=bucket.owner_id, size_bytes=0, etag="", content_type=content_type, headers=headers or {}
        ),
        conditions=UNCONDITIONAL,
        encryption=encryption or default_choice(bucket),
    )
