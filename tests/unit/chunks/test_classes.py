"""Storage classes and labels, as operators change them."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from chunks import topology
from chunks.durability_report import describe_schemes
from chunks.errors import NotEnoughNodes
from chunks.models import Chunk, Node, StorageClass, Zone
from chunks.reader import read_chunk
from chunks.selectors import count_bytes_by_class
from chunks.services import create_default_topology, plan_moves, repair_chunk
from chunks.writer import write_chunk
from tests.unit.chunks.rows import current_view, publish

pytestmark = pytest.mark.django_db

DATA = bytes(range(256)) * 1024


@pytest.fixture(autouse=True)
def nodes_dir(tmp_path: Path) -> Path:
    create_default_topology(tmp_path)
    return tmp_path / "nodes"


def run(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def node_ids(*names: str) -> set[int]:
    return set(Node.objects.filter(name__in=names).values_list("pk", flat=True))


def test_a_class_is_added_changed_and_listed() -> None:
    said = run("add_storage_class", "ARCHIVE_2", "--large-scheme", "rs-3+3", "--compression-level", "9")
    assert "rs-3+3" in said
    assert "zstd 9" in said
    run("set_storage_class", "ARCHIVE_2", "--compression-level", "none", "--chunk-size-bytes", str(1 << 20))
    row = StorageClass.objects.get(name="ARCHIVE_2")
    assert (row.compression_level, row.chunk_size_bytes, row.large_scheme) == (None, 1 << 20, "rs-3+3")
    assert "ARCHIVE_2: replicate-3" in run("list_storage_classes")
    listed = {entry["name"]: entry for entry in json.loads(run("list_storage_classes", "--json", "--usage"))}
    assert listed["ARCHIVE_2"]["chunk_size_bytes"] == 1 << 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add_storage_class", "STANDARD"), "already"),
        (("add_storage_class", "not a name"), "capitals"),
        (("add_storage_class", "WIDE", "--large-scheme", "rs-17+4"), "20 fragments"),
        (("add_storage_class", "ODD", "--small-scheme", "raid-5"), "raid-5"),
        (("add_storage_class", "TINY", "--chunk-size-bytes", "1"), "chunk_size"),
        (("add_storage_class", "HARD", "--compression-level", "20"), "compression"),
        (("set_storage_class", "NOWHERE"), "no storage class"),
        (("set_node_labels", "nobody", "hot"), "nobody"),
        (("set_zone_region", "nowhere", "eu"), "nowhere"),
    ],
)
def test_commands_say_in_one_line_what_is_wrong(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)
    assert StorageClass.objects.filter(name__in=["WIDE", "ODD", "TINY", "HARD"]).count() == 0


def test_twenty_fragments_are_fine() -> None:
    run("add_storage_class", "WIDE", "--large-scheme", "rs-16+4")
    written = write_chunk(DATA, storage_class="WIDE")
    assert len(written.node_ids) == 20
    assert read_chunk(written.as_view()) == DATA


def test_a_class_with_a_label_puts_fragments_on_nodes_that_have_it() -> None:
    cold = ("node-2", "node-4", "node-6")
    for name in cold:
        assert run("set_node_labels", name, "cold", "slow").strip() == f"{name}: cold, slow"
    run("add_storage_class", "COLD", "--node-label", "cold")
    entry = topology.refresh().storage_class("COLD")
    assert entry.large_scheme == "replicate-3", "what three nodes can carry"
    for data in (b"small", DATA):
        written = write_chunk(data, storage_class="COLD")
        assert set(written.node_ids) == node_ids(*cold)
        assert written.faults == ()
        assert read_chunk(written.as_view()) == data
    assert not set(write_chunk(DATA).node_ids) <= node_ids(*cold), "other classes use every node"


def test_a_node_is_added_with_labels_and_listed_with_them(nodes_dir: Path) -> None:
    run("add_node", "archive", "zone-a", str(nodes_dir / "archive"), "--label", "cold", "--label", "slow")
    run("set_zone_region", "zone-a", "eu-1")
    (line,) = [line for line in run("list_nodes").splitlines() if line.startswith("archive")]
    assert line.split()[:5] == ["archive", "eu-1/zone-a", "active", "1", "cold,slow"]


def test_a_label_that_no_node_has_takes_nothing() -> None:
    run("add_storage_class", "NOWHERE", "--node-label", "nowhere", "--small-scheme", "replicate-2")
    topology.refresh()
    with pytest.raises(NotEnoughNodes):
        write_chunk(b"x", storage_class="NOWHERE")


def test_repair_and_rebalancing_keep_to_the_label(nodes_dir: Path) -> None:
    for name in ("node-1", "node-3", "node-5", "node-6"):
        run("set_node_labels", name, "cold")
    run("add_storage_class", "COLD", "--node-label", "cold", "--large-scheme", "replicate-3")
    now = topology.refresh()
    chunk = publish(write_chunk(DATA, storage_class="COLD"))
    assert plan_moves(chunk, now) == {}
    now.store(chunk.node_ids[0]).delete_fragment(f"{chunk.id.hex}.0")
    report = repair_chunk(chunk.id)
    assert report.postponed == 0
    assert set(current_view(chunk).node_ids) <= node_ids("node-1", "node-3", "node-5", "node-6")
    run("set_node_labels", Node.objects.get(pk=chunk.node_ids[1]).name)
    moves = plan_moves(current_view(chunk), topology.refresh())
    assert chunk.node_ids[1] not in set(moves.values())
    assert 1 in moves, "a node that lost its label is left by the next rebalancing"


def test_how_durable_a_class_is_depends_on_the_nodes_with_its_label() -> None:
    run(
        "add_storage_class", "COLD", "--node-label", "cold", "--small-scheme", "replicate-2", "--large-scheme", "rs-2+1"
    )
    (line,) = [line for line in describe_schemes(topology.refresh()) if line.startswith("COLD")]
    assert "no active node is labelled cold" in line
    assert "COLD" not in run("durability", "--years", "100")
    for name in ("node-1", "node-2", "node-3"):
        run("set_node_labels", name, "cold")
    small, large = [line for line in describe_schemes(topology.refresh()) if line.startswith("COLD")]
    assert "on 3 nodes in 2 zones; any 1 node or 1 zone may be lost" in small
    assert "on 3 nodes in 2 zones; any 1 node or 0 zones may be lost" in large
    (told,) = re.findall(r"COLD, large chunks: .*\n  may be lost: (.*)", run("durability", "--years", "100"))
    assert told == "any 1 node, any 0 zones"


def test_what_classes_hold_is_counted() -> None:
    written = publish(write_chunk(DATA))
    Chunk.objects.filter(pk=written.id).update(plain_bytes=2 * len(DATA))
    usage = count_bytes_by_class()["STANDARD"]
    assert (usage.chunk_count, usage.compressed_count) == (1, 1)
    assert (usage.plain_bytes, usage.chunk_bytes) == (2 * len(DATA), len(DATA))
    assert usage.stored_bytes == len(DATA) * 6 // 4
    assert "1 chunks are compressed" in run("list_storage_classes", "--usage")


def test_a_zone_gets_a_region() -> None:
    assert "eu-1" in run("set_zone_region", "zone-a", "eu-1")
    assert Zone.objects.get(name="zone-a").region == "eu-1"
