"""DeleteObject and DeleteObjects, where versioning never was; `test_versioning` has the rest."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.s3.refusals import refused
from tests.s3.wire import Wire


def delete_many(wire: Wire, bucket: str, document: bytes, **headers: str) -> Any:
    digest = base64.b64encode(hashlib.md5(document).digest()).decode()
    return wire.send(
        "POST", f"/{bucket}", query=[("delete", "")], headers={"content-md5": digest, **headers}, body=document
    )


def test_a_deleted_object_is_gone(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    answer = owner.delete_object(Bucket=bucket, Key="k")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "DeleteMarker" not in answer
    assert "VersionId" not in answer
    with refused("NoSuchKey", 404):
        owner.get_object(Bucket=bucket, Key="k")
    assert "Versions" not in owner.list_object_versions(Bucket=bucket)


def test_deleting_what_is_not_there_succeeds(owner: Any, bucket: str) -> None:
    assert owner.delete_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_deleting_in_a_missing_bucket_is_refused(owner: Any) -> None:
    with refused("NoSuchBucket", 404):
        owner.delete_object(Bucket="test-no-such-bucket", Key="k")


def test_strangers_and_nobody_may_not_delete(owner: Any, stranger: Any, anonymous: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    for client in (stranger, anonymous):
        with refused("AccessDenied", 403):
            client.delete_object(Bucket=bucket, Key="k")
        answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})
        assert [error["Code"] for error in answer["Errors"]] == ["AccessDenied"]
        assert "Deleted" not in answer
    assert owner.head_object(Bucket=bucket, Key="k")["ContentLength"] == 1


def test_the_null_version_of_an_unversioned_bucket_can_be_named(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    owner.delete_object(Bucket=bucket, Key="k", VersionId="null")
    with refused("NoSuchKey", 404):
        owner.get_object(Bucket=bucket, Key="k")


@pytest.mark.parametrize("version_id", ["x", "no such version", "ä", "0" * 100])
def test_a_version_id_of_no_possible_form_is_refused(wire: Wire, bucket: str, version_id: str) -> None:
    answer = wire.send("DELETE", f"/{bucket}/k", query=[("versionId", version_id)])
    assert answer.refusal == (400, "InvalidArgument")


def test_a_delete_may_depend_on_the_etag(owner: Any, bucket: str) -> None:
    etag = owner.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    with refused("PreconditionFailed", 412):
        owner.delete_object(Bucket=bucket, Key="k", IfMatch='"other"')
    owner.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_delete_may_depend_on_size_and_time(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    modified_at = owner.head_object(Bucket=bucket, Key="k")["LastModified"]
    with refused("PreconditionFailed", 412):
        owner.delete_object(Bucket=bucket, Key="k", IfMatchSize=2)
    with refused("PreconditionFailed", 412):
        owner.delete_object(Bucket=bucket, Key="k", IfMatchLastModifiedTime=datetime.now(UTC) - timedelta(days=1))
    owner.delete_object(Bucket=bucket, Key="k", IfMatchSize=1, IfMatchLastModifiedTime=modified_at)
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


# DeleteObjects


def test_many_are_deleted_at_once_and_each_is_reported(owner: Any, bucket: str) -> None:
    keys = ["a", "b/c", " lead", "ä€😀", "a&b<c>", "line\nbreak"]
    for key in keys:
        owner.put_object(Bucket=bucket, Key=key)
    owner.put_object(Bucket=bucket, Key="kept")
    answer = owner.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in [*keys, "missing"]]})
    assert sorted(item["Key"] for item in answer["Deleted"]) == sorted([*keys, "missing"])
    assert "Errors" not in answer
    assert [item["Key"] for item in owner.list_objects_v2(Bucket=bucket)["Contents"]] == ["kept"]


def test_quiet_mode_reports_errors_alone(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k")
    answer = owner.delete_objects(
        Bucket=bucket, Delete={"Quiet": True, "Objects": [{"Key": "k"}, {"Key": "l", "VersionId": "nonsense"}]}
    )
    assert "Deleted" not in answer
    (error,) = answer["Errors"]
    assert (error["Key"], error["VersionId"], error["Code"]) == ("l", "nonsense", "InvalidArgument")


def test_one_that_fails_does_not_keep_the_others(owner: Any, bucket: str) -> None:
    etag = owner.put_object(Bucket=bucket, Key="a", Body=b"x")["ETag"]
    owner.put_object(Bucket=bucket, Key="b", Body=b"y")
    answer = owner.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": "a", "ETag": etag}, {"Key": "b", "ETag": etag}]}
    )
    assert [item["Key"] for item in answer["Deleted"]] == ["a"]
    assert [(item["Key"], item["Code"]) for item in answer["Errors"]] == [("b", "PreconditionFailed")]
    assert [item["Key"] for item in owner.list_objects_v2(Bucket=bucket)["Contents"]] == ["b"]


def test_a_thousand_are_taken_and_one_more_is_not(owner: Any, wire: Wire, bucket: str) -> None:
    names = b"".join(b"<Object><Key>%d</Key></Object>" % number for number in range(1000))
    assert delete_many(wire, bucket, b"<Delete>" + names + b"</Delete>").status == 200
    more = b"<Delete>" + names + b"<Object><Key>more</Key></Object></Delete>"
    assert delete_many(wire, bucket, more).refusal == (400, "MalformedXML")


@pytest.mark.parametrize(
    "document", [b"<Delete/>", b"<Delete><Object/></Delete>", b"<Other/>", b"<Delete><Object><Key>k</Key>", b"{}"]
)
def test_a_document_that_is_no_list_of_keys_is_malformed(wire: Wire, bucket: str, document: bytes) -> None:
    assert delete_many(wire, bucket, document).refusal == (400, "MalformedXML")


def test_an_empty_body_is_missing(wire: Wire, bucket: str) -> None:
    assert delete_many(wire, bucket, b"").refusal == (400, "MissingRequestBodyError")


def test_a_digest_of_another_document_is_refused(owner: Any, wire: Wire, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k")
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    document = b"<Delete><Object><Key>k</Key></Object></Delete>"
    assert delete_many(wire, bucket, document, **{"content-md5": wrong}).refusal == (400, "BadDigest")
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
