"""The public access block of an account: all of its buckets have it at hand, those that are there and those to come."""

from __future__ import annotations

import pytest

from accesscontrol.public_access import NO_BLOCK, PublicAccessBlock, block_of
from accesscontrol.services import create_account
from buckets.selectors import find_bucket
from buckets.services import create_bucket, put_account_public_access_block, put_public_access_block

pytestmark = pytest.mark.django_db(transaction=True)

IGNORING = PublicAccessBlock(ignores_public_acls=True)
RESTRICTING = PublicAccessBlock(restricts_public_buckets=True)


def held(name: str) -> PublicAccessBlock:
    """Return what holds for a bucket."""
    bucket = find_bucket(name)
    assert bucket is not None
    return block_of(bucket)


def test_a_block_holds_for_buckets_made_before_and_after_and_for_nobody_elses() -> None:
    one, other = (create_account(name=name, email=f"{name}@example.org").account.pk for name in ("one", "other"))
    create_bucket(name="before", owner_id=one, region="")
    create_bucket(name="elsewhere", owner_id=other, region="")
    put_account_public_access_block(account_id=one, block=IGNORING)
    create_bucket(name="after", owner_id=one, region="")
    assert [held(name) for name in ("before", "after", "elsewhere")] == [IGNORING, IGNORING, NO_BLOCK]
    bucket = find_bucket("after")
    assert bucket is not None
    put_public_access_block(bucket_id=bucket.id, block=RESTRICTING)
    assert held("after") == PublicAccessBlock(ignores_public_acls=True, restricts_public_buckets=True)
    put_account_public_access_block(account_id=one, block=None)
    assert [held(name) for name in ("before", "after", "elsewhere")] == [NO_BLOCK, RESTRICTING, NO_BLOCK]
