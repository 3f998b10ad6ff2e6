"""Moving versions between storage classes: bytes written anew only where classes differ, and only of what is still there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chunks import topology
from chunks.models import Chunk, Garbage, StorageClass
from chunks.services import create_default_topology
from chunks.writer import write_chunk
from objects.models import Extent, ObjectVersion
from objects.selectors.lookup import look_up_row
from objects.services import transition
from objects.services.read import iterate_version
from objects.services.transition import move_version_to_storage_class
from s3protocol import errors
from tests.unit.objects.rows import add_bucket, put_version

pytestmark = pytest.mark.django_db(transaction=True)

DATA = os.urandom(700_000)


@pytest.fixture(autouse=True)
def _classes(tmp_path: Path) -> None:
    create_default_topology(tmp_path)
    StorageClass.objects.create(name="WIDE", chunk_size_bytes=200_000, large_scheme="rs-2+2")
    topology.refresh()


@pytest.fixture
def bucket() -> int:
    return add_bucket("photos", history_seconds=3600)


@pytest.fixture
def version(bucket: int) -> int:
    return put_version(bucket, "k", [write_chunk(DATA[:500_000]), write_chunk(DATA[500_000:])])


def content(bucket: int, version: int) -> bytes:
    found = look_up_row(bucket_id=bucket, version_row=version)
    assert found is not None
    assert found.version is not None
    return b"".join(iterate_version(found.version, 0, found.version.size_bytes))


def chunks_of(version: int) -> list[tuple[str, str]]:
    extents = Extent.objects.filter(version=version).order_by("offset_bytes")
    return [(str(extent.chunk_id), extent.chunk.storage_class) for extent in extents.select_related("chunk")]


def move(bucket: int, version: int, name: str) -> bool:
    return move_version_to_storage_class(bucket_id=bucket, version_row=version, storage_class=name)


def test_classes_that_keep_bytes_alike_move_none(bucket: int, version: int) -> None:
    before = chunks_of(version)
    assert move(bucket, version, "STANDARD_IA")
    assert chunks_of(version) == [(chunk, "STANDARD_IA") for chunk, _ in before]
    assert not Garbage.objects.exists()
    assert ObjectVersion.objects.get(pk=version).storage_class == "STANDARD_IA"
    assert not move(bucket, version, "STANDARD_IA")


def test_bytes_are_written_anew_in_a_class_that_keeps_them_differently(bucket: int, version: int) -> None:
    before = {chunk for chunk, _ in chunks_of(version)}
    assert move(bucket, version, "WIDE")
    after = chunks_of(version)
    assert len(after) == 4
    assert {name for _, name in after} == {"WIDE"}
    assert {str(chunk) for chunk in Garbage.objects.values_list("chunk_id", flat=True)} == before
    assert content(bucket, version) == DATA


def test_what_was_replaced_meanwhile_is_left_alone_and_nothing_stays_behind(
    bucket: int, version: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = transition.store_body

    def replaced_meanwhile(*arguments: object, **named: object) -> object:
        stored = real(*arguments, **named)  # type: ignore[arg-type]
        put_version(bucket, "k", [])
        return stored

    before, fragments = chunks_of(version), len(list(tmp_path.rglob("fragments/*/*")))
    monkeypatch.setattr(transition, "store_body", replaced_meanwhile)
    assert not move(bucket, version, "WIDE")
    assert chunks_of(version) == before
    assert Chunk.objects.count() == 2
    assert len(list(tmp_path.rglob("fragments/*/*"))) == fragments


def test_bytes_that_are_not_those_that_came_do_not_move(bucket: int, version: int) -> None:
    ObjectVersion.objects.filter(pk=version).update(
        checksum_algorithm="CRC32", checksum_type="FULL_OBJECT", checksum="AAAAAA=="
    )
    before = chunks_of(version)
    with pytest.raises(errors.BadDigest):
        move(bucket, version, "WIDE")
    assert chunks_of(version) == before


def test_markers_history_and_what_is_gone_do_not_move(bucket: int, version: int) -> None:
    put_version(bucket, "k", [])
    assert not move(bucket, version, "WIDE")
    assert not move(bucket, version + 1_000, "WIDE")


@pytest.mark.parametrize("is_signal", [True, False])
def test_what_is_committed_stays_whatever_comes_then(
    bucket: int, version: int, monkeypatch: pytest.MonkeyPatch, *, is_signal: bool
) -> None:
    exchange = transition._exchange

    def commit_and_die(*arguments: object) -> bool:
        exchange(*arguments)  # type: ignore[arg-type]
        raise SystemExit if is_signal else MemoryError

    monkeypatch.setattr(transition, "_exchange", commit_and_die)
    with pytest.raises(SystemExit if is_signal else MemoryError):
        move(bucket, version, "WIDE")
    assert {name for _, name in chunks_of(version)} == {"WIDE"}
    assert content(bucket, version) == DATA
