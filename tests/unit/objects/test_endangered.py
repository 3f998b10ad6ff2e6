from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from chunks import topology
from chunks.records import FaultKind, FaultRecord, WrittenChunk
from chunks.services import create_default_topology, record_faults
from chunks.writer import write_chunk
from objects.selectors.endangered import iterate_endangered
from tests.unit.objects.rows import add_bucket, put_version

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nodes(tmp_path: Path) -> None:
    create_default_topology(tmp_path)
    topology.refresh()


def lose(chunk: WrittenChunk, *indexes: int, kind: FaultKind = FaultKind.MISSING) -> None:
    record_faults([FaultRecord(chunk.id, index, chunk.node_ids[index], kind) for index in indexes])


def listed(*arguments: str) -> list[str]:
    output = StringIO()
    call_command("list_endangered", *arguments, stdout=output)
    return output.getvalue().splitlines()


def test_nothing_is_endangered_while_nothing_is_lost() -> None:
    bucket = add_bucket("photos")
    chunk = write_chunk(bytes(300_000))
    put_version(bucket, "a", [chunk])
    lose(chunk, 0, kind=FaultKind.MISPLACED)
    assert list(iterate_endangered()) == []
    assert listed() == ["every chunk has all its fragments, as far as is known"]


def test_objects_are_named_the_most_endangered_first() -> None:
    bucket = add_bucket("photos")
    one, gone, spare = (write_chunk(bytes(300_000)) for _ in range(3))
    put_version(bucket, "one", [spare, one])
    put_version(bucket, "shared", [gone])
    put_version(bucket, "also shared", [gone], share=True)
    lose(one, 0, 3)
    lose(gone, 0, 1, 2)
    lose(spare, 5)
    found = [(found.bucket_name, found.key, found.spare_count) for found in iterate_endangered()]
    assert found == [
        ("photos", "also shared", -1),
        ("photos", "shared", -1),
        ("photos", "one", 0),
        ("photos", "one", 1),
    ]
    lines = listed()
    assert "can't be read now: photos/also shared" in lines[0]
    assert lines[-1] == "3 chunks at reduced redundancy, 1 of them can't be read"
    assert [json.loads(line)["key"] for line in listed("--json")] == ["also shared", "shared", "one", "one"]


def test_a_chunk_without_an_object_is_named_by_itself() -> None:
    chunk = write_chunk(bytes(10))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO chunks_chunk (id, size_bytes, scheme, node_ids, checksum) VALUES (%s, 10, %s, %s, %s)",
            [chunk.id, chunk.scheme, list(chunk.node_ids), chunk.checksum],
        )
    lose(chunk, 0)
    assert "no object" in listed()[0]
