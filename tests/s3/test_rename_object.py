"""RenameObject: atomic, conditional, repeatable, and as permitted as a copy and a delete."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.s3.refusals import refused
from tests.s3.sharing import policy, statement


def rename(client: Any, bucket: str, source: str, key: str, **more: Any) -> None:
    client.rename_object(Bucket=bucket, Key=key, RenameSource=source, **more)


def keys(client: Any, bucket: str) -> list[str]:
    return [item["Key"] for item in client.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_all_of_an_object_is_under_its_new_key(owner: Any, bucket: str) -> None:
    owner.put_object(
        Bucket=bucket, Key="a b/ö", Body=b"x" * 200_000, Metadata={"m": "1"}, Tagging="t=1", ContentType="text/x"
    )
    before = owner.head_object(Bucket=bucket, Key="a b/ö")
    rename(owner, bucket, "a%20b/%C3%B6", "new")
    after = owner.head_object(Bucket=bucket, Key="new")
    for name in ("ETag", "ContentLength", "Metadata", "ContentType"):
        assert after[name] == before[name]
    assert owner.get_object_tagging(Bucket=bucket, Key="new")["TagSet"] == [{"Key": "t", "Value": "1"}]
    assert owner.get_object(Bucket=bucket, Key="new")["Body"].read() == b"x" * 200_000
    assert keys(owner, bucket) == ["new"]


@pytest.mark.parametrize("form", ["{key}", "{bucket}/{key}", "/{bucket}/{key}"])
def test_the_source_is_named_with_or_without_the_bucket(owner: Any, bucket: str, form: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    rename(owner, bucket, form.format(bucket=bucket, key="k"), "new")
    assert keys(owner, bucket) == ["new"]


def test_what_cannot_be_renamed_is_refused(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    with refused("NoSuchKey", 404):
        rename(owner, bucket, "none", "new")
    with refused("InvalidRequest", 400):
        rename(owner, bucket, "k", "k")
    with refused("InvalidArgument", 400):
        rename(owner, bucket, "/another-bucket/k", "new")


def test_conditions_of_both_ends_are_judged(owner: Any, bucket: str) -> None:
    etag = owner.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    other = owner.put_object(Bucket=bucket, Key="there", Body=b"y")["ETag"]
    later = datetime.now(UTC) + timedelta(days=1)
    earlier = datetime.now(UTC) - timedelta(days=1)
    for wrong in (
        {"DestinationIfNoneMatch": "*"},
        {"DestinationIfMatch": etag},
        {"DestinationIfUnmodifiedSince": earlier},
        {"SourceIfMatch": other},
        {"SourceIfNoneMatch": etag},
        {"SourceIfModifiedSince": later},
        {"SourceIfUnmodifiedSince": earlier},
    ):
        with refused("PreconditionFailed", 412):
            rename(owner, bucket, "k", "there", **wrong)
    with refused("PreconditionFailed", 412):
        rename(owner, bucket, "k", "nothing", DestinationIfModifiedSince=earlier)
    rename(
        owner, bucket, "k", "there", DestinationIfMatch=other, SourceIfMatch=etag, DestinationIfUnmodifiedSince=later
    )
    assert keys(owner, bucket) == ["there"]
    assert owner.get_object(Bucket=bucket, Key="there")["Body"].read() == b"x"


def test_a_token_makes_a_repetition_harmless(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    for _ in range(2):
        rename(owner, bucket, "k", "new", ClientToken="token-1")
    assert keys(owner, bucket) == ["new"]
    with refused("IdempotencyParameterMismatch", 400):
        rename(owner, bucket, "new", "newer", ClientToken="token-1")
    with refused("NoSuchKey", 404):
        rename(owner, bucket, "none", "newer", ClientToken="token-2")


def test_where_versions_are_kept_the_old_key_keeps_its_own(owner: Any, versioned: str) -> None:
    version = owner.put_object(Bucket=versioned, Key="k", Body=b"x")["VersionId"]
    rename(owner, versioned, "k", "new")
    assert keys(owner, versioned) == ["new"]
    with refused("NoSuchKey", 404):
        owner.get_object(Bucket=versioned, Key="k")
    assert owner.get_object(Bucket=versioned, Key="k", VersionId=version)["Body"].read() == b"x"


def test_of_many_who_rename_one_object_one_does(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")

    def attempt(number: int) -> bool:
        try:
            rename(owner, bucket, "k", f"to-{number}")
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"NoSuchKey", "ConditionalRequestConflict"}:
                raise
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1
    assert len(keys(owner, bucket)) == 1


def test_two_that_change_places_do_not_wait_for_ever(owner: Any, bucket: str) -> None:
    def swap(pair: tuple[str, str]) -> None:
        for _ in range(5):
            owner.put_object(Bucket=bucket, Key=pair[0], Body=b"x")
            try:
                rename(owner, bucket, *pair)
            except ClientError as error:
                if error.response["Error"]["Code"] not in {"NoSuchKey", "ConditionalRequestConflict"}:
                    raise

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(swap, [("a", "b"), ("b", "a")]))


def test_it_takes_every_permission_of_what_it_does(owner: Any, stranger: Any, bucket: str) -> None:
    needed = ["s3:RenameObject", "s3:PutObject", "s3:DeleteObject", "s3:GetObject"]
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    for missing in needed:
        rest = [action for action in needed if action != missing]
        owner.put_bucket_policy(Bucket=bucket, Policy=policy(statement(bucket, *rest)))
        with refused("AccessDenied", 403):
            rename(stranger, bucket, "k", "new")
    owner.put_bucket_policy(Bucket=bucket, Policy=policy(statement(bucket, *needed)))
    rename(stranger, bucket, "k", "new")
    assert keys(owner, bucket) == ["new"]
