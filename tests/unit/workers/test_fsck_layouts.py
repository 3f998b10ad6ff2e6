"""fsck of what is compressed, encrypted, packed, and all of it at once: whole, and with a bit that rots."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from chunks import topology
from chunks.fragment_format import fragment_name, segment_name
from chunks.models import Chunk, Node
from chunks.services import create_default_topology, process_packer
from chunks.services.classes import add_storage_class
from objects.models import ObjectVersion
from objects.selectors.lookup import look_up_row
from objects.services.body import store_body
from objects.services.publish import UNCONDITIONAL, NewVersion, publish_stored_body
from objects.services.read import iterate_version
from objstore_project.postgresql.base import IDLE
from s3protocol.checksums import ChecksumAlgorithm
from tests.unit.objects.rows import OWNER_ID, add_bucket
from tests.unit.workers.test_fsck import fsck

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = b"the same words again and again, and a number: %d\n"
TEXT = b"".join(WORDS % number for number in range(20_000))
NOISE = random.Random(5).randbytes(300_000)
KEY = bytes(range(32))


class Body:
    """Bytes that somebody uploads."""

    checksum_algorithm: ChecksumAlgorithm | None = None

    def __init__(self, data: bytes) -> None:
        self.size_bytes: int | None = len(data)
        self._data = data

    def pieces(self) -> Iterator[bytes]:
        yield self._data

    def claimed_md5(self) -> bytes | None:
        return None

    def claimed_checksum(self) -> bytes | None:
        return None


@pytest.fixture(autouse=True)
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setitem(connection.settings_dict, "SHARES_CONNECTIONS", True)  # or each writing thread keeps one
    create_default_topology(tmp_path)
    add_storage_class(name="ZIPPED", compression_level=3)
    topology.refresh()
    process_packer.cache_clear()
    yield add_bucket("photos")
    process_packer.cache_clear()
    while (idle := IDLE.take("default")) is not None:
        idle.close()


def put(bucket: int, data: bytes, storage_class: str, data_key: bytes | None) -> int:
    stored = store_body(
        Body(data),
        storage_class=storage_class,
        size_bytes_max=1 << 30,
        data_key=data_key,
        content_type="text/plain",
    )
    version = NewVersion(owner_id=OWNER_ID, size_bytes=len(data), etag="0" * 32, storage_class=storage_class)
    key = f"{storage_class} {len(data)} {data_key is not None} {os.urandom(4).hex()}"
    return publish_stored_body(
        bucket_id=bucket, key=key, version=version, stored=stored, conditions=UNCONDITIONAL
    ).row_id


def read(bucket: int, row: int, data_key: bytes | None) -> bytes:
    found = look_up_row(bucket_id=bucket, version_row=row)
    assert found is not None
    assert found.version is not None
    return b"".join(iterate_version(found.version, 0, found.version.size_bytes, data_key=data_key))


def rot(chunk: Chunk) -> None:
    """Flip a bit in the middle of a fragment, or of its place in a copy of a segment."""
    directory = Path(Node.objects.get(pk=chunk.node_ids[0]).location) / "fragments"
    name = fragment_name(chunk.id, 0) if chunk.segment_id is None else segment_name(chunk.segment_id)
    path = next(directory.rglob(name))
    with path.open("r+b") as file:
        file.seek((chunk.segment_offset or 0) + 100)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("data", [TEXT, TEXT[:3_000], NOISE[:4_096]], ids=len)
@pytest.mark.parametrize("data_key", [None, KEY], ids=["plain", "encrypted"])
@pytest.mark.parametrize("storage_class", ["STANDARD", "ZIPPED"])
def test_every_layout_is_whole_and_its_damage_is_found_by_reading(
    bucket: int, data: bytes, data_key: bytes | None, storage_class: str
) -> None:
    row = put(bucket, data, storage_class, data_key)
    assert read(bucket, row, data_key) == data
    assert fsck("--without-journal") == fsck("--deep") == {}
    chunk = Chunk.objects.first()
    assert chunk is not None
    assert (chunk.plain_bytes is not None) == (storage_class == "ZIPPED" and data[:3] == b"the")
    assert (chunk.segment_id is not None) == (chunk.size_bytes <= 64 * 1024)
    rot(chunk)
    assert fsck("--without-journal") == {}
    assert fsck("--deep") == {"fragment corrupt": 1}
    assert read(bucket, row, data_key) == data
    assert ObjectVersion.objects.count() == 1
