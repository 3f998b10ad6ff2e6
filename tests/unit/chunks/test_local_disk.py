from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from uuid import uuid4

import pytest

from chunks.errors import NodeUnavailable, NoSpace
from chunks.fragment_format import fragment_name
from chunks.stores.local_disk import LocalDisk


@pytest.fixture
def disk(tmp_path: Path) -> LocalDisk:
    root = tmp_path / "node"
    return LocalDisk(root, LocalDisk.initialize(root))


def everything(root: Path) -> list[str]:
    return sorted(path.name for path in root.glob("fragments/*/*"))


def test_a_store_is_marked_once(tmp_path: Path) -> None:
    first = LocalDisk.initialize(tmp_path)
    assert LocalDisk.initialize(tmp_path) == first
    assert LocalDisk(tmp_path, first).check_identity() == first


def test_an_absent_directory_is_a_node_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(NodeUnavailable):
        LocalDisk(tmp_path / "nowhere", uuid4())


def test_an_unmarked_directory_is_a_node_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(NodeUnavailable):
        LocalDisk(tmp_path, uuid4())


def test_a_damaged_mark_is_a_node_that_is_down(tmp_path: Path) -> None:
    identity = LocalDisk.initialize(tmp_path)
    (tmp_path / "identity").write_text("garbage")
    with pytest.raises(NodeUnavailable):
        LocalDisk(tmp_path, identity)
    with pytest.raises(NodeUnavailable):
        LocalDisk.initialize(tmp_path)


def test_a_directory_that_is_wiped_beneath_us_is_down_and_not_empty(tmp_path: Path, disk: LocalDisk) -> None:
    name = fragment_name(uuid4(), 0)
    disk.write_fragment(name, [b"x"])
    shutil.rmtree(tmp_path / "node")
    for action in (
        lambda: disk.read_range(name, 0, 1),
        lambda: disk.stat_fragment(name),
        lambda: disk.delete_fragment(name),
        lambda: disk.write_fragment(name, [b"y"]),
        lambda: list(disk.list_shard(0)),
    ):
        with pytest.raises(NodeUnavailable):
            action()


def test_a_directory_that_is_swapped_beneath_us_gets_nothing(tmp_path: Path, disk: LocalDisk) -> None:
    (tmp_path / "node").rename(tmp_path / "moved")
    LocalDisk.initialize(tmp_path / "node")
    name = fragment_name(uuid4(), 0)
    disk.write_fragment(name, [b"x"])
    assert everything(tmp_path / "node") == []
    assert everything(tmp_path / "moved") == [name]


def test_a_failed_write_leaves_nothing(tmp_path: Path, disk: LocalDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, expected in ((errno.ENOSPC, NoSpace), (errno.EDQUOT, NoSpace), (errno.EIO, NodeUnavailable)):

        def fail(*_: object, number: int = number) -> int:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "writev", fail)
        with pytest.raises(expected):
            disk.write_fragment(fragment_name(uuid4(), 0), [b"x"])
        monkeypatch.undo()
    assert everything(tmp_path / "node") == []


def test_a_write_has_its_name_before_its_only_sync(disk: LocalDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sync then commits the name with the bytes; see docs/design/fragment-format.md."""
    name = fragment_name(uuid4(), 0)
    disk.write_fragment(name, [b"warm the directory"])
    steps: list[str] = []
    rename, fsync = os.rename, os.fsync
    monkeypatch.setattr(os, "rename", lambda *args, **options: steps.append("rename") or rename(*args, **options))
    monkeypatch.setattr(os, "fsync", lambda handle: steps.append("sync") or fsync(handle))
    disk.write_fragment(name, [b"x"])
    assert steps == ["rename", "sync"]


def test_a_write_whose_sync_fails_leaves_no_fragment(
    disk: LocalDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = fragment_name(uuid4(), 0)
    disk.write_fragment(name, [b"warm the directory"])
    disk.delete_fragment(name)

    def broken(_handle: int) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(NodeUnavailable):
        disk.write_fragment(name, [b"x"])
    assert everything(tmp_path / "node") == []


def test_a_short_write_is_continued(disk: LocalDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    writev = os.writev
    monkeypatch.setattr(os, "writev", lambda handle, buffers: writev(handle, [bytes(buffers[0])[:3]]))
    name = fragment_name(uuid4(), 0)
    disk.write_fragment(name, [b"abcdefg", b"", b"hijk"])
    assert disk.read_range(name, 0, 100) == b"abcdefghijk"


def test_a_killed_writer_leaves_whole_fragments_and_marked_remains(tmp_path: Path, disk: LocalDisk) -> None:
    program = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from uuid import UUID, uuid4
        from chunks.fragment_format import fragment_name
        from chunks.stores.local_disk import LocalDisk
        disk = LocalDisk(Path(sys.argv[1]), UUID(sys.argv[2]))
        print("ready", flush=True)
        while True:
            disk.write_fragment(fragment_name(uuid4(), 0), [b"x" * 1_000_000])
    """)
    root = tmp_path / "node"
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", program, str(root), str(disk.check_identity())],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        while not everything(root):
            pass
        writer.kill()
        writer.wait()
        writer.stdout.close()
    for shard in range(disk.shard_count):
        for found in disk.list_shard(shard):
            assert found.is_unfinished or found.size_bytes == 1_000_000


def test_remains_of_a_crash_are_listed_as_unfinished_and_can_be_deleted(tmp_path: Path, disk: LocalDisk) -> None:
    name = fragment_name(uuid4(), 0)
    disk.write_fragment(name, [b"x"])
    fragment = next((tmp_path / "node").glob("fragments/*/*"))
    remains = fragment.with_name(f"{name}.0123456789ab.tmp")
    remains.write_bytes(b"half")
    listed = {found.name: found for shard in range(disk.shard_count) for found in disk.list_shard(shard)}
    assert {key: found.is_unfinished for key, found in listed.items()} == {name: False, remains.name: True}
    assert disk.delete_fragment(remains.name) is True
    assert disk.read_range(name, 0, 9) == b"x"
