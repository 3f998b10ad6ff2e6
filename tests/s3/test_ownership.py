"""Object ownership: whose an object is that another account writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.s3.refusals import refused
from tests.s3.sharing import allow, canonical_id

WRITER, PREFERRED, ENFORCED = "ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"


def own(owner: Any, bucket: str, ownership: str) -> None:
    owner.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]})


@pytest.fixture
def shared(owner: Any, bucket: str) -> str:
    """A bucket into which everyone may write."""
    allow(owner, bucket, "s3:PutObject", "s3:ListBucket", "s3:GetObjectAcl")
    return bucket


def test_ownership_comes_back(owner: Any, bucket: str) -> None:
    with refused("OwnershipControlsNotFoundError", 404):
        owner.get_bucket_ownership_controls(Bucket=bucket)
    for ownership in (WRITER, PREFERRED, ENFORCED):
        own(owner, bucket, ownership)
        found = owner.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
        assert found == {"Rules": [{"ObjectOwnership": ownership}]}
    for _ in range(2):
        owner.delete_bucket_ownership_controls(Bucket=bucket)
    with refused("OwnershipControlsNotFoundError", 404):
        owner.get_bucket_ownership_controls(Bucket=bucket)


def test_a_bucket_is_created_with_ownership(owner: Any, bucket: str) -> None:
    owner.create_bucket(Bucket=f"{bucket}-x", ObjectOwnership=ENFORCED)
    rules = owner.get_bucket_ownership_controls(Bucket=f"{bucket}-x")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": ENFORCED}]
    with refused("InvalidBucketAclWithObjectOwnership", 400):
        owner.create_bucket(Bucket=f"{bucket}-y", ObjectOwnership=ENFORCED, ACL="public-read")


def test_strangers_and_nobody_may_not_touch_the_ownership(stranger: Any, anonymous: Any, bucket: str) -> None:
    for client in (stranger, anonymous):
        for call in (client.get_bucket_ownership_controls, client.delete_bucket_ownership_controls):
            with refused("AccessDenied", 403):
                call(Bucket=bucket)
        with refused("AccessDenied", 403):
            own(client, bucket, ENFORCED)


def whole(client: Any, bucket: str, **more: Any) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"x", **more)


def copied(client: Any, bucket: str, **more: Any) -> None:
    client.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "source"}, **more)


def in_parts(client: Any, bucket: str, **more: Any) -> None:
    upload = client.create_multipart_upload(Bucket=bucket, Key="k", **more)["UploadId"]
    part = client.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    client.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload=parts)


@pytest.mark.parametrize("write", [whole, copied, in_parts])
@pytest.mark.parametrize(
    ("ownership", "arguments", "belongs_to_writer"),
    [
        (None, {}, True),
        (WRITER, {}, True),
        (WRITER, {"ACL": "bucket-owner-full-control"}, True),
        (PREFERRED, {}, True),
        (PREFERRED, {"ACL": "private"}, True),
        (PREFERRED, {"ACL": "bucket-owner-full-control"}, False),
        (ENFORCED, {}, False),
        (ENFORCED, {"ACL": "bucket-owner-full-control"}, False),
    ],
)
def test_an_object_belongs_to_whom_the_ownership_says(
    owner: Any,
    stranger: Any,
    shared: str,
    write: Callable[..., Any],
    ownership: str | None,
    arguments: dict[str, Any],
    *,
    belongs_to_writer: bool,
) -> None:
    owner.put_object(Bucket=shared, Key="source", Body=b"x", ACL="public-read")
    if ownership == ENFORCED:
        allow(owner, shared, "s3:PutObject", "s3:GetObject")
    if ownership is not None:
        own(owner, shared, ownership)
    write(stranger, shared, **arguments)
    holder, other = (stranger, owner) if belongs_to_writer else (owner, stranger)
    listed = owner.list_objects_v2(Bucket=shared, Prefix="k", FetchOwner=True)["Contents"][0]
    assert listed["Owner"]["ID"] == canonical_id(holder)
    assert holder.get_object_acl(Bucket=shared, Key="k")["Owner"]["ID"] == canonical_id(holder)
    if arguments.get("ACL") == "bucket-owner-full-control":
        assert owner.get_object(Bucket=shared, Key="k")["Body"].read() == b"x"
    elif ownership != ENFORCED:
        with refused("AccessDenied", 403):
            other.get_object(Bucket=shared, Key="k")


def test_the_bucket_s_owner_deletes_what_it_may_not_read(owner: Any, stranger: Any, shared: str) -> None:
    stranger.put_object(Bucket=shared, Key="k", Body=b"x")
    with refused("AccessDenied", 403):
        owner.get_object(Bucket=shared, Key="k")
    with refused("AccessDenied", 403):
        owner.put_object_acl(Bucket=shared, Key="k", ACL="public-read")
    owner.delete_object(Bucket=shared, Key="k")
    assert "Contents" not in owner.list_objects_v2(Bucket=shared)


def test_the_writer_shares_what_it_owns(stranger: Any, anonymous: Any, shared: str) -> None:
    stranger.put_object(Bucket=shared, Key="k", Body=b"x", ACL="public-read")
    assert anonymous.get_object(Bucket=shared, Key="k")["Body"].read() == b"x"
    stranger.put_object_acl(Bucket=shared, Key="k", ACL="private")
    with refused("AccessDenied", 403):
        anonymous.get_object(Bucket=shared, Key="k")


def test_enforcing_ownership_gives_the_owner_everything(owner: Any, stranger: Any, shared: str) -> None:
    stranger.put_object(Bucket=shared, Key="k", Body=b"x")
    own(owner, shared, ENFORCED)
    assert owner.get_object(Bucket=shared, Key="k")["Body"].read() == b"x"
    assert owner.get_object_acl(Bucket=shared, Key="k")["Owner"]["ID"] == canonical_id(owner)
    assert owner.list_objects(Bucket=shared)["Contents"][0]["Owner"]["ID"] == canonical_id(owner)
    with refused("AccessDenied", 403):
        stranger.get_object(Bucket=shared, Key="k")


def test_lists_are_off_where_ownership_is_enforced(owner: Any, bucket: str) -> None:
    own(owner, bucket, ENFORCED)
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    for name in ("private", "public-read"):
        with refused("AccessControlListNotSupported", 400):
            owner.put_object(Bucket=bucket, Key="k", Body=b"x", ACL=name)
        with refused("AccessControlListNotSupported", 400):
            owner.put_object_acl(Bucket=bucket, Key="k", ACL=name)
        with refused("AccessControlListNotSupported", 400):
            owner.put_bucket_acl(Bucket=bucket, ACL=name)
    owner.put_object_acl(Bucket=bucket, Key="k", ACL="bucket-owner-full-control")


def test_ownership_is_not_enforced_over_a_shared_bucket(owner: Any, bucket: str) -> None:
    owner.put_bucket_acl(Bucket=bucket, ACL="public-read")
    with refused("InvalidBucketAclWithObjectOwnership", 400):
        own(owner, bucket, ENFORCED)
    owner.put_bucket_acl(Bucket=bucket, ACL="private")
    own(owner, bucket, ENFORCED)
