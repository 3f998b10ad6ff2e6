"""Access control lists of buckets and objects: canned, by header, by document, and obeyed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.s3.refusals import refused
from tests.s3.sharing import ALL_USERS, AUTHENTICATED_USERS, allow, canonical_id, grants_of
from tests.s3.wire import Wire


def own_grant(client: Any) -> tuple[str, str]:
    return canonical_id(client), "FULL_CONTROL"


def canonical_grant(client: Any, permission: str) -> dict[str, Any]:
    return {"Grantee": {"Type": "CanonicalUser", "ID": canonical_id(client)}, "Permission": permission}


def acl_document(owner: Any, *grants: dict[str, Any]) -> dict[str, Any]:
    return {"Owner": {"ID": canonical_id(owner)}, "Grants": list(grants)}


def test_new_buckets_and_objects_are_private(owner: Any, stranger: Any, anonymous: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    for answer in (owner.get_bucket_acl(Bucket=bucket), owner.get_object_acl(Bucket=bucket, Key="k")):
        assert answer["Owner"]["ID"] == canonical_id(owner)
        assert grants_of(answer) == [own_grant(owner)]
    for client in (stranger, anonymous):
        for call in (client.get_bucket_acl, client.list_objects_v2):
            with refused("AccessDenied", 403):
                call(Bucket=bucket)
        with refused("AccessDenied", 403):
            client.get_object_acl(Bucket=bucket, Key="k")
        with refused("AccessDenied", 403):
            client.put_bucket_acl(Bucket=bucket, ACL="public-read")
        with refused("AccessDenied", 403):
            client.put_object_acl(Bucket=bucket, Key="k", ACL="public-read")


LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
CANNED = [
    ("private", []),
    ("public-read", [(ALL_USERS, "READ")]),
    ("public-read-write", [(ALL_USERS, "READ"), (ALL_USERS, "WRITE")]),
    ("authenticated-read", [(AUTHENTICATED_USERS, "READ")]),
]


def test_a_bucket_is_opened_to_the_delivery_of_logs_by_name(owner: Any, bucket: str) -> None:
    owner.put_bucket_acl(Bucket=bucket, ACL="log-delivery-write")
    granted = grants_of(owner.get_bucket_acl(Bucket=bucket))
    assert [grant for grant in granted if grant[0] == LOG_DELIVERY] == [
        (LOG_DELIVERY, "WRITE"),
        (LOG_DELIVERY, "READ_ACP"),
    ]
    with refused("InvalidArgument", 400):
        owner.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="log-delivery-write")


@pytest.mark.parametrize(("name", "grants"), CANNED)
def test_canned_lists_come_back_as_grants(owner: Any, bucket: str, name: str, grants: list[tuple[str, str]]) -> None:
    expected = [*grants, own_grant(owner)]
    owner.put_bucket_acl(Bucket=bucket, ACL=name)
    assert grants_of(owner.get_bucket_acl(Bucket=bucket)) == expected
    owner.put_object(Bucket=bucket, Key="k", Body=b"x", ACL=name)
    assert grants_of(owner.get_object_acl(Bucket=bucket, Key="k")) == expected
    owner.put_object(Bucket=bucket, Key="l", Body=b"x")
    owner.put_object_acl(Bucket=bucket, Key="l", ACL=name)
    assert grants_of(owner.get_object_acl(Bucket=bucket, Key="l")) == expected


def test_a_bucket_may_be_created_with_grants(owner: Any, stranger: Any, bucket: str) -> None:
    for number, (arguments, expected) in enumerate(
        [
            ({"ACL": "public-read"}, [(ALL_USERS, "READ"), own_grant(owner)]),
            ({"GrantRead": f'id="{canonical_id(stranger)}"'}, [(canonical_id(stranger), "READ")]),
            ({"GrantWrite": "emailAddress=stranger@example.org"}, [(canonical_id(stranger), "WRITE")]),
        ]
    ):
        owner.create_bucket(Bucket=f"{bucket}-{number}", **arguments)
        assert grants_of(owner.get_bucket_acl(Bucket=f"{bucket}-{number}")) == expected


def test_a_bucket_is_not_made_again_with_another_list(owner: Any, bucket: str) -> None:
    owner.create_bucket(Bucket=bucket)
    with refused("BucketAlreadyExists", 409):
        owner.create_bucket(Bucket=bucket, ACL="public-read")


def test_grant_headers_take_several_grantees(owner: Any, stranger: Any, bucket: str) -> None:
    grantees = f'id="{canonical_id(stranger)}", uri="{ALL_USERS}",emailAddress="stranger@example.org"'
    owner.put_object(
        Bucket=bucket, Key="k", Body=b"x", GrantRead=grantees, GrantFullControl=f"id={canonical_id(owner)}"
    )
    found = grants_of(owner.get_object_acl(Bucket=bucket, Key="k"))
    assert sorted(found) == sorted([(ALL_USERS, "READ"), own_grant(owner), (canonical_id(stranger), "READ")])


@pytest.mark.parametrize(
    ("grantee", "code"),
    [
        ("id=nobody", "InvalidArgument"),
        ("uri=http://example.com/group", "InvalidArgument"),
        ("emailAddress=nobody@example.org", "UnresolvableGrantByEmailAddress"),
        ("name=stranger", "InvalidArgument"),
        ("stranger", "InvalidArgument"),
        ('id="', "InvalidArgument"),
    ],
)
def test_grantees_that_nobody_knows_are_refused(owner: Any, bucket: str, grantee: str, code: str) -> None:
    with refused(code, 400):
        owner.put_object(Bucket=bucket, Key="k", Body=b"x", GrantRead=grantee)
    with refused(code, 400):
        owner.put_bucket_acl(Bucket=bucket, GrantRead=grantee)
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_canned_list_and_grants_exclude_each_other(owner: Any, bucket: str) -> None:
    with refused("InvalidRequest", 400):
        owner.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="private", GrantRead=f"uri={ALL_USERS}")


def test_a_list_is_asked_for_in_one_way(owner: Any, bucket: str, wire: Wire) -> None:
    with refused("UnexpectedContent", 400):
        owner.put_bucket_acl(Bucket=bucket, ACL="private", AccessControlPolicy=acl_document(owner))
    assert wire.send("PUT", f"/{bucket}", query=[("acl", "")]).refusal == (400, "MissingSecurityHeader")
    assert wire.send("PUT", f"/{bucket}", query=[("acl", "")], body=b"<x/>").refusal == (400, "MalformedACLError")


def test_an_unknown_canned_list_is_refused(owner: Any, bucket: str, wire: Wire) -> None:
    answer = wire.send("PUT", f"/{bucket}", query=[("acl", "")], headers={"x-amz-acl": "public"})
    assert answer.refusal == (400, "InvalidArgument")


def test_a_document_replaces_the_list(owner: Any, stranger: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    document = acl_document(owner, canonical_grant(owner, "FULL_CONTROL"), canonical_grant(stranger, "READ"))
    owner.put_object_acl(Bucket=bucket, Key="k", AccessControlPolicy=document)
    assert stranger.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    owner.put_object_acl(Bucket=bucket, Key="k", AccessControlPolicy=acl_document(owner))
    assert owner.get_object_acl(Bucket=bucket, Key="k")["Grants"] == []
    with refused("AccessDenied", 403):
        stranger.get_object(Bucket=bucket, Key="k")
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_a_document_does_not_change_the_owner(owner: Any, stranger: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        owner.put_bucket_acl(Bucket=bucket, AccessControlPolicy=acl_document(stranger))


@pytest.mark.parametrize(
    ("permission", "may"),
    [
        ("READ", {"get"}),
        ("READ_ACP", {"get_acl"}),
        ("WRITE_ACP", {"put_acl"}),
        ("WRITE", set()),
        ("FULL_CONTROL", {"get", "get_acl", "put_acl"}),
    ],
)
def test_permissions_on_an_object_give_just_what_they_say(
    owner: Any, stranger: Any, bucket: str, permission: str, may: set[str]
) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    document = acl_document(owner, canonical_grant(owner, "FULL_CONTROL"), canonical_grant(stranger, permission))
    owner.put_object_acl(Bucket=bucket, Key="k", AccessControlPolicy=document)
    calls = {
        "get": lambda: stranger.get_object(Bucket=bucket, Key="k"),
        "get_acl": lambda: stranger.get_object_acl(Bucket=bucket, Key="k"),
        "put_acl": lambda: stranger.put_object_acl(Bucket=bucket, Key="k", AccessControlPolicy=document),
        "put": lambda: stranger.put_object(Bucket=bucket, Key="k", Body=b"y"),
        "delete": lambda: stranger.delete_object(Bucket=bucket, Key="k"),
        "list": lambda: stranger.list_objects_v2(Bucket=bucket),
    }
    for name, call in calls.items():
        if name in may:
            call()
        else:
            with refused("AccessDenied", 403):
                call()


@pytest.mark.parametrize(
    ("permission", "may"),
    [
        ("READ", {"list", "versions", "uploads"}),
        ("READ_ACP", {"get_acl"}),
        ("WRITE_ACP", {"put_acl"}),
        ("WRITE", {"put", "delete"}),
        ("FULL_CONTROL", {"list", "versions", "uploads", "get_acl", "put_acl", "put", "delete"}),
    ],
)
def test_permissions_on_a_bucket_give_just_what_they_say(
    owner: Any, stranger: Any, bucket: str, permission: str, may: set[str]
) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    document = acl_document(owner, canonical_grant(owner, "FULL_CONTROL"), canonical_grant(stranger, permission))
    owner.put_bucket_acl(Bucket=bucket, AccessControlPolicy=document)
    calls = {
        "list": lambda: stranger.list_objects_v2(Bucket=bucket),
        "versions": lambda: stranger.list_object_versions(Bucket=bucket),
        "uploads": lambda: stranger.list_multipart_uploads(Bucket=bucket),
        "get_acl": lambda: stranger.get_bucket_acl(Bucket=bucket),
        "put_acl": lambda: stranger.put_bucket_acl(Bucket=bucket, AccessControlPolicy=document),
        "put": lambda: stranger.put_object(Bucket=bucket, Key="new", Body=b"y"),
        "delete": lambda: stranger.delete_object(Bucket=bucket, Key="new"),
        "get": lambda: stranger.get_object(Bucket=bucket, Key="k"),
        "policy": lambda: stranger.get_bucket_policy(Bucket=bucket),
        "remove": lambda: stranger.delete_bucket(Bucket=bucket),
    }
    for name, call in calls.items():
        if name in may:
            call()
        else:
            with refused("AccessDenied", 403):
                call()


def test_everyone_and_everyone_signed_in_are_two_groups(owner: Any, stranger: Any, anonymous: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="all", Body=b"x", ACL="public-read")
    owner.put_object(Bucket=bucket, Key="signed", Body=b"x", ACL="authenticated-read")
    anonymous.get_object(Bucket=bucket, Key="all")
    stranger.get_object(Bucket=bucket, Key="signed")
    with refused("AccessDenied", 403):
        anonymous.get_object(Bucket=bucket, Key="signed")


def test_nobody_may_write_where_everyone_may(owner: Any, anonymous: Any, bucket: str) -> None:
    owner.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    anonymous.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    assert anonymous.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    with refused("AccessDenied", 403):
        anonymous.create_multipart_upload(Bucket=bucket, Key="k")
    anonymous.delete_object(Bucket=bucket, Key="k")


def test_a_missing_key_is_told_where_everyone_may_list(owner: Any, anonymous: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        anonymous.get_object(Bucket=bucket, Key="k")
    owner.put_bucket_acl(Bucket=bucket, ACL="public-read")
    with refused("NoSuchKey", 404):
        anonymous.get_object(Bucket=bucket, Key="k")


def test_each_version_has_its_own_list(owner: Any, anonymous: Any, versioned: str) -> None:
    first = owner.put_object(Bucket=versioned, Key="k", Body=b"1", ACL="public-read")["VersionId"]
    second = owner.put_object(Bucket=versioned, Key="k", Body=b"2")["VersionId"]
    assert anonymous.get_object(Bucket=versioned, Key="k", VersionId=first)["Body"].read() == b"1"
    for arguments in ({}, {"VersionId": second}):
        with refused("AccessDenied", 403):
            anonymous.get_object(Bucket=versioned, Key="k", **arguments)
    owner.put_object_acl(Bucket=versioned, Key="k", VersionId=first, ACL="private")
    owner.put_object_acl(Bucket=versioned, Key="k", ACL="public-read")
    assert anonymous.get_object(Bucket=versioned, Key="k")["Body"].read() == b"2"
    with refused("AccessDenied", 403):
        anonymous.get_object(Bucket=versioned, Key="k", VersionId=first)


def test_a_copy_is_private_unless_it_asks_not_to_be(owner: Any, anonymous: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    source = {"Bucket": bucket, "Key": "k"}
    owner.copy_object(Bucket=bucket, Key="private", CopySource=source)
    owner.copy_object(Bucket=bucket, Key="public", CopySource=source, ACL="public-read")
    anonymous.get_object(Bucket=bucket, Key="public")
    with refused("AccessDenied", 403):
        anonymous.get_object(Bucket=bucket, Key="private")


def test_an_upload_in_parts_keeps_the_list_that_it_began_with(owner: Any, anonymous: Any, bucket: str) -> None:
    upload = owner.create_multipart_upload(Bucket=bucket, Key="k", ACL="public-read")["UploadId"]
    part = owner.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    owner.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload=parts)
    assert anonymous.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_overwriting_takes_the_list_away(owner: Any, anonymous: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    with refused("AccessDenied", 403):
        anonymous.get_object(Bucket=bucket, Key="k")


def test_a_missing_object_has_no_list(owner: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        owner.get_object_acl(Bucket=bucket, Key="k")
    with refused("NoSuchKey", 404):
        owner.put_object_acl(Bucket=bucket, Key="k", ACL="private")


def test_a_public_list_shows_in_the_policy_status(owner: Any, bucket: str) -> None:
    owner.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert owner.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True


def test_a_deny_of_the_policy_beats_a_grant(owner: Any, anonymous: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    allow(owner, bucket, "s3:GetObject", Effect="Deny")
    with refused("AccessDenied", 403):
        anonymous.get_object(Bucket=bucket, Key="k")
