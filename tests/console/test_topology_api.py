"""Nodes and zones by the console's JSON API: seen and changed by operators alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.console.session import Answer, ConsoleSession, Person
from tests.live.system import LiveSystem

pytestmark = pytest.mark.live


def patch(person: Person, path: str, change: Any, **headers: str) -> Answer:
    sent = {"Content-Type": "application/json", "X-CSRFToken": person.session.token(), **headers}
    return person.session.request(
        f"/api/topology/{path}", method="PATCH", data=json.dumps(change).encode(), headers=sent
    )


def node(person: Person, name: str) -> dict[str, Any]:
    answer = person.session.get(f"/api/topology/nodes/{name}/")
    assert answer.status == 200, answer.text
    return dict(json.loads(answer.body))


def test_the_topology_is_shown_with_how_the_nodes_fare(live: LiveSystem, operator: Person) -> None:
    (region, *_) = json.loads(operator.session.get("/api/topology/").body)["regions"]
    assert [zone["name"] for zone in region["zones"]] == ["zone-a", "zone-b", "zone-c"]
    nodes = [one for zone in region["zones"] for one in zone["nodes"]]
    assert [one["name"] for one in nodes] == [f"node-{number}" for number in range(1, 7)]
    first = node(operator, "node-1")
    assert (first["zone"], first["state"], first["store_kind"]) == ("zone-a", "active", "local_disk")
    assert first["health"]["free_bytes"] > 0
    assert "sealed_options" not in first


def test_state_weight_labels_and_region_are_changed_as_by_command(live: LiveSystem, operator: Person) -> None:
    before = node(operator, "node-6")
    try:
        answer = patch(operator, "nodes/node-6/", {"state": "read_only", "weight": 2.5, "labels": ["hot", "b", "hot"]})
        assert answer.status == 200
        changed = json.loads(answer.body)
        assert (changed["state"], changed["weight"], changed["labels"]) == ("read_only", 2.5, ["b", "hot"])
        listed = json.loads(live.manage("list_nodes", "--json").stdout)
        assert [one["state"] for one in listed if one["name"] == "node-6"] == ["read_only"]
        live.manage("set_node_weight", "node-6", "3")
        assert node(operator, "node-6")["weight"] == 3
        assert json.loads(patch(operator, "zones/zone-c/", {"region": "north"}).body)["region"] == "north"
        assert node(operator, "node-6")["region"] == "north"
    finally:
        back = {name: before[name] for name in ("state", "weight", "labels")}
        assert patch(operator, "nodes/node-6/", back).status == 200
        assert patch(operator, "zones/zone-c/", {"region": ""}).status == 200
    assert node(operator, "node-6") | {"health": None} == before | {"health": None}


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [
        ("nodes/node-6/", {"state": "gone"}, 400),
        ("nodes/node-6/", {"weight": 0}, 400),
        ("nodes/node-6/", {"weight": -1}, 400),
        ("nodes/node-6/", {"weight": float("inf")}, 400),
        ("nodes/node-6/", {"weight": "much"}, 400),
        ("nodes/node-6/", {"labels": "hot"}, 400),
        ("nodes/node-6/", {"labels": ["a\0"]}, 400),
        ("nodes/node-6/", {"capacity_bytes": 1000}, 400),
        ("nodes/node-6/", {"capacity_bytes": 1 << 70}, 400),
        ("nodes/node-6/", {"identity": "x"}, 400),
        ("nodes/node-6/", [1], 400),
        ("nodes/node-99/", {"state": "down"}, 404),
        ("zones/zone-c/", {}, 400),
        ("zones/zone-c/", {"name": "other"}, 400),
        ("zones/nowhere/", {"region": "x"}, 404),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(operator: Person, path: str, change: Any, status: int) -> None:
    before = node(operator, "node-6")
    assert patch(operator, path, change).status == status
    assert node(operator, "node-6") | {"health": None} == before | {"health": None}


def test_nobody_but_operators_sees_or_changes_it(live: LiveSystem, operator: Person, stranger: Person) -> None:
    nobody = Person("", "", ConsoleSession(live.console_url))
    for person in (stranger, nobody):
        assert person.session.get("/api/topology/").status == 403
        assert person.session.get("/api/topology/nodes/node-1/").status == 403
        assert patch(person, "nodes/node-1/", {"state": "down"}).status == 403
        assert patch(person, "zones/zone-a/", {"region": "x"}).status == 403
    forged = patch(operator, "nodes/node-1/", {"state": "down"}, **{"X-CSRFToken": "x"})
    assert forged.status == 403
    assert node(operator, "node-1")["state"] == "active"


def test_a_local_disk_has_the_capacity_that_it_has(live: LiveSystem) -> None:
    refused = live.manage("set_node_capacity", "node-1", "1000000", is_checked=False)
    assert refused.returncode != 0
    assert "says itself" in refused.stderr
