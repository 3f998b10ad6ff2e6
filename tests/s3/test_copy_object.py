"""CopyObject: what a copy has of its source, what it has of the request, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.s3.refusals import refused
from tests.s3.wire import Wire


@pytest.fixture
def source(owner: Any, bucket: str) -> dict[str, str]:
    """An object with all that a copy may take over."""
    owner.put_object(
        Bucket=bucket,
        Key="source",
        Body=b"bytes",
        ContentType="text/plain",
        CacheControl="no-store",
        Metadata={"colour": "red"},
        Tagging="a=1",
    )
    return {"Bucket": bucket, "Key": "source"}


def test_a_copy_has_body_headers_metadata_and_tags_of_its_source(
    owner: Any, bucket: str, source: dict[str, str]
) -> None:
    result = owner.copy_object(Bucket=bucket, Key="copy", CopySource=source)["CopyObjectResult"]
    got = owner.get_object(Bucket=bucket, Key="copy")
    assert got["Body"].read() == b"bytes"
    assert (got["ContentType"], got["CacheControl"], got["Metadata"]) == ("text/plain", "no-store", {"colour": "red"})
    assert owner.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "a", "Value": "1"}]
    assert result["ETag"] == got["ETag"] == owner.head_object(**source)["ETag"]


def test_a_copy_outlives_its_source(owner: Any, bucket: str, source: dict[str, str]) -> None:
    owner.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    owner.put_object(**source, Body=b"other")
    owner.delete_object(**source)
    assert owner.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"bytes"


def test_a_copy_goes_to_another_bucket(owner: Any, new_bucket: Any, source: dict[str, str]) -> None:
    other = new_bucket()
    owner.copy_object(Bucket=other, Key="copy", CopySource=source)
    assert owner.get_object(Bucket=other, Key="copy")["Body"].read() == b"bytes"


def test_replacing_metadata_takes_the_request_s_headers_alone(owner: Any, bucket: str, source: dict[str, str]) -> None:
    owner.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"size": "large"},
        ContentType="text/html",
    )
    got = owner.head_object(Bucket=bucket, Key="copy")
    assert (got["Metadata"], got["ContentType"]) == ({"size": "large"}, "text/html")
    assert "CacheControl" not in got


def test_without_the_directive_the_request_s_metadata_is_ignored(
    owner: Any, bucket: str, source: dict[str, str]
) -> None:
    owner.copy_object(Bucket=bucket, Key="copy", CopySource=source, Metadata={"size": "large"})
    assert owner.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"colour": "red"}


def test_replacing_tags_takes_the_request_s(owner: Any, bucket: str, source: dict[str, str]) -> None:
    owner.copy_object(Bucket=bucket, Key="copy", CopySource=source, TaggingDirective="REPLACE", Tagging="b=2&c=3")
    tags = owner.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"]
    assert tags == [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]


def test_a_copy_onto_itself_that_changes_nothing_is_refused(owner: Any, bucket: str, source: dict[str, str]) -> None:
    with refused("InvalidRequest", 400):
        owner.copy_object(**source, CopySource=source)


def test_a_copy_onto_itself_may_replace_metadata(owner: Any, bucket: str, source: dict[str, str]) -> None:
    owner.copy_object(**source, CopySource=source, MetadataDirective="REPLACE", Metadata={"new": "1"})
    got = owner.get_object(**source)
    assert (got["Body"].read(), got["Metadata"]) == (b"bytes", {"new": "1"})


def test_an_old_version_is_copied_by_its_id(owner: Any, versioned: str) -> None:
    old = owner.put_object(Bucket=versioned, Key="k", Body=b"old")["VersionId"]
    owner.put_object(Bucket=versioned, Key="k", Body=b"new")
    source = {"Bucket": versioned, "Key": "k", "VersionId": old}
    answer = owner.copy_object(Bucket=versioned, Key="k", CopySource=source)
    assert answer["CopySourceVersionId"] == old
    assert answer["VersionId"] != old
    assert owner.get_object(Bucket=versioned, Key="k")["Body"].read() == b"old"


def test_a_source_key_may_hold_anything(owner: Any, wire: Wire, bucket: str) -> None:
    for key in ("a b+c", "ä/ö?x=1&y", "100%", "a?versionId=b"):
        owner.put_object(Bucket=bucket, Key=key, Body=key.encode())
        owner.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
        assert owner.get_object(Bucket=bucket, Key="copy")["Body"].read() == key.encode()


def test_a_plus_sign_in_the_source_is_a_space(wire: Wire, owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="a b", Body=b"x")
    assert wire.send("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": f"{bucket}/a+b"}).status == 200
    answer = wire.send("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": f"{bucket}/a%2Bb"})
    assert answer.refusal == (404, "NoSuchKey")


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_source_may_begin_with_a_slash(wire: Wire, bucket: str, source: dict[str, str], slash: str) -> None:
    answer = wire.send("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": f"{slash}{bucket}/source"})
    assert answer.status == 200


@pytest.mark.parametrize("header", ["", "nothing", "/", "bucket/", "%ff/k", "bucket/%00", "bucket/k?versionId="])
def test_a_source_that_names_no_object_is_refused(wire: Wire, bucket: str, header: str) -> None:
    answer = wire.send("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": header})
    assert answer.refusal == (400, "InvalidArgument")


def test_a_missing_source_is_refused_and_makes_nothing(owner: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        owner.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "missing"})
    with refused("NoSuchBucket", 404):
        owner.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": "test-no-such-bucket", "Key": "k"})
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_missing_source_version_is_refused(owner: Any, bucket: str, source: dict[str, str]) -> None:
    with refused("NoSuchVersion", 404):
        owner.copy_object(Bucket=bucket, Key="copy", CopySource={**source, "VersionId": "x" * 32})


def test_a_delete_marker_cannot_be_copied(owner: Any, versioned: str) -> None:
    marker = owner.delete_object(Bucket=versioned, Key="k")["VersionId"]
    with refused("NoSuchKey", 404):
        owner.copy_object(Bucket=versioned, Key="copy", CopySource={"Bucket": versioned, "Key": "k"})
    with refused("InvalidRequest", 400):
        owner.copy_object(
            Bucket=versioned, Key="copy", CopySource={"Bucket": versioned, "Key": "k", "VersionId": marker}
        )


def test_a_stranger_s_object_is_not_copied(stranger: Any, owner: Any, bucket: str, source: dict[str, str]) -> None:
    mine = f"{bucket}-strange"
    stranger.create_bucket(Bucket=mine)
    with refused("AccessDenied", 403):
        stranger.copy_object(Bucket=mine, Key="copy", CopySource=source)
    stranger.put_object(Bucket=mine, Key="k", Body=b"x")
    with refused("AccessDenied", 403):
        stranger.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": mine, "Key": "k"})
    assert [item["Key"] for item in owner.list_objects_v2(Bucket=bucket)["Contents"]] == ["source"]


def test_the_source_s_conditions_decide(owner: Any, bucket: str, source: dict[str, str]) -> None:
    etag = owner.head_object(**source)["ETag"]
    past, future = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    forbidding: list[dict[str, Any]] = [
        {"CopySourceIfMatch": '"other"'},
        {"CopySourceIfNoneMatch": etag},
        {"CopySourceIfModifiedSince": future},
        {"CopySourceIfUnmodifiedSince": past},
    ]
    for conditions in forbidding:
        with refused("PreconditionFailed", 412):
            owner.copy_object(Bucket=bucket, Key="copy", CopySource=source, **conditions)
    allowing: list[dict[str, Any]] = [
        {"CopySourceIfMatch": etag, "CopySourceIfUnmodifiedSince": past},
        {"CopySourceIfNoneMatch": '"other"', "CopySourceIfModifiedSince": past},
    ]
    for conditions in allowing:
        owner.copy_object(Bucket=bucket, Key="copy", CopySource=source, **conditions)


def test_an_unknown_directive_is_refused(wire: Wire, bucket: str, source: dict[str, str]) -> None:
    headers = {"x-amz-copy-source": f"{bucket}/source", "x-amz-metadata-directive": "GUESS"}
    assert wire.send("PUT", f"/{bucket}/copy", headers=headers).refusal == (400, "InvalidArgument")


def test_a_copy_can_be_given_another_checksum(owner: Any, bucket: str, source: dict[str, str]) -> None:
    result = owner.copy_object(Bucket=bucket, Key="copy", CopySource=source, ChecksumAlgorithm="SHA256")
    head = owner.head_object(Bucket=bucket, Key="copy", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == result["CopyObjectResult"]["ChecksumSHA256"]
