"""Copies against the collector, each step where it hurts: rows are held by the test, and waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.db.models import Sum

from chunks import topology
from chunks.models import Chunk, Garbage
from chunks.records import WrittenChunk
from chunks.services import create_default_topology, unlink_garbage
from chunks.services.classes import add_storage_class
from chunks.writer import write_chunk
from journal.databases import connect
from objects.encryption import EncryptionChoice, Method
from objects.models import BucketUsage, Extent, MultipartUpload, ObjectVersion, Part
from objects.ranges import ByteRange
from objects.selectors.annotations import find_annotation
from objects.selectors.lookup import look_up_row
from objects.services.annotations import put_annotation, read_payload
from objects.services.copy import copy_object, upload_part_copy
from objects.services.encryption import OpenedVersion, unwrap
from objects.services.garbage import delete_unreferenced_chunks
from objects.services.publish import UNCONDITIONAL, NewVersion
from objects.services.read import iterate_version
from s3protocol import errors
from s3protocol.checksums import ChecksumAlgorithm
from tests.live.processes import wait_until
from tests.unit.objects.rows import OWNER_ID, add_bucket, put_version

pytestmark = pytest.mark.django_db(transaction=True)

DATA = bytes(range(256)) * 1200
SIZE = 2 * len(DATA)


@pytest.fixture(autouse=True)
def _nodes(tmp_path: Path) -> Iterator[None]:
    create_default_topology(tmp_path)
    topology.refresh()
    yield
    topology._forget_after_fork()


@pytest.fixture
def bucket() -> int:
    return add_bucket("photos")


@pytest.fixture
def chunks() -> list[WrittenChunk]:
    """Two chunks in the order in which nobody may lock them."""
    return sorted((write_chunk(DATA), write_chunk(DATA)), key=lambda chunk: chunk.id, reverse=True)


@pytest.fixture
def source(bucket: int, chunks: list[WrittenChunk]) -> OpenedVersion:
    found = look_up_row(bucket_id=bucket, version_row=put_version(bucket, "source", chunks))
    assert found is not None
    assert found.version is not None
    return OpenedVersion(found.version, None, None)


def copy(bucket: int, source: OpenedVersion, *, storage_class: str = "STANDARD") -> None:
    version = NewVersion(owner_id=OWNER_ID, size_bytes=SIZE, etag=source.version.etag, storage_class=storage_class)
    copy_object(bucket_id=bucket, key="copy", source=source, version=version, conditions=UNCONDITIONAL, encryption=None)


def copy_part(bucket: int, source: OpenedVersion) -> None:
    upload, _ = MultipartUpload.objects.get_or_create(
        upload_id="u", bucket_id=bucket, key="copy", owner_id=OWNER_ID, storage_class="STANDARD"
    )
    upload_part_copy(upload=upload, part_number=1, source=source, part=ByteRange(0, SIZE, SIZE), data_key=None)


@pytest.mark.parametrize("storage_class", ["STANDARD", "ZIPPED"])
@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_copy_onto_itself_without_history_keeps_bytes_and_annotations(
    bucket: int,
    source: OpenedVersion,
    storage_class: str,
    is_encrypted: bool,  # noqa: FBT001
) -> None:
    if storage_class != "STANDARD":
        add_storage_class(name=storage_class, compression_level=3)
    put_annotation(version=source.version, name="a", payload=b"said", algorithm=ChecksumAlgorithm.CRC32, if_match=None)
    version = NewVersion(owner_id=OWNER_ID, size_bytes=SIZE, etag="1" * 32, storage_class=storage_class)
    copy_object(
        bucket_id=bucket,
        key="source",
        source=source,
        version=version,
        conditions=UNCONDITIONAL,
        encryption=EncryptionChoice(Method.SSE_S3) if is_encrypted else None,
        with_annotations=True,
    )
    found = look_up_row(bucket_id=bucket, version_row=ObjectVersion.objects.get().pk)
    assert found is not None
    assert found.version is not None
    content = find_annotation(found.version.id, "a")
    assert content is not None
    assert read_payload(found.version, content) == b"said"
    data_key = unwrap(found.version.encryption, None)
    assert b"".join(iterate_version(found.version, 0, SIZE, data_key=data_key)) == DATA * 2
    assert BucketUsage.objects.aggregate(total=Sum("annotation_bytes"))["total"] == 4


class Rival:
    """A call in another thread, and what became of it."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.failure: Exception | None = None
        self._call = call
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._call()
        except Exception as failure:  # noqa: BLE001  the test looks at it
            self.failure = failure
        finally:
            connections.close_all()

    def end(self) -> Exception | None:
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.failure


