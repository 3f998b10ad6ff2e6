"""Reads as of a moment, and bringing back what was deleted."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.live.system import LiveSystem
from tests.s3.refusals import refused
from tests.s3.sharing import allow
from tests.s3.wire import Answer, Wire

NAME = "x-objstore-as-of"


def moment() -> str:
    """A time between what was done before and what comes after."""
    time.sleep(0.02)
    now = datetime.now(UTC).isoformat()
    time.sleep(0.02)
    return now


@pytest.fixture(scope="session")
def past(live: LiveSystem) -> Any:
    """Make a client that sees the store as of a moment."""

    def make(at: str) -> Any:
        client = live.client()
        client.meta.events.register("before-sign.s3", lambda request, **_: request.headers.add_header(NAME, at))
        return client

    return make


def read(client: Any, bucket: str, key: str = "k", **more: Any) -> bytes:
    return bytes(client.get_object(Bucket=bucket, Key=key, **more)["Body"].read())


def keys(client: Any, bucket: str, **more: Any) -> list[str]:
    listed = client.list_objects_v2(Bucket=bucket, **more)
    return [item["Key"] for item in listed.get("Contents", [])] + [
        item["Prefix"] for item in listed.get("CommonPrefixes", [])
    ]


def undelete(wire: Wire, bucket: str, *query: tuple[str, str]) -> Answer:
    return wire.send("POST", f"/{bucket}", query=[("x-objstore-undelete", ""), *query])


def undeleted(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [element.text or "" for element in answer.document.iterfind("{*}Undeleted/{*}Key")]


@pytest.mark.parametrize("is_versioned", [False, True], ids=["unversioned", "versioned"])
def test_objects_are_read_as_they_were(owner: Any, past: Any, bucket: str, is_versioned: bool) -> None:  # noqa: FBT001
    if is_versioned:
        owner.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    before = moment()
    owner.put_object(Bucket=bucket, Key="k", Body=b"first", Metadata={"n": "1"})
    one = moment()
    owner.put_object(Bucket=bucket, Key="k", Body=b"the second")
    two = moment()
    owner.delete_object(Bucket=bucket, Key="k")
    three = moment()
    owner.put_object(Bucket=bucket, Key="k", Body=b"third")
    assert read(past(one), bucket) == b"first"
    assert past(one).head_object(Bucket=bucket, Key="k")["Metadata"] == {"n": "1"}
    assert read(past(two), bucket) == b"the second"
    assert read(past(two), bucket, Range="bytes=4-") == b"second"
    assert past(two).get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectSize"])["ObjectSize"] == 10
    for at in (before, three):
        with refused("NoSuchKey", 404):
            read(past(at), bucket)
    assert [keys(past(at), bucket) for at in (before, one, two, three, moment())] == [[], ["k"], ["k"], [], ["k"]]
    sizes = [past(at).list_objects(Bucket=bucket)["Contents"][0]["Size"] for at in (one, two, moment())]
    assert sizes == [5, 10, 5]


def test_an_object_that_grew_is_as_short_as_it_was(owner: Any, past: Any, bucket: str) -> None:
    whole, times = b"", []
    for piece in (b"abc", b"defg", b"h"):
        owner.put_object(Bucket=bucket, Key="k", Body=piece, WriteOffsetBytes=len(whole))
        whole += piece
        times.append((moment(), whole, owner.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")))
    for at, content, head in times:
        then = past(at).head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert read(past(at), bucket) == content
        for name in ("ETag", "ContentLength", "ChecksumCRC32", "LastModified"):
            assert then[name] == head[name]
        assert past(at).list_objects_v2(Bucket=bucket)["Contents"][0]["Size"] == len(content)


def test_listings_group_page_and_show_versions_as_of_then(owner: Any, past: Any, versioned: str) -> None:
    ids = {}
    for key in ("a/1", "a/2", "b", "c/1"):
        ids[key] = owner.put_object(Bucket=versioned, Key=key, Body=b"x")["VersionId"]
    then = moment()
    owner.delete_object(Bucket=versioned, Key="b", VersionId=ids["b"])
    owner.delete_object(Bucket=versioned, Key="a/1")
    owner.put_object(Bucket=versioned, Key="a/2", Body=b"y")
    owner.put_object(Bucket=versioned, Key="d/1", Body=b"y")
    client = past(then)
    assert keys(client, versioned, Delimiter="/") == ["b", "a/", "c/"]
    assert keys(client, versioned, Prefix="a/") == ["a/1", "a/2"]
    first = client.list_objects_v2(Bucket=versioned, MaxKeys=2)
    assert first["IsTruncated"]
    assert keys(client, versioned, ContinuationToken=first["NextContinuationToken"]) == ["b", "c/1"]
    listed = client.list_object_versions(Bucket=versioned)
    assert [(item["Key"], item["VersionId"], item["IsLatest"]) for item in listed["Versions"]] == [
        (key, version, True) for key, version in ids.items()
    ]
    assert "DeleteMarkers" not in listed
    assert read(client, versioned, "b", VersionId=ids["b"]) == b"x"
    with refused("NoSuchVersion", 404):
        read(client, versioned, "a/2", VersionId=owner.head_object(Bucket=versioned, Key="a/2")["VersionId"])


def test_moments_that_make_no_sense_are_refused(owner: Any, past: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    now = datetime.now(UTC)
    for wrong in ("yesterday", (now + timedelta(hours=1)).isoformat(), (now - timedelta(days=400)).isoformat()):
        with refused("InvalidArgument", 400):
            past(wrong).list_objects_v2(Bucket=bucket)
    with refused("InvalidRequest", 400):
        past(moment()).put_object(Bucket=bucket, Key="k", Body=b"y")
    with refused("InvalidRequest", 400):
        past(moment()).list_buckets()


def test_a_moment_is_signed_and_asks_for_the_permission_for_versions(
    owner: Any, wire: Wire, unsigned_wire: Wire, bucket: str
) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"first")
    then = moment()
    owner.put_object(Bucket=bucket, Key="k", Body=b"second")
    assert wire.send("GET", f"/{bucket}/k", query=[(NAME, then)]).body == b"first"
    signed = wire.signed_headers("GET", f"/{bucket}/k")
    assert wire.send_as_is("GET", f"/{bucket}/k", headers={**signed, NAME: then}).refusal == (403, "AccessDenied")
    assert unsigned_wire.send("GET", f"/{bucket}/k", query=[(NAME, then)]).refusal == (403, "AccessDenied")
    allow(owner, bucket, "s3:GetObject", "s3:ListBucket")
    assert unsigned_wire.send("GET", f"/{bucket}/k").body == b"second"
    for path in (f"/{bucket}/k", f"/{bucket}"):
        assert unsigned_wire.send("GET", path, query=[(NAME, then)]).refusal == (403, "AccessDenied")
    allow(owner, bucket, "s3:GetObjectVersion")
    assert unsigned_wire.send("GET", f"/{bucket}/k", query=[(NAME, then)]).refusal == (403, "AccessDenied")
    allow(owner, bucket, "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions")
    assert unsigned_wire.send("GET", f"/{bucket}/k", query=[(NAME, then)]).body == b"first"
    assert unsigned_wire.send("GET", f"/{bucket}", query=[(NAME, then)]).status == 200


@pytest.mark.parametrize("is_versioned", [False, True], ids=["unversioned", "versioned"])
def test_a_deleted_prefix_comes_back(owner: Any, wire: Wire, bucket: str, is_versioned: bool) -> None:  # noqa: FBT001
    if is_versioned:
        owner.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for number in range(5):
        owner.put_object(Bucket=bucket, Key=f"p/{number}", Body=str(number).encode(), Metadata={"n": str(number)})
    owner.put_object(Bucket=bucket, Key="q", Body=b"q")
    for key in ("p/0", "p/1", "p/2", "q"):
        owner.delete_object(Bucket=bucket, Key=key)
    answer = undelete(wire, bucket, ("prefix", "p/"), ("max-keys", "2"))
    assert undeleted(answer) == ["p/0", "p/1"]
    marker = answer.document.findtext("{*}NextMarker") or ""
    assert undeleted(undelete(wire, bucket, ("prefix", "p/"), ("marker", marker))) == ["p/2"]
    assert undeleted(undelete(wire, bucket, ("prefix", "p/"))) == []
    assert keys(owner, bucket) == [f"p/{number}" for number in range(5)]
    assert owner.head_object(Bucket=bucket, Key="p/1")["Metadata"] == {"n": "1"}
    assert undeleted(undelete(wire, bucket, ("key", "q"))) == ["q"]
    assert undeleted(undelete(wire, bucket, ("key", "q"))) == []
    assert undelete(wire, bucket, ("key", "none")).refusal == (404, "NoSuchKey")


def test_a_prefix_goes_back_to_what_it_was(owner: Any, wire: Wire, live: LiveSystem, bucket: str) -> None:
    for key in ("a", "b", "c"):
        owner.put_object(Bucket=bucket, Key=key, Body=b"before")
    then = moment()
    owner.put_object(Bucket=bucket, Key="a", Body=b"after")
    owner.delete_object(Bucket=bucket, Key="b")
    owner.put_object(Bucket=bucket, Key="d", Body=b"new")
    assert undeleted(undelete(wire, bucket, ("prefix", ""), (NAME, then))) == ["a", "b"]
    assert undeleted(undelete(wire, bucket, ("prefix", ""), (NAME, then))) == []
    assert [read(owner, bucket, key) for key in "abcd"] == [b"before"] * 3 + [b"new"]
    owner.delete_object(Bucket=bucket, Key="c")
    assert "1 objects are back" in live.manage("undelete", bucket, "--prefix", "c").stdout
    assert read(owner, bucket, "c") == b"before"


def test_undelete_asks_for_permission_and_sense(owner: Any, wire: Wire, unsigned_wire: Wire, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="a/1", Body=b"x")
    owner.put_object(Bucket=bucket, Key="b", Body=b"x")
    owner.delete_object(Bucket=bucket, Key="a/1")
    owner.delete_object(Bucket=bucket, Key="b")
    assert undelete(unsigned_wire, bucket, ("prefix", "")).refusal == (403, "AccessDenied")
    allow(owner, bucket, "s3:ListBucketVersions")
    answer = undelete(unsigned_wire, bucket, ("prefix", ""))
    codes = [element.text for element in answer.document.iterfind("{*}Error/{*}Code")]
    assert (undeleted(answer), codes) == ([], ["AccessDenied", "AccessDenied"])
    assert undelete(wire, bucket).refusal == (400, "InvalidRequest")
    other = wire.send(
        "POST",
        f"/{bucket}",
        query=[("x-objstore-undelete", ""), ("prefix", "")],
        headers={"x-amz-expected-bucket-owner": "0" * 12},
    )
    assert other.refusal == (403, "AccessDenied")
    assert undelete(wire, "none-such-bucket", ("prefix", "")).refusal == (404, "NoSuchBucket")
    assert wire.send("GET", f"/{bucket}", query=[("x-objstore-undelete", "")]).refusal == (405, "MethodNotAllowed")
    assert keys(owner, bucket) == []
