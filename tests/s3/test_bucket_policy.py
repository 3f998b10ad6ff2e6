"""Bucket policies: stored, refused, public, and obeyed by every operation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.live.system import LiveSystem
from tests.s3.iam import allow as iam_allow
from tests.s3.iam import becomes, make_user
from tests.s3.refusals import refused
from tests.s3.sharing import allow, canonical_id, policy, statement


def test_a_policy_comes_back_as_it_was_sent(owner: Any, bucket: str) -> None:
    with refused("NoSuchBucketPolicy", 404):
        owner.get_bucket_policy(Bucket=bucket)
    sent = policy(statement(bucket, "s3:GetObject")) + "\n "
    answer = owner.put_bucket_policy(Bucket=bucket, Policy=sent)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert owner.get_bucket_policy(Bucket=bucket)["Policy"] == sent
    owner.delete_bucket_policy(Bucket=bucket)
    with refused("NoSuchBucketPolicy", 404):
        owner.get_bucket_policy(Bucket=bucket)


@pytest.mark.parametrize("document", ["", "{}", "no json", '{"Version": "2012-10-17", "Statement": [{}]}'])
def test_a_policy_that_is_none_is_refused(owner: Any, bucket: str, document: str) -> None:
    with pytest.raises(ClientError) as caught:
        owner.put_bucket_policy(Bucket=bucket, Policy=document)
    assert caught.value.response["Error"]["Code"] in ("MalformedPolicy", "MissingRequestBodyError")


def test_a_policy_speaks_of_its_own_bucket(owner: Any, bucket: str) -> None:
    with refused("MalformedPolicy", 400) as response:
        allow(owner, bucket, "s3:GetObject", Resource="arn:aws:s3:::another/*")
    assert response["Error"]["Message"] == "Policy has invalid resource"


def test_a_policy_has_a_largest_size(owner: Any, bucket: str) -> None:
    with refused("MalformedPolicy", 400):
        allow(owner, bucket, "s3:GetObject", Sid="x" * 21_000)


def test_strangers_and_nobody_may_not_touch_the_policy(owner: Any, stranger: Any, anonymous: Any, bucket: str) -> None:
    sent = policy(statement(bucket, "s3:GetObject"))
    owner.put_bucket_policy(Bucket=bucket, Policy=sent)
    for client in (stranger, anonymous):
        for call in (client.get_bucket_policy, client.delete_bucket_policy, client.get_bucket_policy_status):
            with refused("AccessDenied", 403):
                call(Bucket=bucket)
        with refused("AccessDenied", 403):
            client.put_bucket_policy(Bucket=bucket, Policy=sent)


def test_everyone_reads_what_is_allowed_to_everyone(owner: Any, stranger: Any, anonymous: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="public/k", Body=b"x")
    owner.put_object(Bucket=bucket, Key="private/k", Body=b"x")
    allow(owner, bucket, "s3:GetObject", Resource=f"arn:aws:s3:::{bucket}/public/*")
    for client in (stranger, anonymous):
        assert client.get_object(Bucket=bucket, Key="public/k")["Body"].read() == b"x"
        assert client.head_object(Bucket=bucket, Key="public/k")["ContentLength"] == 1
        with refused("AccessDenied", 403):
            client.get_object(Bucket=bucket, Key="private/k")
        with refused("AccessDenied", 403):
            client.list_objects_v2(Bucket=bucket)
        with refused("AccessDenied", 403):
            client.put_object(Bucket=bucket, Key="public/k", Body=b"y")


def test_a_policy_may_name_an_account(
    owner: Any, stranger: Any, anonymous: Any, stranger_account_id: str, bucket: str
) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    allow(owner, bucket, "s3:GetObject", Principal={"AWS": stranger_account_id})
    assert stranger.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    with refused("AccessDenied", 403):
        anonymous.get_object(Bucket=bucket, Key="k")


def test_a_missing_key_is_told_to_those_who_may_list(owner: Any, stranger: Any, bucket: str) -> None:
    allow(owner, bucket, "s3:GetObject")
    with refused("AccessDenied", 403):
        stranger.get_object(Bucket=bucket, Key="missing")
    allow(owner, bucket, "s3:ListBucket", Condition={"StringLike": {"s3:prefix": "seen/*"}})
    with refused("NoSuchKey", 404):
        stranger.get_object(Bucket=bucket, Key="seen/missing")
    with refused("403", 403):
        stranger.head_object(Bucket=bucket, Key="unseen/missing")


def test_a_delete_marker_is_told_like_a_missing_key(owner: Any, stranger: Any, versioned: str) -> None:
    owner.put_object(Bucket=versioned, Key="k", Body=b"x")
    owner.delete_object(Bucket=versioned, Key="k")
    allow(owner, versioned, "s3:GetObject")
    with refused("AccessDenied", 403):
        stranger.get_object(Bucket=versioned, Key="k")
    allow(owner, versioned, "s3:ListBucket")
    with refused("NoSuchKey", 404):
        stranger.get_object(Bucket=versioned, Key="k")


def test_versions_have_actions_of_their_own(owner: Any, stranger: Any, versioned: str) -> None:
    version_id = owner.put_object(Bucket=versioned, Key="k", Body=b"x")["VersionId"]
    allow(owner, versioned, "s3:GetObject", "s3:DeleteObject")
    stranger.get_object(Bucket=versioned, Key="k")
    with refused("AccessDenied", 403):
        stranger.get_object(Bucket=versioned, Key="k", VersionId=version_id)
    with refused("AccessDenied", 403):
        stranger.delete_object(Bucket=versioned, Key="k", VersionId=version_id)
    allow(owner, versioned, "s3:GetObjectVersion", "s3:DeleteObjectVersion")
    stranger.get_object(Bucket=versioned, Key="k", VersionId=version_id)
    with refused("AccessDenied", 403):
        stranger.delete_object(Bucket=versioned, Key="k")
    stranger.delete_object(Bucket=versioned, Key="k", VersionId=version_id)


def test_each_key_of_a_multiple_delete_is_decided_by_itself(owner: Any, anonymous: Any, bucket: str) -> None:
    for key in ("a/k", "b/k"):
        owner.put_object(Bucket=bucket, Key=key, Body=b"x")
    allow(owner, bucket, "s3:DeleteObject", Resource=f"arn:aws:s3:::{bucket}/a/*")
    answer = anonymous.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a/k"}, {"Key": "b/k"}]})
    assert [one["Key"] for one in answer["Deleted"]] == ["a/k"]
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [("b/k", "AccessDenied")]


def test_a_copy_needs_to_read_its_source(owner: Any, stranger: Any, new_bucket: Callable[[], str]) -> None:
    source, target = new_bucket(), new_bucket()
    for key in ("open/k", "closed/k"):
        owner.put_object(Bucket=source, Key=key, Body=b"x")
    allow(owner, target, "s3:PutObject")
    allow(owner, source, "s3:GetObject", Resource=f"arn:aws:s3:::{source}/open/*")
    stranger.copy_object(Bucket=target, Key="k", CopySource={"Bucket": source, "Key": "open/k"})
    for key in ("closed/k", "open/missing"):
        with refused("AccessDenied", 403):
            stranger.copy_object(Bucket=target, Key="k", CopySource={"Bucket": source, "Key": key})
    allow(owner, source, "s3:GetObject", "s3:ListBucket")
    with refused("NoSuchKey", 404):
        stranger.copy_object(Bucket=target, Key="k", CopySource={"Bucket": source, "Key": "open/missing"})


def test_parts_are_uploaded_by_whoever_may_put(owner: Any, stranger: Any, anonymous: Any, bucket: str) -> None:
    allow(owner, bucket, "s3:PutObject", Resource=f"arn:aws:s3:::{bucket}/k")
    with refused("AccessDenied", 403):
        stranger.create_multipart_upload(Bucket=bucket, Key="other")
    upload = stranger.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = stranger.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    assert len(stranger.list_parts(Bucket=bucket, Key="k", UploadId=upload)["Parts"]) == 1  # its initiator
    with refused("AccessDenied", 403):
        anonymous.list_parts(Bucket=bucket, Key="k", UploadId=upload)
    with refused("AccessDenied", 403):
        anonymous.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    stranger.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload=parts)
    upload = stranger.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    stranger.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)


def test_a_deny_is_for_the_owner_too_but_never_for_the_policy_itself(owner: Any, bucket: str) -> None:
    allow(owner, bucket, "s3:*", Effect="Deny")
    with refused("AccessDenied", 403):
        owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    with refused("AccessDenied", 403):
        owner.delete_bucket(Bucket=bucket)
    assert json.loads(owner.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    owner.delete_bucket_policy(Bucket=bucket)
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")


@pytest.mark.parametrize(
    ("condition", "matching", "other"),
    [
        ({"StringLike": {"s3:prefix": "a/*"}}, {"Prefix": "a/b"}, {"Prefix": "b"}),
        ({"StringEquals": {"s3:delimiter": "/"}}, {"Delimiter": "/"}, {}),
        ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"MaxKeys": 10}, {"MaxKeys": 11}),
    ],
)
def test_listings_obey_conditions(
    owner: Any, stranger: Any, bucket: str, condition: Any, matching: dict[str, Any], other: dict[str, Any]
) -> None:
    allow(owner, bucket, "s3:ListBucket", Condition=condition)
    stranger.list_objects_v2(Bucket=bucket, **matching)
    stranger.list_objects(Bucket=bucket, **matching)
    with refused("AccessDenied", 403):
        stranger.list_objects_v2(Bucket=bucket, **other)


@pytest.mark.parametrize(
    ("condition", "matching", "other"),
    [
        ({"StringEquals": {"s3:x-amz-acl": "public-read"}}, {"ACL": "public-read"}, {}),
        ({"StringEquals": {"s3:RequestObjectTag/a": "1"}}, {"Tagging": "a=1"}, {"Tagging": "a=2"}),
        (
            {"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a", "b"]}},
            {"Tagging": "a=1"},
            {"Tagging": "c=1"},
        ),
        ({"StringEquals": {"s3:x-amz-storage-class": "STANDARD"}}, {"StorageClass": "STANDARD"}, {}),
        ({"StringEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256", "s3:authType": "REST-HEADER"}}, {}, None),
        ({"NumericLessThan": {"s3:signatureAge": "600000"}}, {}, None),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, {}, None),
        ({"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, None, {}),
        ({"Bool": {"aws:SecureTransport": "true"}}, None, {}),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, {}, None),
        ({"StringLike": {"aws:UserAgent": "Boto3/*"}}, {}, None),
        ({"StringEquals": {"aws:PrincipalType": "Account"}}, {}, None),
    ],
)
def test_writes_obey_conditions(
    owner: Any,
    stranger: Any,
    bucket: str,
    condition: Any,
    matching: dict[str, Any] | None,
    other: dict[str, Any] | None,
) -> None:
    statements = [statement(bucket, "s3:PutObject", Condition=condition), statement(bucket, "s3:PutObjectTagging")]
    owner.put_bucket_policy(Bucket=bucket, Policy=policy(*statements))
    if matching is not None:
        stranger.put_object(Bucket=bucket, Key="k", Body=b"x", **matching)
    if other is not None:
        with refused("AccessDenied", 403):
            stranger.put_object(Bucket=bucket, Key="k", Body=b"x", **other)


def test_reads_obey_the_tags_that_an_object_has(owner: Any, anonymous: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="open", Body=b"x", Tagging="level=open")
    owner.put_object(Bucket=bucket, Key="closed", Body=b"x", Tagging="level=closed")
    condition = {"StringEquals": {"s3:ExistingObjectTag/level": "open"}}
    allow(owner, bucket, "s3:GetObject", "s3:GetObjectTagging", Condition=condition)
    anonymous.get_object(Bucket=bucket, Key="open")
    anonymous.get_object_tagging(Bucket=bucket, Key="open")
    with refused("AccessDenied", 403):
        anonymous.get_object(Bucket=bucket, Key="closed")


def test_tags_in_a_body_are_seen_by_conditions(owner: Any, stranger: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    allow(owner, bucket, "s3:PutObjectTagging", Condition={"StringEquals": {"s3:RequestObjectTag/a": "1"}})
    stranger.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    with refused("AccessDenied", 403):
        stranger.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "2"}]})


def test_what_a_write_brings_along_may_be_denied_by_name(owner: Any, bucket: str) -> None:
    allow(owner, bucket, "s3:PutObjectAcl", "s3:PutObjectTagging", Effect="Deny")
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    for brought in ({"ACL": "public-read"}, {"Tagging": "a=1"}):
        with refused("AccessDenied", 403):
            owner.put_object(Bucket=bucket, Key="k", Body=b"x", **brought)


def test_what_a_write_brings_along_needs_permission(owner: Any, stranger: Any, bucket: str) -> None:
    owner.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    allow(owner, bucket, "s3:PutObject")
    stranger.put_object(Bucket=bucket, Key="own", Body=b"x", ACL="public-read")  # of what is one's own one decides
    stranger.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="bucket-owner-full-control")
    opened = {"GrantRead": 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'}
    for brought in ({"Tagging": "a=1"}, {**opened, "GrantFullControl": f"id={canonical_id(owner)}", "Tagging": "a=1"}):
        with refused("AccessDenied", 403):
            stranger.put_object(Bucket=bucket, Key="k", Body=b"x", **brought)
        with refused("AccessDenied", 403):
            stranger.create_multipart_upload(Bucket=bucket, Key="k", **brought)
    allow(owner, bucket, "s3:PutObject", "s3:PutObjectTagging")
    stranger.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="a=1")


def test_a_user_s_grants_need_permission(owner: Any, iam: Any, live: LiveSystem, bucket: str) -> None:
    user = make_user(iam, iam_allow("s3:PutObject")).keys.client(live)
    becomes(lambda: user.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="private"), "")
    with refused("AccessDenied", 403):
        user.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    owner.put_bucket_acl(Bucket=bucket, ACL="public-read-write")  # a list lets anybody write, and bring all of it
    user.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read", Tagging="a=1")


@pytest.mark.parametrize(
    ("elements", "is_public"),
    [
        ({}, True),
        ({"Principal": {"AWS": "111122223333"}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, True),
        ({"Effect": "Deny"}, False),
    ],
)
def test_the_status_says_whether_a_policy_is_public(
    owner: Any, bucket: str, elements: dict[str, Any], *, is_public: bool
) -> None:
    assert owner.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False
    allow(owner, bucket, "s3:GetObject", **elements)
    assert owner.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is is_public


def test_a_deleted_bucket_takes_its_policy_with_it(owner: Any, bucket: str) -> None:
    allow(owner, bucket, "s3:GetObject")
    owner.delete_bucket(Bucket=bucket)
    owner.create_bucket(Bucket=bucket)
    with refused("NoSuchBucketPolicy", 404):
        owner.get_bucket_policy(Bucket=bucket)


def test_conditions_see_what_writes_an_object_and_what_prepares_one(owner: Any, bucket: str) -> None:
    condition = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
    allow(owner, bucket, "s3:PutObject", Effect="Deny", Condition=condition)
    with refused("AccessDenied", 403):
        owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    owner.put_object(Bucket=bucket, Key="k", Body=b"x", IfNoneMatch="*")
    named = {"Bucket": bucket, "Key": "parts"}
    named["UploadId"] = owner.create_multipart_upload(**named)["UploadId"]
    etag = owner.upload_part(**named, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"ETag": etag, "PartNumber": 1}]}
    with refused("AccessDenied", 403):
        owner.complete_multipart_upload(**named, MultipartUpload=parts)
    owner.complete_multipart_upload(**named, MultipartUpload=parts, IfNoneMatch="*")


def test_conditions_see_the_version_that_is_copied(owner: Any, versioned: str) -> None:
    version_id = owner.put_object(Bucket=versioned, Key="k", Body=b"x")["VersionId"]
    condition = {"StringEquals": {"s3:VersionId": version_id}}
    allow(owner, versioned, "s3:GetObjectVersion", Effect="Deny", Condition=condition)
    source = {"Bucket": versioned, "Key": "k", "VersionId": version_id}
    with refused("AccessDenied", 403):
        owner.copy_object(Bucket=versioned, Key="copy", CopySource=source)
    owner.copy_object(Bucket=versioned, Key="copy", CopySource={"Bucket": versioned, "Key": "k"})