def await_waiters(database: psycopg.Connection[Any], count: int = 1) -> None:
    """Wait until so many wait for a lock."""
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    wait_until(lambda: len(database.execute(waiting).fetchall()) >= count, "they wait for a lock")


def erase(version_row: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT objects_erase_version(%s)", [version_row])


def collect() -> None:
    delete_unreferenced_chunks(grace_seconds=0)
    unlink_garbage()


@pytest.mark.parametrize("make_copy", [copy, copy_part])
def test_a_copy_and_the_collector_lock_chunks_in_one_order(
    bucket: int, source: OpenedVersion, chunks: list[WrittenChunk], make_copy: Callable[[int, OpenedVersion], None]
) -> None:
    first, last = sorted(chunk.id for chunk in chunks)
    with connect() as collector, connect() as watcher:
        collector.execute("BEGIN")
        collector.execute("SELECT FROM chunks_chunk WHERE id = %s FOR UPDATE", [first])
        rival = Rival(lambda: make_copy(bucket, source))
        await_waiters(watcher)
        collector.execute("SELECT FROM chunks_chunk WHERE id = %s FOR UPDATE NOWAIT", [last])
        collector.execute("COMMIT")
    assert rival.end() is None
    assert Extent.objects.count() == 4


def test_a_copy_whose_source_is_collected_while_it_waits_for_its_key_is_refused(
    bucket: int, source: OpenedVersion
) -> None:
    put_version(bucket, "copy", [])
    with connect() as writer, connect() as watcher:
        writer.execute("BEGIN")
        writer.execute("SELECT FROM objects_object WHERE key = 'copy' FOR UPDATE")
        rival = Rival(lambda: copy(bucket, source))
        await_waiters(watcher)
        erase(source.version.id)
        collect()
        writer.execute("COMMIT")
    assert isinstance(rival.end(), errors.NoSuchKey)
    assert not Chunk.objects.exists()
    assert not Extent.objects.exists()
    assert ObjectVersion.objects.get().size_bytes == 0, "what was at the key is there"


def test_a_copy_whose_source_is_being_collected_waits_and_is_refused(bucket: int, source: OpenedVersion) -> None:
    with connect() as watcher:
        with transaction.atomic():
            erase(source.version.id)
            collect()
            rivals = [Rival(lambda: copy(bucket, source)), Rival(lambda: copy_part(bucket, source))]
            await_waiters(watcher, 2)
        failures = [rival.end() for rival in rivals]
    assert [type(failure) for failure in failures] == [errors.NoSuchKey, errors.NoSuchKey]
    assert not Extent.objects.exists()
    assert not Part.objects.exists()


def test_a_copy_that_was_first_keeps_the_chunks(bucket: int, source: OpenedVersion) -> None:
    with connect() as watcher:
        with transaction.atomic():
            copy(bucket, source)
            rival = Rival(lambda: (erase(source.version.id), collect())[0])
            await_waiters(watcher)
        assert rival.end() is None
    assert Chunk.objects.count() == 2
    assert not Garbage.objects.exists()
    found = look_up_row(bucket_id=bucket, version_row=ObjectVersion.objects.get().pk)
    assert found is not None
    assert found.version is not None
    assert b"".join(iterate_version(found.version, 0, SIZE)) == DATA * 2


@pytest.mark.parametrize("are_fragments_gone", [True, False])
def test_a_copy_that_writes_the_bytes_anew_is_refused_when_its_source_is_gone(
    bucket: int, source: OpenedVersion, *, are_fragments_gone: bool
) -> None:
    add_storage_class(name="ZIPPED", compression_level=3)
    topology.refresh()
    erase(source.version.id)
    if are_fragments_gone:
        collect()
    with pytest.raises(errors.NoSuchKey):
        copy(bucket, source, storage_class="ZIPPED")
    assert not ObjectVersion.objects.exists()
