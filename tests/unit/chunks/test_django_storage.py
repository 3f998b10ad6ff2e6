"""Stores behind Django storages: what a swapped, emptied, hanging or killed one does, and what becomes of secrets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from chunks.errors import FragmentMissing, NodeUnavailable
from chunks.fragment_format import fragment_name
from chunks.stores.django_storage.drivers import Driver
from chunks.stores.django_storage.opening import make_driver
from chunks.stores.django_storage.options import StoreOptions, build_options, describe
from chunks.stores.django_storage.store import DjangoStorage
from chunks.stores.django_storage.usage import Usage
from chunks.stores.protocol import StoredFragment
from tests.contract.object_storage import ObjectStorage
from tests.live.seaweedfs import SeaweedFS
from tests.live.sshd import Sshd

OBJECT_STORAGE = "tests.contract.object_storage.ObjectStorage"
S3 = "storages.backends.s3.S3Storage"
SFTP = "storages.backends.sftpstorage.SFTPStorage"


@dataclass
class Remote:
    """A storage of some sort, and its server where it has one."""

    dotted_path: str
    options: dict[str, Any]
    server: SeaweedFS | Sshd | None = None

    def driver(self) -> Driver:
        return make_driver(self.dotted_path, self.options)

    def empty(self) -> None:
        """Take everything away, as a bucket that is made anew."""
        driver = self.driver()
        for shard in range(256):
            for found in driver.list(f"fragments/{shard:02x}"):
                driver.delete(f"fragments/{shard:02x}/{found.name}")
        driver.delete("identity")

    def swap(self) -> UUID:
        """Let it be another node's."""
        driver, identity = self.driver(), uuid4()
        driver.put("identity", [str(identity).encode()])
        return identity


