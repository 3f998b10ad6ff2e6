"""Which buckets have ABAC enabled by the migration that brings it: all of which a policy may already ask for tags."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection

from accesscontrol.models import Account, InlinePolicy, ManagedPolicy, PolicyVersion, User
from buckets.models import Bucket

BY_TAG = '{"Condition": {"StringEquals": {"%s": "x"}}}'
ALL = {"tagged", "untagged", "emptied"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    """An account with a bucket that has tags, one that never had any, and one whose were all taken away."""
    made = Account.objects.create(id="000000000001", canonical_id="c" * 64, name="owner")
    for name, tags in {"tagged": {"team": "blue"}, "untagged": None, "emptied": {}}.items():
        Bucket.objects.create(name=name, owner=made, tags=tags, policy='{"Condition": {"Bool": {"s3:prefix": "tag"}}}')
    return made


def enabled_by_migration() -> set[str]:
    [statement] = [
        operation.sql
        for operation in import_module("buckets.migrations.0014_abac").Migration.operations
        if hasattr(operation, "sql")
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement)
    return set(Bucket.objects.filter(is_abac_enabled=True).values_list("name", flat=True))


def test_buckets_with_tags_are_enabled(account: Account) -> None:
    assert enabled_by_migration() == {"tagged"}


@pytest.mark.parametrize("key", ["s3:BucketTag/team", "AWS:resourcetag/team", r"aws:ResourceTag\/team"])
def test_all_are_enabled_where_a_bucket_policy_asks_for_tags(account: Account, key: str) -> None:
    Bucket.objects.filter(name="emptied").update(policy=BY_TAG % key)
    assert enabled_by_migration() == ALL


def test_all_are_enabled_where_an_identity_s_policy_asks_for_tags(account: Account) -> None:
    user = User.objects.create(account=account, name="alice", username="alice")
    InlinePolicy.objects.create(user=user, name="own", document=BY_TAG % "aws:ResourceTag/team")
    assert enabled_by_migration() == ALL


def test_all_are_enabled_where_a_managed_policy_asks_for_tags(account: Account) -> None:
    policy = ManagedPolicy.objects.create(account=account, name="managed")
    PolicyVersion.objects.create(policy=policy, number=1, document=BY_TAG % "aws:ResourceTag/team")
    assert enabled_by_migration() == ALL
