from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from chunks import inspection, topology
from chunks.fragment_format import fragment_name
from chunks.models import Garbage, Node
from chunks.records import GarbageState, WrittenChunk
from chunks.services import create_default_topology
from chunks.writer import write_chunk
from objects.selectors import consistency
from tests.unit.objects.rows import add_bucket, put_version

pytestmark = pytest.mark.django_db(transaction=True)

DATA = bytes(range(256)) * 1200


@pytest.fixture(autouse=True)
def _small_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_default_topology(tmp_path)
    topology.refresh()
    monkeypatch.setattr(consistency, "RANGE_SIZE", 2)
    monkeypatch.setattr(inspection, "CHUNK_BATCH_SIZE", 2)


@pytest.fixture
def chunk() -> WrittenChunk:
    """The chunk of one object among others."""
    bucket = add_bucket("photos", history_seconds=3600)
    chunks = [write_chunk(data) for data in (DATA, DATA[:100], DATA, DATA[:5])]
    put_version(bucket, "first", chunks[:1])
    put_version(bucket, "second", chunks[1:3])
    put_version(bucket, "second", chunks[3:])
    put_version(bucket, "empty", [])
    return chunks[0]


def fsck(*arguments: str) -> dict[str, int]:
    output, code = StringIO(), 0
    try:
        call_command("fsck", "--json", "--orphan-grace-seconds", "-60", *arguments, stdout=output)
    except SystemExit as ended:
        code = int(str(ended.code))
    summary = json.loads(output.getvalue())
    assert code == (1 if summary["problems"] else 0)
    assert summary["chunks"] == 4 or arguments
    return dict(summary["by_kind"])


def sql(statement: str) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # constraints would not let it happen
            cursor.execute(statement)
            cursor.execute("SET session_replication_role = DEFAULT")

    return run


def path_of(chunk: WrittenChunk, index: int) -> Path:
    location = Path(Node.objects.get(pk=chunk.node_ids[index]).location)
    return next((location / "fragments").rglob(fragment_name(chunk.id, index)))


def test_a_sound_store_is_clean(chunk: WrittenChunk) -> None:
    assert fsck() == {}
    assert fsck("--deep") == {}


@pytest.mark.parametrize(
    ("break_it", "problem"),
    [
        (sql("UPDATE objects_objectversion SET size_bytes = size_bytes + 1 WHERE size_bytes = 5"), "NOT_COVERED"),
        (sql("UPDATE objects_extent SET offset_bytes = offset_bytes + 1 WHERE offset_bytes > 0"), "NOT_COVERED"),
        (sql("UPDATE objects_extent SET chunk_offset_bytes = 1 WHERE size_bytes = 5"), "OUTSIDE_CHUNK"),
        (sql("UPDATE objects_extent SET chunk_id = gen_random_uuid() WHERE size_bytes = 5"), "OUTSIDE_CHUNK"),
        (sql("DELETE FROM objects_extent WHERE size_bytes = 5"), "UNREFERENCED"),
        (sql("UPDATE objects_object SET current_version_id = NULL WHERE key = 'first'"), "WRONG_POINTER"),
        (sql("UPDATE objects_object SET is_listed = false WHERE key = 'first'"), "WRONG_POINTER"),
        (sql("UPDATE objects_bucketusage SET history_bytes = history_bytes + 1"), "WRONG_USAGE"),
        (sql("DELETE FROM objects_bucketusage"), "WRONG_USAGE"),
        (
            sql(
                "INSERT INTO chunks_garbage (chunk_id, state, node_ids) SELECT id, 'unlink', node_ids FROM chunks_chunk"
            ),
            "UNLINKED_ALIVE",
        ),
        (
            sql("UPDATE chunks_chunk SET segment_id = gen_random_uuid(), segment_offset = 0 WHERE size_bytes = 5"),
            "BESIDE_SEGMENT",
        ),
        (
            sql(
                "INSERT INTO chunks_segment (id, storage_class, scheme, node_ids)"
                " SELECT gen_random_uuid(), storage_class, scheme, node_ids || 1::smallint FROM chunks_chunk"
                "  WHERE size_bytes = 5;"
                "UPDATE chunks_chunk SET segment_offset = 0, segment_id = (SELECT id FROM chunks_segment)"
                " WHERE size_bytes = 5"
            ),
            "BESIDE_SEGMENT",
        ),
    ],
)
def test_metadata_that_contradicts_itself_is_found(
    chunk: WrittenChunk, break_it: Callable[[], None], problem: str
) -> None:
    break_it()
    assert consistency.MetadataProblem[problem] in fsck()


def test_lost_and_cut_fragments_are_found_and_damage_inside_only_by_reading(chunk: WrittenChunk) -> None:
    path_of(chunk, 0).unlink()
    cut, damaged = path_of(chunk, 1), path_of(chunk, 2)
    cut.write_bytes(cut.read_bytes()[:-1])
    data = bytearray(damaged.read_bytes())
    data[1000] ^= 1
    damaged.write_bytes(data)
    assert fsck() == {"fragment missing": 1, "fragment corrupt": 1}
    assert fsck("--deep") == {"fragment missing": 1, "fragment corrupt": 2}


def test_what_no_chunk_names_is_an_orphan_unless_it_waits_to_be_unlinked(chunk: WrittenChunk) -> None:
    stray, awaited = write_chunk(DATA[:10]), write_chunk(DATA[:10])
    Garbage.objects.create(chunk_id=awaited.id, node_ids=list(awaited.node_ids), state=GarbageState.UNLINK)
    assert fsck() == {"fragment or segment that no row names": len(stray.node_ids)}
    assert fsck("--orphan-grace-seconds", "3600") == {}


def test_a_half_written_file_is_an_orphan(chunk: WrittenChunk) -> None:
    path = path_of(chunk, 0)
    path.with_name(f"{path.name}.abc.tmp").write_bytes(b"half")
    assert fsck() == {"fragment or segment that no row names": 1}


def test_a_fragment_on_the_wrong_node_is_missing_here_and_an_orphan_there(chunk: WrittenChunk) -> None:
    path, other = path_of(chunk, 0), path_of(chunk, 1)
    path.rename(other.with_name(path.name))
    assert fsck() == {"fragment missing": 1, "fragment or segment that no row names": 1}


def test_a_node_that_is_gone_is_found_with_all_that_it_held(chunk: WrittenChunk) -> None:
    node = Node.objects.get(pk=chunk.node_ids[0])
    Path(node.location).rename(Path(node.location).with_name("away"))
    topology.refresh()._stores.forget(node.pk)
    found = fsck()
    assert found.pop("node out of reach") == 1
    assert set(found) == {"fragment out of reach"}


def test_people_see_each_problem_up_to_a_number_and_a_summary(chunk: WrittenChunk) -> None:
    for index in range(3):
        path_of(chunk, index).unlink()
    output = StringIO()
    with pytest.raises(SystemExit):
        call_command("fsck", "--show", "2", stdout=output)
    lines = output.getvalue().splitlines()
    assert [line.startswith("fragment missing: ") for line in lines] == [True, True, False, False]
    assert lines[-1].endswith("3 problems")
