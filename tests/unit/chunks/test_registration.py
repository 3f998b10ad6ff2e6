from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from chunks import selectors, topology
from chunks.default_classes import DEFAULT_CLASSES
from chunks.errors import NodeUnavailable
from chunks.ids import new_chunk_id
from chunks.models import Chunk, FragmentFault, Garbage, Node, StorageClass, Zone
from chunks.reader import read_chunk
from chunks.records import FaultKind, GarbageState, NodeState
from chunks.services import create_default_topology, register_node
from chunks.writer import write_chunk
from tests.unit.chunks.rows import publish

pytestmark = pytest.mark.django_db

DATA = random.Random(3).randbytes(300_000)


def test_six_nodes_in_three_zones_are_ready_to_use(tmp_path: Path) -> None:
    create_default_topology(tmp_path)
    zone_names = Node.objects.values_list("zone__name", flat=True)
    assert Counter(zone_names) == {"zone-a": 2, "zone-b": 2, "zone-c": 2}
    written = write_chunk(DATA)
    assert written.faults == ()
    assert read_chunk(written.as_view()) == DATA


def test_doing_it_again_changes_nothing(tmp_path: Path) -> None:
    create_default_topology(tmp_path)
    Node.objects.filter(name="node-1").update(state=NodeState.DRAINING, weight=2.0)
    before = list(Node.objects.values())
    create_default_topology(tmp_path)
    assert list(Node.objects.values()) == before
    assert set(StorageClass.objects.values_list("name", flat=True)) == set(DEFAULT_CLASSES)
    assert Zone.objects.count() == 3


def test_a_node_that_lost_its_disk_is_down_and_stays_so(tmp_path: Path) -> None:
    create_default_topology(tmp_path)
    shutil.rmtree(tmp_path / "nodes" / "node-1")
    create_default_topology(tmp_path)
    with pytest.raises(NodeUnavailable):
        topology.refresh().store(Node.objects.get(name="node-1").pk)
    assert not (tmp_path / "nodes" / "node-1").exists()


def test_a_store_marked_before_a_crash_is_adopted(tmp_path: Path) -> None:
    identity = topology.initialize_store("local_disk", str(tmp_path / "disk"))
    node = register_node(name="n", zone_name="z", location=str(tmp_path / "disk"), weight=3.0)
    assert (node.identity, node.weight, node.zone.name) == (identity, 3.0, "z")


def test_one_store_is_not_two_nodes(tmp_path: Path) -> None:
    register_node(name="n", zone_name="z", location=str(tmp_path / "disk"))
    with pytest.raises(IntegrityError), transaction.atomic():
        register_node(name="m", zone_name="z", location=str(tmp_path / "disk"))


def test_an_unknown_kind_of_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NodeUnavailable):
        register_node(name="n", zone_name="z", location="x", store_kind="tape")
    assert not Node.objects.exists()


def test_the_snapshot_follows_the_database(tmp_path: Path) -> None:
    create_default_topology(tmp_path)
    first = topology.current()
    assert topology.current() is first
    Node.objects.filter(name="node-1").update(state=NodeState.DOWN)
    assert topology.current() is first
    assert len(topology.refresh().writable) == 5
    assert topology.current() is not first


def test_rows_can_be_inserted_with_their_plain_columns_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO chunks_chunk (id, size_bytes, scheme, node_ids, checksum) VALUES (%s, 1, 'replicate-3', %s, 1)",
            [new_chunk_id(), [1, 2, 3]],
        )
        cursor.execute("INSERT INTO chunks_garbage (chunk_id) VALUES (%s)", [new_chunk_id()])
        cursor.execute(
            "INSERT INTO chunks_fragmentfault (chunk_id, fragment_index, node_id, kind) VALUES (%s, 0, 1, 'missing')",
            [new_chunk_id()],
        )
    assert Chunk.objects.get().storage_class == "STANDARD"
    assert Garbage.objects.get().state == GarbageState.QUESTION
    assert FragmentFault.objects.get().attempts == 0


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO chunks_chunk (id, size_bytes, scheme, node_ids, checksum) VALUES (gen_random_uuid(), -1, 'x', '{1}', 1)",
        "INSERT INTO chunks_chunk (id, size_bytes, scheme, node_ids, checksum) VALUES (gen_random_uuid(), 1, 'x', '{}', 1)",
        "INSERT INTO chunks_garbage (chunk_id, state) VALUES (gen_random_uuid(), 'unlink')",
        "INSERT INTO chunks_garbage (chunk_id, state) VALUES (gen_random_uuid(), 'nonsense')",
        "INSERT INTO chunks_fragmentfault (chunk_id, fragment_index, node_id, kind) VALUES (gen_random_uuid(), 0, 1, 'x')",
    ],
)
def test_rows_that_make_no_sense_are_refused(statement: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(("state", "weight"), [("melted", 1.0), ("active", 0.0), ("active", -1.0)])
def test_a_node_of_no_state_or_weight_is_refused(state: str, weight: float) -> None:
    node = Node(zone=Zone.objects.create(name="z"), name="n", location="x", identity=new_chunk_id())
    node.state, node.weight = state, weight
    with pytest.raises(ValidationError):
        node.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        node.save()


def test_nodes_are_listed_with_what_they_hold(tmp_path: Path) -> None:
    create_default_topology(tmp_path)
    for _ in range(2):
        publish(write_chunk(DATA))
    chunk = publish(write_chunk(DATA[:10]))
    FragmentFault.objects.create(chunk_id=chunk.id, fragment_index=0, node_id=chunk.node_ids[0], kind=FaultKind.CORRUPT)
    Garbage.objects.create(chunk_id=new_chunk_id())
    nodes = selectors.list_nodes()
    assert sum(node.fragment_count for node in nodes) == 15
    assert {node.id: node.fault_count for node in nodes}[chunk.node_ids[0]] == 1
    assert {(node.zone_name, node.state, node.weight) for node in nodes} == {
        (f"zone-{letter}", NodeState.ACTIVE, 1.0) for letter in "abc"
    }
    assert selectors.count_faults() == {FaultKind.CORRUPT: 1}
    assert selectors.count_garbage() == {GarbageState.QUESTION: 1}
