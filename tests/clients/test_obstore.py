"""obstore, the Python face of Rust's object_store: streams in parts, ranges, conditions, listings, links."""

from __future__ import annotations

import urllib.request
from datetime import timedelta

import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import S3Store

from tests.live.system import LiveSystem


@pytest.fixture
def store(system: LiveSystem, bucket: str) -> S3Store:
    """The bucket as a store."""
    return S3Store(
        bucket,
        endpoint=system.endpoint,
        access_key_id=system.access_key,
        secret_access_key=system.secret_key,
        region=system.region,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )


def test_objects_are_written_in_parts_and_read_by_ranges(store: S3Store) -> None:
    data = bytes(range(256)) * (12 << 12)
    obstore.put(store, "large", data, chunk_size=5 << 20)
    assert bytes(obstore.get(store, "large").bytes()) == data
    assert bytes(obstore.get_range(store, "large", start=1_000, end=1_300)) == data[1_000:1_300]
    ranges = obstore.get_ranges(store, "large", starts=[0, 9 << 20], lengths=[10, 10])
    assert [bytes(one) for one in ranges] == [data[:10], data[9 << 20 : (9 << 20) + 10]]


def test_conditions_keep_what_is_there(store: S3Store) -> None:
    first = obstore.put(store, "k", b"1")
    with pytest.raises(AlreadyExistsError):
        obstore.put(store, "k", b"2", mode="create")
    obstore.put(store, "k", b"2", mode={"e_tag": first["e_tag"]})
    with pytest.raises(PreconditionError):
        obstore.put(store, "k", b"3", mode={"e_tag": first["e_tag"]})
    assert bytes(obstore.get(store, "k").bytes()) == b"2"


def test_objects_are_listed_copied_renamed_and_deleted(store: S3Store) -> None:
    for key in ("a/1", "a/2 ö", "b"):
        obstore.put(store, key, key.encode())
    listed = obstore.list_with_delimiter(store)
    assert ([item["path"] for item in listed["objects"]], list(listed["common_prefixes"])) == (["b"], ["a"])
    obstore.copy(store, "a/1", "c")
    obstore.rename(store, "b", "d")
    obstore.delete(store, ["a/1", "a/2 ö"])
    assert sorted(item["path"] for item in obstore.list(store).collect()) == ["c", "d"]


def test_signed_links_are_good_for_anybody(store: S3Store) -> None:
    obstore.put(store, "k", b"by link")
    with urllib.request.urlopen(obstore.sign(store, "GET", "k", timedelta(minutes=1))) as answer:
        assert answer.read() == b"by link"
