"""Buckets: CreateBucket, HeadBucket, ListBuckets, DeleteBucket, and the configurations that are served."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from tests.s3.refusals import refused
from tests.s3.wire import Wire


def bucket_names(client: Any, **arguments: Any) -> list[str]:
    return [bucket["Name"] for bucket in client.list_buckets(**arguments)["Buckets"]]


def test_a_created_bucket_is_listed_with_its_date_and_region(owner: Any, bucket: str) -> None:
    (shown,) = owner.list_buckets(Prefix=bucket)["Buckets"]
    assert shown["Name"] == bucket
    assert shown["BucketRegion"] == "us-east-1"
    assert shown["CreationDate"].tzinfo is not None


def test_creating_answers_with_the_location(owner: Any) -> None:
    name = f"test-{secrets.token_hex(6)}"
    assert owner.create_bucket(Bucket=name)["Location"] == f"/{name}"


def test_creating_one_s_own_bucket_again_succeeds_and_keeps_its_objects(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    owner.create_bucket(Bucket=bucket)
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_a_name_that_another_account_took_is_refused(stranger: Any, bucket: str) -> None:
    with refused("BucketAlreadyExists", 409):
        stranger.create_bucket(Bucket=bucket)


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 64,
        "Upper-case",
        "under_score",
        "-dash",
        "dash-",
        "two..dots",
        "192.168.0.1",
        "xn--puny",
        "a-s3alias",
    ],
)
def test_a_name_that_no_bucket_may_have_is_refused(wire: Wire, name: str) -> None:
    assert wire.send("PUT", f"/{name}").refusal == (400, "InvalidBucketName")


def test_a_foreign_region_is_refused(owner: Any) -> None:
    with refused("InvalidLocationConstraint", 400):
        owner.create_bucket(
            Bucket=f"test-{secrets.token_hex(6)}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )


def test_a_malformed_configuration_is_refused_and_makes_nothing(wire: Wire, owner: Any) -> None:
    name = f"test-{secrets.token_hex(6)}"
    answer = wire.send("PUT", f"/{name}", body=b"<CreateBucketConfiguration><Nonsense/></CreateBucketConfiguration>")
    assert answer.refusal == (400, "MalformedXML")
    assert bucket_names(owner, Prefix=name) == []


def test_tags_can_be_given_at_creation(owner: Any) -> None:
    name = f"test-{secrets.token_hex(6)}"
    tags = [{"Key": "team", "Value": "red"}]
    owner.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": tags})
    assert owner.get_bucket_tagging(Bucket=name)["TagSet"] == tags


def test_head_says_where_a_bucket_is(owner: Any, bucket: str) -> None:
    assert owner.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"


def test_head_of_a_missing_bucket_is_not_found(owner: Any) -> None:
    with refused("404", 404):
        owner.head_bucket(Bucket="test-no-such-bucket")


def test_head_of_a_foreign_bucket_is_forbidden(stranger: Any, bucket: str) -> None:
    with refused("403", 403):
        stranger.head_bucket(Bucket=bucket)


def test_the_location_of_the_first_region_is_empty(owner: Any, bucket: str) -> None:
    assert owner.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None


def test_an_account_lists_its_own_buckets_alone(owner: Any, stranger: Any, bucket: str) -> None:
    foreign = f"test-{secrets.token_hex(6)}"
    stranger.create_bucket(Bucket=foreign)
    assert foreign not in bucket_names(owner)
    assert bucket not in bucket_names(stranger)
    assert foreign in bucket_names(stranger)


def test_nobody_may_not_list_buckets(anonymous: Any) -> None:
    with refused("AccessDenied", 403):
        anonymous.list_buckets()


def test_buckets_are_listed_by_name_in_pages(owner: Any) -> None:
    stem = f"test-page-{secrets.token_hex(4)}"
    names = [f"{stem}-{number}" for number in range(5)]
    for name in reversed(names):
        owner.create_bucket(Bucket=name)
    with refused("InvalidArgument", 400):
        owner.list_buckets(ContinuationToken="no token")
    pages, token = [], {}
    while True:
        page = owner.list_buckets(Prefix=stem, MaxBuckets=2, **token)
        pages.append([bucket["Name"] for bucket in page["Buckets"]])
        if "ContinuationToken" not in page:
            break
        token = {"ContinuationToken": page["ContinuationToken"]}
    assert pages == [names[:2], names[2:4], names[4:]]


@pytest.mark.parametrize("count", ["0", "10001", "-1", "many"])
def test_an_impossible_page_size_of_buckets_is_refused(wire: Wire, count: str) -> None:
    assert wire.send("GET", "/", query=[("max-buckets", count)]).refusal == (400, "InvalidArgument")


def test_an_empty_bucket_is_deleted_and_its_name_is_free(owner: Any, stranger: Any, bucket: str) -> None:
    owner.delete_bucket(Bucket=bucket)
    with refused("NoSuchBucket", 404):
        owner.list_objects_v2(Bucket=bucket)
    stranger.create_bucket(Bucket=bucket)


def test_a_bucket_with_an_object_is_not_deleted(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k")
    with refused("BucketNotEmpty", 409):
        owner.delete_bucket(Bucket=bucket)


def test_a_bucket_with_only_delete_markers_is_not_deleted(owner: Any, versioned: str) -> None:
    owner.delete_object(Bucket=versioned, Key="k")
    with refused("BucketNotEmpty", 409):
        owner.delete_bucket(Bucket=versioned)


def test_a_bucket_with_an_old_version_alone_is_not_deleted(owner: Any, versioned: str) -> None:
    owner.put_object(Bucket=versioned, Key="k", Body=b"old")
    marker = owner.delete_object(Bucket=versioned, Key="k")["VersionId"]
    with refused("BucketNotEmpty", 409):
        owner.delete_bucket(Bucket=versioned)
    assert marker


def test_a_bucket_made_again_does_not_show_what_it_held_before(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    owner.delete_object(Bucket=bucket, Key="k")
    owner.delete_bucket(Bucket=bucket)
    owner.create_bucket(Bucket=bucket)
    assert "Contents" not in owner.list_objects_v2(Bucket=bucket)
    assert "Versions" not in owner.list_object_versions(Bucket=bucket)


def test_a_missing_bucket_cannot_be_deleted(owner: Any) -> None:
    with refused("NoSuchBucket", 404):
        owner.delete_bucket(Bucket="test-no-such-bucket")


def test_a_foreign_bucket_cannot_be_deleted(stranger: Any, anonymous: Any, owner: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        stranger.delete_bucket(Bucket=bucket)
    with refused("AccessDenied", 403):
        anonymous.delete_bucket(Bucket=bucket)
    owner.head_bucket(Bucket=bucket)


def test_an_expected_owner_that_is_another_is_refused(owner: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        owner.get_bucket_location(Bucket=bucket, ExpectedBucketOwner="000000000000")


# Versioning, tags, access control list


def test_versioning_was_never_set_at_first(owner: Any, bucket: str) -> None:
    assert "Status" not in owner.get_bucket_versioning(Bucket=bucket)


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_versioning_is_what_was_set(owner: Any, bucket: str, status: str) -> None:
    owner.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    assert owner.get_bucket_versioning(Bucket=bucket)["Status"] == status


def test_an_unknown_versioning_status_is_malformed(wire: Wire, bucket: str) -> None:
    body = b"<VersioningConfiguration><Status>On</Status></VersioningConfiguration>"
    answer = wire.send("PUT", f"/{bucket}", query=[("versioning", "")], body=body)
    assert answer.refusal == (400, "MalformedXML")


def test_versioning_without_a_status_is_refused(wire: Wire, bucket: str) -> None:
    answer = wire.send("PUT", f"/{bucket}", query=[("versioning", "")], body=b"<VersioningConfiguration/>")
    assert answer.refusal == (400, "IllegalVersioningConfigurationException")


def test_a_stranger_may_not_change_versioning(stranger: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        stranger.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def test_bucket_tags_are_replaced_and_removed(owner: Any, bucket: str) -> None:
    with refused("NoSuchTagSet", 404):
        owner.get_bucket_tagging(Bucket=bucket)
    for value in ("red", "größe 1 + 2"):
        owner.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "k", "Value": value}]})
        assert owner.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "k", "Value": value}]
    owner.delete_bucket_tagging(Bucket=bucket)
    with refused("NoSuchTagSet", 404):
        owner.get_bucket_tagging(Bucket=bucket)


def test_a_tag_key_twice_is_refused(owner: Any, bucket: str) -> None:
    with refused("InvalidTag", 400):
        owner.put_bucket_tagging(
            Bucket=bucket, Tagging={"TagSet": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]}
        )


def test_the_access_control_list_is_the_owner_s_full_control(owner: Any, bucket: str) -> None:
    acl = owner.get_bucket_acl(Bucket=bucket)
    (grant,) = acl["Grants"]
    assert grant["Permission"] == "FULL_CONTROL"
    assert grant["Grantee"]["ID"] == acl["Owner"]["ID"] == owner.list_buckets()["Owner"]["ID"]


def test_what_is_never_configured_can_be_asked_for_by_the_owner(owner: Any, stranger: Any, bucket: str) -> None:
    assert "LoggingEnabled" not in owner.get_bucket_logging(Bucket=bucket)
    answer = owner.get_bucket_notification_configuration(Bucket=bucket)
    assert not [name for name in answer if name.endswith(("Configuration", "Configurations"))]
    for ask in (stranger.get_bucket_logging, stranger.get_bucket_notification_configuration):
        with refused("AccessDenied", 403):
            ask(Bucket=bucket)
