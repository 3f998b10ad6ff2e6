"""ListObjectsV2 and ListObjects: order, pages, prefixes, delimiters, encodings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.s3.refusals import refused
from tests.s3.wire import Wire

KEYS = sorted(
    [
        "a",
        "a/",
        "a/1",
        "a/2",
        "a/b/3",
        "a/b/4",
        "ab",
        "b",
        "c/d/e/f",
        "c/d/e/g",
        "c//x",
        "é",
        "z%20z",
        "z z",
        "😀",
        "￿",
    ],
    key=str.encode,
)


@pytest.fixture(scope="module")
def home(owner: Any, new_bucket: Any) -> str:
    """A bucket that holds KEYS."""
    name: str = new_bucket()
    for key in KEYS:
        owner.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


def names(page: Any) -> tuple[list[str], list[str]]:
    """Return the keys and the common prefixes of a page."""
    return (
        [item["Key"] for item in page.get("Contents", [])],
        [item["Prefix"] for item in page.get("CommonPrefixes", [])],
    )


def expected(prefix: str = "", delimiter: str = "", after: str = "") -> tuple[list[str], list[str]]:
    """Say what a listing without pages shows."""
    keys, prefixes = [], []
    for key in KEYS:
        if not key.startswith(prefix):
            continue
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        common = prefix + head + found if found else None
        if (common or key).encode() <= after.encode():
            continue
        if common is None:
            keys.append(key)
        elif common not in prefixes:
            prefixes.append(common)
    return keys, prefixes


def test_keys_come_in_the_order_of_their_bytes(owner: Any, home: str) -> None:
    page = owner.list_objects_v2(Bucket=home)
    assert names(page) == (KEYS, [])
    assert (page["KeyCount"], page["MaxKeys"], page["IsTruncated"]) == (len(KEYS), 1000, False)


def test_each_object_is_shown_with_its_facts(owner: Any, home: str) -> None:
    shown = owner.list_objects_v2(Bucket=home)["Contents"][0]
    head = owner.head_object(Bucket=home, Key=shown["Key"])
    assert (shown["ETag"], shown["Size"]) == (head["ETag"], head["ContentLength"])
    assert shown["LastModified"].replace(microsecond=0) == head["LastModified"]
    assert "Owner" not in shown


def test_owners_are_shown_on_request_and_always_in_the_old_form(owner: Any, home: str) -> None:
    me = owner.list_buckets()["Owner"]["ID"]
    assert owner.list_objects_v2(Bucket=home, FetchOwner=True)["Contents"][0]["Owner"]["ID"] == me
    assert owner.list_objects(Bucket=home)["Contents"][0]["Owner"]["ID"] == me


@pytest.mark.parametrize("delimiter", ["", "/", "//", "b", "z", "/d"])
@pytest.mark.parametrize("prefix", ["", "a", "a/", "a/b", "c", "c/", "nothing", "😀"])
def test_prefix_and_delimiter_group_keys(owner: Any, home: str, prefix: str, delimiter: str) -> None:
    assert names(owner.list_objects_v2(Bucket=home, Prefix=prefix, Delimiter=delimiter)) == expected(prefix, delimiter)
    assert names(owner.list_objects(Bucket=home, Prefix=prefix, Delimiter=delimiter)) == expected(prefix, delimiter)


@pytest.mark.parametrize("after", ["a", "a/", "a/1", "a/b", "a/zzz", "aa", "zzz", "￿￿"])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_start_after_leaves_out_what_is_not_behind_it(owner: Any, home: str, after: str, delimiter: str) -> None:
    page = owner.list_objects_v2(Bucket=home, StartAfter=after, Delimiter=delimiter)
    keys, prefixes = names(page)
    assert keys == [key for key in expected(delimiter=delimiter)[0] if key.encode() > after.encode()]
    assert page["StartAfter"] == after
    assert prefixes == [
        prefix
        for prefix in expected(delimiter=delimiter)[1]
        if any(key.startswith(prefix) and key.encode() > after.encode() for key in KEYS) and prefix != after
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize(("prefix", "delimiter"), [("", ""), ("", "/"), ("a", "/"), ("c/", "/")])
def test_pages_put_together_are_the_listing(owner: Any, home: str, size: int, prefix: str, delimiter: str) -> None:
    keys, prefixes = [], []
    arguments = {"Bucket": home, "Prefix": prefix, "Delimiter": delimiter, "MaxKeys": size}
    page = owner.list_objects_v2(**arguments)
    while True:
        page_keys, page_prefixes = names(page)
        assert page["KeyCount"] == len(page_keys) + len(page_prefixes) <= size
        keys += page_keys
        prefixes += page_prefixes
        if not page["IsTruncated"]:
            break
        page = owner.list_objects_v2(**arguments, ContinuationToken=page["NextContinuationToken"])
    assert (keys, prefixes) == expected(prefix, delimiter)


@pytest.mark.parametrize("size", [1, 3])
def test_pages_of_the_old_form_put_together_are_the_listing(owner: Any, home: str, size: int) -> None:
    keys, prefixes, marker = [], [], ""
    while True:
        page = owner.list_objects(Bucket=home, Delimiter="/", MaxKeys=size, Marker=marker)
        page_keys, page_prefixes = names(page)
        keys += page_keys
        prefixes += page_prefixes
        if not page["IsTruncated"]:
            break
        marker = page["NextMarker"]
    assert (keys, prefixes) == expected(delimiter="/")


def test_the_old_form_without_a_delimiter_names_no_next_marker(owner: Any, home: str) -> None:
    page = owner.list_objects(Bucket=home, MaxKeys=1)
    assert page["IsTruncated"]
    assert "NextMarker" not in page


def test_a_page_of_nothing_is_not_truncated(owner: Any, home: str) -> None:
    page = owner.list_objects_v2(Bucket=home, MaxKeys=0)
    assert (names(page), page["IsTruncated"], page["KeyCount"]) == (([], []), False, 0)


def test_more_than_a_thousand_at_once_are_a_thousand(owner: Any, home: str) -> None:
    assert owner.list_objects_v2(Bucket=home, MaxKeys=100_000)["MaxKeys"] == 1000


@pytest.mark.parametrize("size", ["-1", "x", "99999999999999999999", "1.5"])
def test_an_impossible_page_size_is_refused(wire: Wire, home: str, size: str) -> None:
    for query in ([("list-type", "2"), ("max-keys", size)], [("max-keys", size)]):
        assert wire.send("GET", f"/{home}", query=query).refusal == (400, "InvalidArgument")


@pytest.mark.parametrize("token", ["nonsense", "%%%", "AAAA"])
def test_a_token_that_we_did_not_make_is_refused(wire: Wire, home: str, token: str) -> None:
    query = [("list-type", "2"), ("continuation-token", token)]
    assert wire.send("GET", f"/{home}", query=query).refusal == (400, "InvalidArgument")


def test_an_empty_token_begins_at_the_start(owner: Any, home: str) -> None:
    page = owner.list_objects_v2(Bucket=home, ContinuationToken="")
    assert (names(page), page["ContinuationToken"]) == ((KEYS, []), "")


def test_an_unknown_list_type_is_refused(wire: Wire, home: str) -> None:
    assert wire.send("GET", f"/{home}", query=[("list-type", "3")]).refusal == (400, "InvalidArgument")


def test_url_encoding_encodes_keys_prefixes_and_delimiter(wire: Wire, home: str) -> None:
    query = [("list-type", "2"), ("encoding-type", "url"), ("prefix", "z "), ("delimiter", "é")]
    document = wire.send("GET", f"/{home}", query=query).document
    found = {element.tag.rpartition("}")[2]: element.text for element in document.iter()}
    assert found["EncodingType"] == "url"
    assert (found["Prefix"], found["Delimiter"], found["Key"]) == ("z%20", "%C3%A9", "z%20z")


def test_an_unknown_encoding_is_refused(wire: Wire, home: str) -> None:
    answer = wire.send("GET", f"/{home}", query=[("list-type", "2"), ("encoding-type", "base64")])
    assert answer.refusal == (400, "InvalidArgument")


def test_an_empty_delimiter_is_none(owner: Any, home: str) -> None:
    page = owner.list_objects_v2(Bucket=home, Delimiter="")
    assert "Delimiter" not in page
    assert names(page) == (KEYS, [])


def test_many_keys_come_in_pages_of_a_thousand(owner: Any, wire: Wire, bucket: str) -> None:
    upload = owner.put_object(Bucket=bucket, Key="source", Body=b"")
    keys = [f"{number:04}" for number in range(1005)]
    for key in keys:
        wire.send("PUT", f"/{bucket}/{key}")
    page = owner.list_objects_v2(Bucket=bucket)
    assert (page["KeyCount"], page["IsTruncated"]) == (1000, True)
    rest = owner.list_objects_v2(Bucket=bucket, ContinuationToken=page["NextContinuationToken"])
    assert names(rest)[0] == [*keys[1000:], "source"]
    assert upload["ETag"]


def test_strangers_and_nobody_may_not_list(stranger: Any, anonymous: Any, home: str) -> None:
    for client in (stranger, anonymous):
        with refused("AccessDenied", 403):
            client.list_objects_v2(Bucket=home)
        with refused("AccessDenied", 403):
            client.list_objects(Bucket=home)
        with refused("AccessDenied", 403):
            client.list_object_versions(Bucket=home)


def test_a_missing_bucket_is_not_listed(owner: Any) -> None:
    for call in (owner.list_objects_v2, owner.list_objects, owner.list_object_versions, owner.list_multipart_uploads):
        with refused("NoSuchBucket", 404):
            call(Bucket="test-no-such-bucket")


def test_a_write_is_listed_at_once(owner: Any, bucket: str) -> None:
    for number in range(20):
        owner.put_object(Bucket=bucket, Key=f"k{number:02}")
        assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == number + 1
    for number in range(20):
        owner.delete_object(Bucket=bucket, Key=f"k{number:02}")
        assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 19 - number
