"""What every implementation of `chunks.stores.protocol.FragmentStore` keeps to."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from chunks.errors import FragmentMissing, NodeUnavailable
from chunks.fragment_format import fragment_name, segment_name
from chunks.stores.django_storage.opening import make_driver
from chunks.stores.django_storage.store import DjangoStorage
from chunks.stores.local_disk import LocalDisk
from chunks.stores.protocol import FragmentStore, StoredFragment

IDENTITY_OF_NOBODY = UUID(int=0)


PREFIXES = itertools.count()


def open_local_disk(place: Path, request: pytest.FixtureRequest) -> FragmentStore:
    return LocalDisk(place, LocalDisk.initialize(place))


def open_object_storage(place: Path, request: pytest.FixtureRequest) -> FragmentStore:
    return as_store("tests.contract.object_storage.ObjectStorage", {"account": str(place)})


def open_s3(place: Path, request: pytest.FixtureRequest) -> FragmentStore:
    server = request.getfixturevalue("seaweedfs")
    return as_store("storages.backends.s3.S3Storage", server.options("nodes", f"node/{next(PREFIXES)}"))


def open_sftp(place: Path, request: pytest.FixtureRequest) -> FragmentStore:
    return as_store("storages.backends.sftpstorage.SFTPStorage", request.getfixturevalue("sshd").options(place))


def as_store(dotted_path: str, options: dict[str, Any]) -> FragmentStore:
    driver = make_driver(dotted_path, options)
    return DjangoStorage(driver, DjangoStorage.initialize(driver))


IMPLEMENTATIONS: dict[str, Callable[[Path, pytest.FixtureRequest], FragmentStore]] = {
    "local_disk": open_local_disk,
    "object_storage": open_object_storage,
    "s3": open_s3,
    "sftp": open_sftp,
}


@pytest.fixture(params=list(IMPLEMENTATIONS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FragmentStore:
    return IMPLEMENTATIONS[request.param](tmp_path / "store", request)


def new_name() -> str:
    return fragment_name(uuid4(), 0)


def listing(store: FragmentStore) -> dict[str, StoredFragment]:
    return {found.name: found for shard in range(store.shard_count) for found in store.list_shard(shard)}


def test_what_is_written_is_read(store: FragmentStore) -> None:
    name = new_name()
    store.write_fragment(name, [b"header", memoryview(b"payload"), bytearray(b"!")])
    assert store.read_range(name, 0, 100) == b"headerpayload!"


def test_a_range_is_cut_at_the_end(store: FragmentStore) -> None:
    name = new_name()
    store.write_fragment(name, [b"0123456789"])
    assert store.read_range(name, 3, 4) == b"3456"
    assert store.read_range(name, 8, 4) == b"89"
    assert store.read_range(name, 20, 4) == b""


def test_empty_buffers_are_written_too(store: FragmentStore) -> None:
    name = new_name()
    store.write_fragment(name, [b"", memoryview(b"")])
    assert store.read_range(name, 0, 10) == b""
    store.write_fragment(name, [b"a", b"", b"b"])
    assert store.read_range(name, 0, 10) == b"ab"


def test_many_megabytes_in_many_buffers_are_whole(store: FragmentStore) -> None:
    name = new_name()
    buffers = [bytes([number % 251]) * 4099 for number in range(2000)]
    store.write_fragment(name, buffers)
    assert store.read_range(name, 0, 1 << 24) == b"".join(buffers)


def test_writing_again_replaces_the_whole(store: FragmentStore) -> None:
    name = new_name()
    store.write_fragment(name, [b"a longer first version"])
    store.write_fragment(name, [b"second"])
    assert store.read_range(name, 0, 100) == b"second"


def test_what_was_never_written_is_missing(store: FragmentStore) -> None:
    name = new_name()
    with pytest.raises(FragmentMissing):
        store.read_range(name, 0, 1)
    assert store.stat_fragment(name) is None
    assert store.delete_fragment(name) is False


def test_what_is_deleted_is_missing(store: FragmentStore) -> None:
    name = new_name()
    store.write_fragment(name, [b"x"])
    assert store.delete_fragment(name) is True
    assert store.delete_fragment(name) is False
    with pytest.raises(FragmentMissing):
        store.read_range(name, 0, 1)


def test_what_is_staged_is_there_once_it_is_committed(store: FragmentStore) -> None:
    names = [new_name() for _ in range(5)]
    for commit in [store.stage_fragment(name, [b"head", name.encode()]) for name in names]:
        commit()
    assert [store.read_range(name, 4, 100) for name in names] == [name.encode() for name in names]


def test_a_replaced_fragment_may_be_shorter_or_empty(store: FragmentStore) -> None:
    name = new_name()
    store.write_fragment(name, [b"x" * 200_000])
    store.write_fragment(name, [])
    found = store.stat_fragment(name)
    assert found is not None
    assert found.size_bytes == 0
    assert store.read_range(name, 0, 10) == b""


def test_size_and_age_are_known(store: FragmentStore) -> None:
    name = new_name()
    store.write_fragment(name, [b"12345"])
    found = store.stat_fragment(name)
    assert found is not None
    assert (found.name, found.size_bytes, found.is_unfinished) == (name, 5, False)
    assert abs(datetime.now(UTC) - found.modified_at) < timedelta(minutes=1)


def test_the_shards_together_list_everything_once(store: FragmentStore) -> None:
    names = {new_name() for _ in range(50)}
    for name in names:
        store.write_fragment(name, [name.encode()])
    listed = [found.name for shard in range(store.shard_count) for found in store.list_shard(shard)]
    assert sorted(listed) == sorted(names)
    gone = names.pop()
    store.delete_fragment(gone)
    assert set(listing(store)) == names


def test_the_store_says_who_it_is(store: FragmentStore) -> None:
    assert store.check_identity() != IDENTITY_OF_NOBODY


def test_readers_see_one_version_or_the_other_while_it_is_replaced(store: FragmentStore) -> None:
    name = new_name()
    versions = [bytes([value]) * 100_000 for value in (1, 2)]
    store.write_fragment(name, [versions[0]])
    seen: set[bytes] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(store.read_range(name, 0, 200_000))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(20):
        store.write_fragment(name, [versions[number % 2]])
    stop.set()
    reader.join()
    assert seen <= set(versions)


def test_many_threads_write_at_once(store: FragmentStore) -> None:
    names = [new_name() for _ in range(64)]
    threads = [
        threading.Thread(target=lambda part: [store.write_fragment(n, [n.encode()]) for n in part], args=(names[i::8],))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(store.read_range(name, 0, 100) == name.encode() for name in names)


def test_a_store_of_another_identity_is_no_store(tmp_path: Path) -> None:
    LocalDisk.initialize(tmp_path)
    with pytest.raises(NodeUnavailable):
        LocalDisk(tmp_path, IDENTITY_OF_NOBODY)


def test_space_is_told_or_endless(store: FragmentStore) -> None:
    space = store.space()
    assert space is None or 0 <= space.free_bytes <= space.total_bytes


def test_a_segment_grows_and_is_read_while_it_grows(store: FragmentStore) -> None:
    if not store.can_append:
        with pytest.raises(NodeUnavailable):
            store.create_segment(segment_name(uuid4()))
        return
    name = segment_name(uuid4())
    file = store.create_segment(name)
    file.append([b"one", memoryview(b"two")])
    file.sync()
    assert store.read_range(name, 3, 3) == b"two"
    file.append([bytes([number % 251]) for number in range(2000)])
    file.sync()
    file.close()
    assert store.read_range(name, 6, 4000) == bytes(number % 251 for number in range(2000))
    found = store.stat_fragment(name)
    assert found is not None
    assert (found.size_bytes, found.is_unfinished) == (2006, False)
    assert set(listing(store)) == {name}


def test_a_segment_is_begun_once(store: FragmentStore) -> None:
    if not store.can_append:
        return
    name = segment_name(uuid4())
    store.create_segment(name).close()
    with pytest.raises(NodeUnavailable):
        store.create_segment(name)


def test_a_segment_that_was_read_is_replaced_and_deleted_for_readers_too(store: FragmentStore) -> None:
    name = segment_name(uuid4())
    store.write_fragment(name, [b"first"])
    assert store.read_range(name, 0, 9) == b"first"
    store.write_fragment(name, [b"second"])
    assert store.read_range(name, 0, 9) == b"second"
    assert store.delete_fragment(name) is True
    with pytest.raises(FragmentMissing):
        store.read_range(name, 0, 9)


def test_what_is_appended_to_a_deleted_segment_is_not_called_durable(store: FragmentStore) -> None:
    if not store.can_append:
        return
    name = segment_name(uuid4())
    file = store.create_segment(name)
    file.append([b"x"])
    store.delete_fragment(name)
    with pytest.raises(NodeUnavailable):
        file.sync()


def test_a_probe_leaves_nothing_behind(store: FragmentStore) -> None:
    store.probe()
    store.probe()
    assert listing(store) == {}


def test_what_is_read_at_once_is_what_is_read(store: FragmentStore) -> None:
    """A store may have to wait for anything; what it gives without is the same."""
    content = bytes(range(256)) * 2_000
    name = fragment_name(uuid4(), 0)
    store.write_fragment(name, [content])
    assert store.read_range(name, 0, len(content)) == content
    for offset, length in ((0, len(content)), (0, 10), (300_000, 100_000), (len(content) - 5, 5)):
        assert store.read_at_once(name, offset, length) in (None, content[offset:][:length])
    assert store.read_at_once(fragment_name(uuid4(), 0), 0, 10) is None
