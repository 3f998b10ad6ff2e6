from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from chunks import topology
from chunks.default_classes import DEFAULT_CLASSES
from chunks.models import Node, NodeHealth
from chunks.records import NodeState
from chunks.selectors import list_nodes
from chunks.services import create_default_topology, probe_nodes
from chunks.writer import write_chunk
from tests.unit.chunks.rows import publish

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nodes_dir(tmp_path: Path) -> Path:
    create_default_topology(tmp_path)
    return tmp_path / "nodes"


def run(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def test_nodes_that_are_well_are_seen_with_their_space(nodes_dir: Path) -> None:
    assert [probe.error for probe in probe_nodes()] == [""] * 6
    for health in NodeHealth.objects.all():
        assert health.last_seen_at is not None
        assert health.unreachable_since is None
        assert 0 < health.free_bytes <= health.total_bytes
        assert 0 < health.latency_seconds < 5
    assert not list(nodes_dir.glob("*/probe")), "nothing is left behind"


def test_a_node_that_is_gone_is_unreachable_since_the_first_failure_until_it_is_back(nodes_dir: Path) -> None:
    probe_nodes()
    (nodes_dir / "node-1").rename(nodes_dir / "away")
    (nodes_dir / "away" / "identity").rename(nodes_dir / "away" / "no-identity")
    probe_nodes()
    node = Node.objects.get(name="node-1")
    first = NodeHealth.objects.get(node=node)
    assert "no identity" in first.last_error
    probe_nodes()
    second = NodeHealth.objects.get(node=node)
    assert second.unreachable_since == first.unreachable_since is not None
    assert second.last_seen_at == first.last_seen_at is not None
    (nodes_dir / "away" / "no-identity").rename(nodes_dir / "away" / "identity")
    (nodes_dir / "away").rename(nodes_dir / "node-1")
    probe_nodes()
    health = NodeHealth.objects.get(node=node)
    assert (health.unreachable_since, health.last_error) == (None, "")


def test_another_disk_in_the_nodes_place_is_not_the_node(nodes_dir: Path) -> None:
    shutil.rmtree(nodes_dir / "node-2")
    topology.initialize_store("local_disk", str(nodes_dir / "node-2"))
    errors = {probe.node_id: probe.error for probe in probe_nodes(topology=topology.refresh())}
    assert probe_nodes()  # the handle of the old directory is let go after the first failure
    health = NodeHealth.objects.get(node__name="node-2")
    assert "is node" in health.last_error or "no identity" in errors[health.node_id]
    assert health.unreachable_since is not None


def test_nodes_marked_as_down_are_left_alone() -> None:
    run("set_node_state", "node-3", "down")
    topology.refresh()
    assert len(probe_nodes()) == 5
    assert not NodeHealth.objects.filter(node__name="node-3").exists()


def test_a_node_is_added_by_command_and_used(tmp_path: Path) -> None:
    assert "is active" in run("add_node", "node-7", "zone-d", str(tmp_path / "disk"), "--weight", "2")
    node = Node.objects.get(name="node-7")
    assert (node.zone.name, node.weight, node.state) == ("zone-d", 2.0, NodeState.ACTIVE)
    topology.refresh()
    assert node.pk in write_chunk(bytes(300_000)).node_ids


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add_node", "node-1", "zone-a", "/elsewhere"), "already"),
        (("add_node", "new", "zone-a", "{nodes}/node-1"), "under another name"),
        (("add_node", "new", "zone-a", "/dev/null/x"), "/dev/null/x"),
        (("add_node", "new", "zone-a", "/elsewhere", "--weight", "0"), "--weight"),
        (("set_node_state", "nobody", "down"), "nobody"),
    ],
)
def test_commands_say_in_one_line_what_is_wrong(nodes_dir: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*(argument.format(nodes=nodes_dir) for argument in arguments))


def test_nodes_are_listed_for_people_and_machines() -> None:
    publish(write_chunk(bytes(10)))
    assert "never" in run("list_nodes")
    probe_nodes()
    lines = run("list_nodes").splitlines()
    assert len(lines) == 1 + 6 + 2 * len(DEFAULT_CLASSES)
    assert lines[1].split()[:4] == ["node-1", "zone-a", "active", "1"]
    nodes = json.loads(run("list_nodes", "--json"))
    assert sum(node["fragment_count"] for node in nodes) == 3
    assert {node["health"]["last_error"] for node in nodes} == {""}
    assert list_nodes()[0].health is not None


def test_what_a_probe_could_not_reach_is_asked_last_until_one_reaches_it(nodes_dir: Path) -> None:
    node_id = Node.objects.get(name="node-1").pk
    (nodes_dir / "node-1").rename(nodes_dir / "away")
    probe_nodes()
    seen = topology.refresh()
    assert not seen.is_usable_for_reading(node_id)
    assert node_id not in seen.usable_for_writing()
    NodeHealth.objects.update(probed_at=datetime.now(UTC) - timedelta(hours=1))
    topology._snapshot.stores = topology.StorePool()
    assert topology.refresh().is_usable_for_reading(node_id), "a probe of long ago says nothing"
    (nodes_dir / "away").rename(nodes_dir / "node-1")
    probe_nodes()
    seen = topology.refresh()
    assert seen.is_usable_for_reading(node_id)
    assert node_id in seen.usable_for_writing()
