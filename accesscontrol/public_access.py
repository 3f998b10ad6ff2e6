"""Public access blocks and object ownership: the switches that limit what lists and policies give. Pure.

A bucket has a block, and so has its account: what either refuses is refused.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Protocol


class ObjectOwnership(StrEnum):
    """Who owns an object that another account writes, and whether access control lists count at all."""

    OBJECT_WRITER = "ObjectWriter"
    BUCKET_OWNER_PREFERRED = "BucketOwnerPreferred"
    BUCKET_OWNER_ENFORCED = "BucketOwnerEnforced"


@dataclass(frozen=True, slots=True)
class PublicAccessBlock:
    """What a bucket, or all of an account, refuses to share with everyone."""

    blocks_public_acls: bool = False
    ignores_public_acls: bool = False
    blocks_public_policy: bool = False
    restricts_public_buckets: bool = False

    def document(self) -> dict[str, bool]:
        """Render the block in S3's member names."""
        return {
            "BlockPublicAcls": self.blocks_public_acls,
            "IgnorePublicAcls": self.ignores_public_acls,
            "BlockPublicPolicy": self.blocks_public_policy,
            "RestrictPublicBuckets": self.restricts_public_buckets,
        }


NO_BLOCK = PublicAccessBlock()


def public_access_block(document: Mapping[str, bool]) -> PublicAccessBlock:
    """Read a block from S3's member names; what is absent is off."""
    return PublicAccessBlock(
        blocks_public_acls=bool(document.get("BlockPublicAcls", False)),
        ignores_public_acls=bool(document.get("IgnorePublicAcls", False)),
        blocks_public_policy=bool(document.get("BlockPublicPolicy", False)),
        restricts_public_buckets=bool(document.get("RestrictPublicBuckets", False)),
    )


class BlockedBucket(Protocol):
    """What of a bucket says how it may be shared with everyone; the texts are as they are stored."""

    @property
    def public_access_block(self) -> str | None: ...  # noqa: D102  see the class
    @property
    def account_public_access_block(self) -> str | None: ...  # noqa: D102


def block_of(bucket: BlockedBucket) -> PublicAccessBlock:
    """Return what holds for a bucket: its own block and that of its account."""
    own, account = bucket.public_access_block, bucket.account_public_access_block
    return NO_BLOCK if own is None and account is None else _joined(own, account)


@lru_cache(maxsize=256)
def _joined(own_text: str | None, account_text: str | None) -> PublicAccessBlock:
    own, account = read_public_access_block(own_text), read_public_access_block(account_text)
    return PublicAccessBlock(
        blocks_public_acls=own.blocks_public_acls or account.blocks_public_acls,
        ignores_public_acls=own.ignores_public_acls or account.ignores_public_acls,
        blocks_public_policy=own.blocks_public_policy or account.blocks_public_policy,
        restricts_public_buckets=own.restricts_public_buckets or account.restricts_public_buckets,
    )


@lru_cache(maxsize=16)
def read_public_access_block(stored: str | None) -> PublicAccessBlock:
    """Read one block from its column."""
    return NO_BLOCK if stored is None else public_access_block(json.loads(stored))
