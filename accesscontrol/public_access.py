"""A bucket's public access block and its object ownership: the two switches that limit what lists and policies give. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class ObjectOwnership(StrEnum):
    """Who owns an object that another account writes, and whether access control lists count at all."""

    OBJECT_WRITER = "ObjectWriter"
    BUCKET_OWNER_PREFERRED = "BucketOwnerPreferred"
    BUCKET_OWNER_ENFORCED = "BucketOwnerEnforced"


@dataclass(frozen=True, slots=True)
class PublicAccessBlock:
    """What a bucket refuses to share with everyone."""

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


@lru_cache(maxsize=16)
def read_public_access_block(stored: str | None) -> PublicAccessBlock:
    """Read a block from its column."""
    return NO_BLOCK if stored is None else public_access_block(json.loads(stored))
