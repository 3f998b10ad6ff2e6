"""Versioning: enabled, suspended, null versions, delete markers, and the listing of versions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.s3.refusals import refused
from tests.s3.wire import Wire


def put(client: Any, bucket: str, body: bytes, key: str = "k") -> str:
    """Put and return the version id, "null" where none is answered."""
    answer = client.put_object(Bucket=bucket, Key=key, Body=body)
    return str(answer.get("VersionId", "null"))


def suspend(client: Any, bucket: str) -> None:
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def read(client: Any, bucket: str, version_id: str | None = None, key: str = "k") -> bytes:
    named = {} if version_id is None else {"VersionId": version_id}
    body: bytes = client.get_object(Bucket=bucket, Key=key, **named)["Body"].read()
    return body


def versions(client: Any, bucket: str, **arguments: Any) -> list[tuple[str, str, bool]]:
    """List versions and markers as (key, version id, is it the latest), in the order of the document."""
    page = client.list_object_versions(Bucket=bucket, **arguments)
    found = [(item["Key"], item["VersionId"], item["IsLatest"]) for item in page.get("Versions", [])]
    markers = [(item["Key"], item["VersionId"], item["IsLatest"]) for item in page.get("DeleteMarkers", [])]
    return found + markers


def test_every_write_is_a_version_and_all_can_be_read(owner: Any, versioned: str) -> None:
    ids = [put(owner, versioned, body) for body in (b"one", b"two", b"three")]
    assert len(set(ids)) == 3
    assert [read(owner, versioned, version_id) for version_id in ids] == [b"one", b"two", b"three"]
    assert read(owner, versioned) == b"three"
    assert owner.head_object(Bucket=versioned, Key="k", VersionId=ids[0])["VersionId"] == ids[0]


def test_versions_are_listed_newest_first(owner: Any, versioned: str) -> None:
    ids = [put(owner, versioned, body) for body in (b"one", b"two", b"three")]
    assert versions(owner, versioned) == [("k", ids[2], True), ("k", ids[1], False), ("k", ids[0], False)]


def test_a_delete_hides_the_object_behind_a_marker(owner: Any, versioned: str, wire: Wire) -> None:
    version_id = put(owner, versioned, b"x")
    deleted = owner.delete_object(Bucket=versioned, Key="k")
    assert deleted["DeleteMarker"] is True
    answer = wire.send("GET", f"/{versioned}/k")
    assert answer.refusal == (404, "NoSuchKey")
    assert answer.headers["x-amz-delete-marker"] == "true"
    assert answer.headers["x-amz-version-id"] == deleted["VersionId"]
    assert wire.send("HEAD", f"/{versioned}/k").headers["x-amz-delete-marker"] == "true"
    assert read(owner, versioned, version_id) == b"x"
    assert owner.list_objects_v2(Bucket=versioned)["KeyCount"] == 0


def test_a_marker_that_is_named_cannot_be_read(owner: Any, versioned: str, wire: Wire) -> None:
    marker = owner.delete_object(Bucket=versioned, Key="k")["VersionId"]
    answer = wire.send("GET", f"/{versioned}/k", query=[("versionId", marker)])
    assert answer.refusal == (405, "MethodNotAllowed")
    assert answer.headers["x-amz-delete-marker"] == "true"
    assert wire.send("HEAD", f"/{versioned}/k", query=[("versionId", marker)]).status == 405


def test_deleting_the_marker_brings_the_object_back(owner: Any, versioned: str) -> None:
    put(owner, versioned, b"x")
    marker = owner.delete_object(Bucket=versioned, Key="k")["VersionId"]
    undone = owner.delete_object(Bucket=versioned, Key="k", VersionId=marker)
    assert (undone["DeleteMarker"], undone["VersionId"]) == (True, marker)
    assert read(owner, versioned) == b"x"
    assert owner.list_objects_v2(Bucket=versioned)["KeyCount"] == 1


def test_deleting_what_never_was_makes_a_marker(owner: Any, versioned: str) -> None:
    marker = owner.delete_object(Bucket=versioned, Key="k")["VersionId"]
    assert versions(owner, versioned) == [("k", marker, True)]


def test_deletes_pile_up_markers(owner: Any, versioned: str) -> None:
    ids = [owner.delete_object(Bucket=versioned, Key="k")["VersionId"] for _ in range(2)]
    assert versions(owner, versioned) == [("k", ids[1], True), ("k", ids[0], False)]


def test_deleting_the_current_version_makes_the_one_before_current(owner: Any, versioned: str) -> None:
    first, second = put(owner, versioned, b"one"), put(owner, versioned, b"two")
    answer = owner.delete_object(Bucket=versioned, Key="k", VersionId=second)
    assert answer["VersionId"] == second
    assert "DeleteMarker" not in answer
    assert read(owner, versioned) == b"one"
    assert versions(owner, versioned) == [("k", first, True)]
    with refused("NoSuchVersion", 404):
        read(owner, versioned, second)


def test_deleting_an_old_version_leaves_the_current_one(owner: Any, versioned: str) -> None:
    first, second = put(owner, versioned, b"one"), put(owner, versioned, b"two")
    owner.delete_object(Bucket=versioned, Key="k", VersionId=first)
    assert versions(owner, versioned) == [("k", second, True)]
    assert read(owner, versioned) == b"two"


def test_deleting_the_only_version_leaves_nothing(owner: Any, versioned: str) -> None:
    owner.delete_object(Bucket=versioned, Key="k", VersionId=put(owner, versioned, b"x"))
    assert versions(owner, versioned) == []
    owner.delete_bucket(Bucket=versioned)


def test_deleting_a_version_that_is_not_there_succeeds(owner: Any, versioned: str) -> None:
    missing = "A" * 32
    assert owner.delete_object(Bucket=versioned, Key="k", VersionId=missing)["VersionId"] == missing
    assert versions(owner, versioned) == []


def test_a_missing_version_is_named(owner: Any, versioned: str) -> None:
    put(owner, versioned, b"x")
    with refused("NoSuchVersion", 404) as response:
        read(owner, versioned, "A" * 32)
    assert (response["Error"]["Key"], response["Error"]["VersionId"]) == ("k", "A" * 32)


@pytest.mark.parametrize("version_id", ["", "x", "not a version"])
def test_what_is_no_version_id_is_refused(wire: Wire, owner: Any, versioned: str, version_id: str) -> None:
    put(owner, versioned, b"x")
    answer = wire.send("GET", f"/{versioned}/k", query=[("versionId", version_id)])
    assert answer.refusal == (400, "InvalidArgument")


def test_a_version_of_another_key_is_not_found(owner: Any, versioned: str) -> None:
    version_id = put(owner, versioned, b"x", key="one")
    put(owner, versioned, b"y", key="two")
    with refused("NoSuchVersion", 404):
        read(owner, versioned, version_id, key="two")


def test_a_version_id_is_refused_where_nothing_takes_one(wire: Wire, owner: Any, versioned: str) -> None:
    answer = wire.send("PUT", f"/{versioned}/k", query=[("versionId", "A" * 32)], body=b"x")
    assert answer.refusal == (400, "InvalidArgument")
    assert versions(owner, versioned) == []


# The null version


def test_an_object_from_before_versioning_is_the_null_version(owner: Any, bucket: str) -> None:
    put(owner, bucket, b"before")
    owner.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    after = put(owner, bucket, b"after")
    assert read(owner, bucket, "null") == b"before"
    assert versions(owner, bucket) == [("k", after, True), ("k", "null", False)]


def test_an_unversioned_bucket_lists_null_versions(owner: Any, bucket: str) -> None:
    put(owner, bucket, b"x")
    assert versions(owner, bucket) == [("k", "null", True)]
    assert read(owner, bucket, "null") == b"x"


def test_while_suspended_writes_replace_the_null_version_alone(owner: Any, versioned: str) -> None:
    kept = put(owner, versioned, b"kept")
    suspend(owner, versioned)
    assert put(owner, versioned, b"one") == "null"
    assert put(owner, versioned, b"two") == "null"
    assert versions(owner, versioned) == [("k", "null", True), ("k", kept, False)]
    assert (read(owner, versioned, "null"), read(owner, versioned, kept)) == (b"two", b"kept")


def test_while_suspended_a_delete_replaces_the_null_version_by_a_null_marker(owner: Any, versioned: str) -> None:
    kept = put(owner, versioned, b"kept")
    suspend(owner, versioned)
    put(owner, versioned, b"lost")
    answer = owner.delete_object(Bucket=versioned, Key="k")
    assert (answer["DeleteMarker"], answer["VersionId"]) == (True, "null")
    page = owner.list_object_versions(Bucket=versioned)
    assert [item["VersionId"] for item in page["Versions"]] == [kept]
    assert [item["VersionId"] for item in page["DeleteMarkers"]] == ["null"]
    assert read(owner, versioned, kept) == b"kept"


def test_while_suspended_a_second_delete_keeps_one_null_marker(owner: Any, versioned: str) -> None:
    suspend(owner, versioned)
    for _ in range(2):
        owner.delete_object(Bucket=versioned, Key="k")
    assert versions(owner, versioned) == [("k", "null", True)]


def test_enabling_again_keeps_the_null_version_as_one_among_others(owner: Any, versioned: str) -> None:
    suspend(owner, versioned)
    put(owner, versioned, b"null")
    owner.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Enabled"})
    after = put(owner, versioned, b"after")
    assert versions(owner, versioned) == [("k", after, True), ("k", "null", False)]
    owner.delete_object(Bucket=versioned, Key="k", VersionId="null")
    assert versions(owner, versioned) == [("k", after, True)]


# Many at once, and listings


def test_delete_objects_takes_versions_and_makes_markers(owner: Any, versioned: str) -> None:
    first, second = put(owner, versioned, b"one"), put(owner, versioned, b"two")
    put(owner, versioned, b"other", key="l")
    answer = owner.delete_objects(
        Bucket=versioned,
        Delete={"Objects": [{"Key": "k", "VersionId": first}, {"Key": "k", "VersionId": second}, {"Key": "l"}]},
    )
    by_key = {(item["Key"], item.get("VersionId")): item for item in answer["Deleted"]}
    assert set(by_key) == {("k", first), ("k", second), ("l", None)}
    marker = by_key["l", None]
    assert marker["DeleteMarker"] is True
    undone = owner.delete_objects(
        Bucket=versioned, Delete={"Objects": [{"Key": "l", "VersionId": marker["DeleteMarkerVersionId"]}]}
    )
    assert undone["Deleted"][0]["DeleteMarkerVersionId"] == marker["DeleteMarkerVersionId"]
    assert read(owner, versioned, key="l") == b"other"


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_of_versions_put_together_are_the_listing(owner: Any, versioned: str, size: int) -> None:
    for key in ("a", "b/1", "b/2", "c"):
        put(owner, versioned, b"1", key=key)
        owner.delete_object(Bucket=versioned, Key=key)
        put(owner, versioned, b"2", key=key)
    for delimiter in ("", "/"):
        whole = owner.list_object_versions(Bucket=versioned, Delimiter=delimiter)
        pages: dict[str, list[Any]] = {"Versions": [], "DeleteMarkers": [], "CommonPrefixes": []}
        markers: dict[str, str] = {}
        while True:
            page = owner.list_object_versions(Bucket=versioned, Delimiter=delimiter, MaxKeys=size, **markers)
            assert sum(len(page.get(name, [])) for name in pages) <= size
            for name, items in pages.items():
                items.extend(page.get(name, []))
            if not page["IsTruncated"]:
                break
            markers = {"KeyMarker": page["NextKeyMarker"]}
            if "NextVersionIdMarker" in page:
                markers["VersionIdMarker"] = page["NextVersionIdMarker"]
        assert pages == {name: whole.get(name, []) for name in pages}


def test_versions_are_listed_behind_a_marker(owner: Any, versioned: str) -> None:
    ids = [put(owner, versioned, body, key="a") for body in (b"1", b"2", b"3")]
    other = put(owner, versioned, b"x", key="b")
    behind = versions(owner, versioned, KeyMarker="a", VersionIdMarker=ids[1])
    assert behind == [("a", ids[0], False), ("b", other, True)]
    assert versions(owner, versioned, KeyMarker="a") == [("b", other, True)]


def test_a_bucket_that_is_emptied_page_by_page_is_empty(owner: Any, versioned: str) -> None:
    for _ in range(5):
        owner.put_object(Bucket=versioned, Key="a")
    owner.delete_object(Bucket=versioned, Key="a")
    owner.put_object(Bucket=versioned, Key="b")
    markers: dict[str, str] = {}
    is_truncated = True
    while is_truncated:
        page = owner.list_object_versions(Bucket=versioned, MaxKeys=2, **markers)
        for item in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            owner.delete_object(Bucket=versioned, Key=item["Key"], VersionId=item["VersionId"])
        is_truncated = page["IsTruncated"]
        markers = {"KeyMarker": page.get("NextKeyMarker", ""), "VersionIdMarker": page.get("NextVersionIdMarker", "")}
    owner.delete_bucket(Bucket=versioned)


def test_a_version_marker_that_is_none_is_refused(wire: Wire, versioned: str) -> None:
    query = [("versions", ""), ("key-marker", "a"), ("version-id-marker", "none")]
    assert wire.send("GET", f"/{versioned}", query=query).refusal == (400, "InvalidArgument")


def test_a_version_marker_without_a_key_marker_is_refused(owner: Any, versioned: str) -> None:
    with refused("InvalidArgument", 400):
        owner.list_object_versions(Bucket=versioned, VersionIdMarker="null")


def test_versions_have_headers_and_tags_of_their_own(owner: Any, versioned: str) -> None:
    first = owner.put_object(Bucket=versioned, Key="k", Metadata={"n": "1"}, Tagging="n=1")["VersionId"]
    owner.put_object(Bucket=versioned, Key="k", Metadata={"n": "2"}, Tagging="n=2")
    assert owner.head_object(Bucket=versioned, Key="k", VersionId=first)["Metadata"] == {"n": "1"}
    tags = owner.get_object_tagging(Bucket=versioned, Key="k", VersionId=first)
    assert (tags["TagSet"], tags["VersionId"]) == ([{"Key": "n", "Value": "1"}], first)


def test_strangers_may_not_delete_or_read_a_version(stranger: Any, owner: Any, versioned: str) -> None:
    version_id = put(owner, versioned, b"x")
    with refused("AccessDenied", 403):
        stranger.delete_object(Bucket=versioned, Key="k", VersionId=version_id)
    with refused("AccessDenied", 403):
        read(stranger, versioned, version_id)
    assert read(owner, versioned, version_id) == b"x"