@pytest.fixture(params=["object_storage", "s3", "sftp"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Remote]:
    if request.param == "object_storage":
        yield Remote(OBJECT_STORAGE, {"account": str(tmp_path)})
        ObjectStorage.accounts.pop(str(tmp_path), None)
        return
    server = request.getfixturevalue("seaweedfs" if request.param == "s3" else "sshd")
    if request.param == "s3":
        yield Remote(S3, server.options("nodes", f"unit{tmp_path}") | {"timeout_seconds": 2}, server)
    else:
        yield Remote(SFTP, server.options(tmp_path / "root") | {"timeout_seconds": 2}, server)
    if server.process is None:
        server.run()


def opened(remote: Remote) -> DjangoStorage:
    driver = remote.driver()
    return DjangoStorage(driver, DjangoStorage.initialize(driver))


def actions(store: DjangoStorage, name: str) -> list[Callable[[], object]]:
    return [
        lambda: store.write_fragment(name, [b"new"]),
        lambda: store.stage_fragment(name, [b"new"])(),  # noqa: PLW0108  staged when it is called
        lambda: store.delete_fragment(name),
        lambda: list(store.list_shard(int(name.partition(".")[0][-2:], 16))),
        store.check_identity,
    ]


def test_a_storage_is_marked_once(remote: Remote) -> None:
    first = DjangoStorage.initialize(remote.driver())
    assert DjangoStorage.initialize(remote.driver()) == first
    assert DjangoStorage(remote.driver(), first).check_identity() == first
    with pytest.raises(NodeUnavailable, match="is node"):
        DjangoStorage(remote.driver(), uuid4())


def test_an_emptied_storage_is_down_and_acknowledges_nothing(remote: Remote) -> None:
    store, name = opened(remote), fragment_name(uuid4(), 0)
    store.write_fragment(name, [b"x"])
    remote.empty()
    for action in [
        *actions(store, name),
        lambda: store.read_range(f"{name}1", 0, 1),
        lambda: store.stat_fragment("a.1"),
    ]:
        with pytest.raises(NodeUnavailable):
            action()
    with pytest.raises(NodeUnavailable):
        DjangoStorage(remote.driver(), uuid4())


def test_a_storage_that_is_another_nodes_is_down_and_what_lies_there_stays(remote: Remote) -> None:
    store, name = opened(remote), fragment_name(uuid4(), 0)
    remote.swap()
    remote.driver().put(f"fragments/{name.partition('.')[0][-2:]}/{name}", [b"the other node's"])
    for action in actions(store, name)[2:]:
        with pytest.raises(NodeUnavailable, match="is node"):
            action()
    assert store.read_range(name, 0, 100) == b"the other node's"
    for action in actions(store, name)[:2]:
        with pytest.raises(NodeUnavailable, match="is node"):
            action()


def test_a_damaged_mark_is_a_node_that_is_down(remote: Remote) -> None:
    store = opened(remote)
    remote.driver().put("identity", [b"garbage"])
    with pytest.raises(NodeUnavailable, match="damaged"):
        store.check_identity()


@pytest.mark.parametrize("remote", ["s3", "sftp"], indirect=True)
def test_a_killed_server_is_a_node_that_is_down_within_seconds_and_comes_back(remote: Remote) -> None:
    assert remote.server is not None
    store, name = opened(remote), fragment_name(uuid4(), 0)
    store.write_fragment(name, [b"x" * 300_000])
    remote.server.kill()
    for action in [*actions(store, name), lambda: store.read_range(name, 0, 1), lambda: store.stat_fragment(name)]:
        started_at = time.monotonic()
        with pytest.raises(NodeUnavailable):
            action()
        assert time.monotonic() - started_at < 15
    remote.server.run()
    assert store.read_range(name, 0, 1 << 20) == b"x" * 300_000
    store.write_fragment(name, [b"y"])
    assert store.read_range(name, 0, 10) == b"y"


def test_rivals_who_mark_a_storage_agree(remote: Remote) -> None:
    driver = remote.driver()
    driver.prepare()
    driver.put_new("identity", b"first")
    driver.put_new("identity", b"second")
    assert driver.get("identity", 0, 100) == b"first"


def test_a_bucket_that_does_not_exist_is_a_node_that_is_down(seaweedfs: SeaweedFS) -> None:
    driver = make_driver(S3, seaweedfs.options("nowhere"))
    with pytest.raises(NodeUnavailable):
        DjangoStorage(driver, uuid4())


def test_wrong_credentials_are_a_node_that_is_down_and_are_not_repeated(seaweedfs: SeaweedFS) -> None:
    driver = make_driver(S3, seaweedfs.options("nodes") | {"secret_key": "a wrong secret"})
    with pytest.raises(NodeUnavailable) as caught:
        DjangoStorage.initialize(driver)
    assert "a wrong secret" not in str(caught.value)


def test_an_sftp_server_with_another_key_is_no_node(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    key = (sshd.directory / "user_key.pub").read_text().split()[1]
    known.write_text(f"[127.0.0.1]:{sshd.port} ssh-ed25519 {key}\n")
    driver = make_driver(SFTP, sshd.options(tmp_path / "root") | {"known_host_file": str(known)})
    with pytest.raises(NodeUnavailable, match="key"):
        DjangoStorage.initialize(driver)


def test_remains_of_a_broken_upload_are_listed_as_unfinished(sshd: Sshd, tmp_path: Path) -> None:
    remote = Remote(SFTP, sshd.options(tmp_path / "root"))
    store, name = opened(remote), fragment_name(uuid4(), 0)
    store.write_fragment(name, [b"x"])
    shard = name.partition(".")[0][-2:]
    (tmp_path / "root" / "fragments" / shard / f"{name}.0123.tmp").write_bytes(b"half")
    listed = {found.name: found.is_unfinished for found in store.list_shard(int(shard, 16))}
    assert listed == {name: False, f"{name}.0123.tmp": True}
    assert store.delete_fragment(f"{name}.0123.tmp") is True


def test_sftp_tells_how_full_its_disk_is(sshd: Sshd, tmp_path: Path) -> None:
    space = opened(Remote(SFTP, sshd.options(tmp_path / "root"))).space()
    assert space is not None
    assert 0 < space.free_bytes < space.total_bytes


def test_a_storage_that_does_not_overwrite_is_made_to(tmp_path: Path) -> None:
    store = opened(Remote(OBJECT_STORAGE, {"account": str(tmp_path), "file_overwrite": False}))
    name = fragment_name(uuid4(), 0)
    store.write_fragment(name, [b"first"])
    store.write_fragment(name, [b"second"])
    assert store.read_range(name, 0, 100) == b"second"
    assert len(ObjectStorage.accounts[str(tmp_path)]) == 2


def test_a_storage_that_hangs_is_given_up(tmp_path: Path) -> None:
    driver: Any = make_driver(OBJECT_STORAGE, {"account": str(tmp_path), "timeout_seconds": 0.2})
    store = DjangoStorage(driver, DjangoStorage.initialize(driver))
    driver._storage.hang.clear()
    for _ in range(20):
        with pytest.raises(NodeUnavailable):
            store.write_fragment(fragment_name(uuid4(), 0), [b"x"])
    driver._storage.hang.set()
    name = fragment_name(uuid4(), 0)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            store.write_fragment(name, [b"x"])
            break
        except NodeUnavailable:
            time.sleep(0.05)
    assert store.read_range(name, 0, 10) == b"x"


@pytest.mark.parametrize(
    ("dotted_path", "options", "expected"),
    [
        ("no.such.Storage", {}, "can't be imported"),
        ("pathlib.Path", {}, "is not a storage class"),
        ("django.core.files.storage.FileSystemStorage", {"location": "/tmp"}, "writes in place"),
        (S3, {"bucket": "b"}, "Invalid setting 'bucket'"),
        (S3, {}, "bucket_name is missing"),
        (S3, {"bucket_name": "b", "timeout_seconds": "soon"}, "expected a number of seconds"),
        (SFTP, {"hostname": "h"}, "Invalid setting 'hostname'"),
    ],
)
def test_what_is_no_node_says_why(dotted_path: str, options: dict[str, Any], expected: str) -> None:
    with pytest.raises(NodeUnavailable, match=expected):
        make_driver(dotted_path, options)


def test_what_sounds_like_a_secret_is_sealed_however_it_was_given(settings: Any) -> None:
    settings.OBJSTORE_NODE_SECRETS = {"REMOTE": "from the environment"}
    given = {
        "bucket_name": "b",
        "secret_key": "secret-number-1",
        "params.password": "secret-number-2",
        "endpoint_url": "https://user:secret-number-3@host/",
        "params.key_filename": "/etc/key",
        "params.port": 22,
    }
    options = build_options(given, {"params.passphrase": "secret-number-4"}, {"session_token": "REMOTE"})
    assert describe(options.plain) == (
        "bucket_name=b params.key_filename=/etc/key params.port=22 session_token=(from OBJSTORE_NODE_SECRET_REMOTE)"
    )
    assert not any(
        secret in options.sealed + str(options.plain).encode()
        for secret in (b"secret-number-1", b"secret-number-2", b"secret-number-3", b"secret-number-4")
    )
    assert options.opened() == {
        "bucket_name": "b",
        "secret_key": "secret-number-1",
        "endpoint_url": "https://user:secret-number-3@host/",
        "session_token": "from the environment",
        "params": {
            "password": "secret-number-2",
            "passphrase": "secret-number-4",
            "key_filename": "/etc/key",
            "port": 22,
        },
    }
    settings.OBJSTORE_NODE_SECRETS = {}
    with pytest.raises(NodeUnavailable, match="OBJSTORE_NODE_SECRET_REMOTE is not set"):
        options.opened()
    settings.SECRET_KEY = "another key, with which nothing was sealed"
    with pytest.raises(NodeUnavailable, match="another OBJSTORE_SECRET_KEY"):
        options.opened()


def test_an_option_that_is_a_value_and_a_mapping_is_refused() -> None:
    with pytest.raises(NodeUnavailable, match="has a value of its own"):
        StoreOptions({"params": 1, "params.port": 2}).opened()


def test_a_stated_capacity_is_filled_by_what_is_listed_and_what_is_written() -> None:
    clock = iter(range(10_000_000))
    listed = [StoredFragment("a.0", 300, datetime.now(UTC))]
    usage = Usage(1000, lambda: listed, clock=lambda: next(clock))
    assert usage.space() is None
    usage.count()
    usage.add(200)
    space = usage.space()
    assert space is not None
    assert (space.total_bytes, space.free_bytes) == (1000, 500)
    usage.add(5000)
    found = usage.space()
    assert found is not None
    assert found.free_bytes == 0


def test_missing_is_missing_and_not_down(remote: Remote) -> None:
    store = opened(remote)
    with pytest.raises(FragmentMissing):
        store.read_range(fragment_name(uuid4(), 0), 0, 10)
    assert store.stat_fragment(fragment_name(uuid4(), 0)) is None
