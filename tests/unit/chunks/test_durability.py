from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from chunks import topology
from chunks.default_schemes import AUTOMATIC, choose_large, choose_small
from chunks.durability import (
    Rates,
    Tolerance,
    add_nodes,
    annual_loss,
    find_tolerance,
    moved_share,
    nines,
    sample_layouts,
    simulate,
    unreadable_share,
)
from chunks.erasure import parse_scheme
from chunks.models import StorageClass
from chunks.placement import NodeView
from chunks.services import create_default_topology, register_node, set_node_state

SIX = [NodeView(number, (number + 1) // 2) for number in range(1, 7)]


def test_the_figure_that_backblaze_published_comes_out() -> None:
    published = annual_loss(parse_scheme("rs-17+3"), Rates(node_afr=0.00405, repair_days=6.5))
    assert nines(published) == pytest.approx(11.1, abs=0.05)


@pytest.mark.parametrize(
    ("scheme", "afr", "days", "expected"),
    [
        ("replicate-2", 0.0041, 6.5, 6.5),
        ("replicate-3", 0.0136, 1, 10.7),
        ("rs-4+2", 0.0041, 6.5, 9.4),
        ("rs-4+2", 0.05, 7, 6.0),
        ("rs-8+4", 0.0136, 1, 16.7),
        ("rs-12+4", 0.0136, 7, 12.6),
    ],
)
def test_schemes_rates_and_repair_times_give_their_nines(scheme: str, afr: float, days: float, expected: float) -> None:
    loss = annual_loss(parse_scheme(scheme), Rates(node_afr=afr, repair_days=days))
    assert nines(loss) == pytest.approx(expected, abs=0.06)


def test_what_always_fails_is_lost_and_what_never_fails_is_not() -> None:
    assert annual_loss(parse_scheme("rs-4+2"), Rates(node_afr=1.0, repair_days=365)) == pytest.approx(1)
    assert annual_loss(parse_scheme("rs-4+2"), Rates(node_afr=0.0)) == 0
    assert nines(0) == float("inf")


def test_the_simulation_agrees_with_the_windows_where_failures_are_independent() -> None:
    rates = Rates(node_afr=0.5, zone_afr=0.0, repair_days=20)
    scheme = parse_scheme("rs-4+2")
    simulated = simulate(scheme, SIX, sample_layouts(scheme, SIX), rates, years=5_000, seed=1)
    assert not simulated.is_bound
    # A window sees failures that fall into the same one, the simulation all that are less than a repair apart.
    assert annual_loss(scheme, rates) < simulated.annual_loss < 4 * annual_loss(scheme, rates)


def test_a_zone_that_burns_matters_only_where_it_holds_too_much() -> None:
    rates = Rates(node_afr=0.0, zone_afr=0.01, repair_days=1)
    two_zones = [NodeView(number, 1 + number % 2) for number in range(1, 7)]
    scheme = parse_scheme("rs-4+2")
    safe = simulate(scheme, SIX, sample_layouts(scheme, SIX), rates, years=10_000, seed=2)
    assert safe.is_bound
    assert safe.annual_loss == 3 / 10_000
    unsafe = simulate(scheme, two_zones, sample_layouts(scheme, two_zones), rates, years=10_000, seed=2)
    assert unsafe.annual_loss == pytest.approx(0.02, rel=0.2)


def test_the_same_seed_gives_the_same() -> None:
    scheme, rates = parse_scheme("rs-4+2"), Rates(0.5, 0.01, 30)
    layouts = sample_layouts(scheme, SIX)
    runs = {simulate(scheme, SIX, layouts, rates, years=1000, seed=seed) for seed in (5, 5, 6)}
    assert len(runs) == 2


def test_what_may_be_lost_follows_from_placement() -> None:
    for text, nodes, expected in (
        ("rs-4+2", SIX, Tolerance(2, 1, False)),
        ("rs-4+2", SIX[:5], Tolerance(1, 1, True)),
        ("replicate-3", SIX, Tolerance(2, 2, False)),
        ("rs-4+2", [NodeView(1, 1)], Tolerance(0, 0, True)),
    ):
        scheme = parse_scheme(text)
        assert find_tolerance(scheme, nodes, sample_layouts(scheme, nodes)) == expected


def test_a_burnt_zone_and_more_nodes_are_reckoned_by_placement() -> None:
    scheme = parse_scheme("rs-4+2")
    layouts = sample_layouts(scheme, SIX)
    assert unreadable_share(scheme, layouts, {1, 2}) == 0
    assert unreadable_share(scheme, layouts, {1, 2, 3}) == 1
    nine = add_nodes(SIX, 3)
    assert [(node.id, node.zone_id) for node in nine[6:]] == [(7, 1), (8, 2), (9, 3)]
    assert moved_share(layouts, sample_layouts(scheme, nine)) == pytest.approx(1 / 3, abs=0.04)


@pytest.mark.parametrize(
    ("count", "small", "large"),
    [
        (1, "replicate-1", "replicate-1"),
        (2, "replicate-2", "replicate-2"),
        (3, "replicate-3", "replicate-3"),
        (4, "replicate-3", "rs-2+2"),
        (5, "replicate-3", "rs-3+2"),
        (6, "replicate-3", "rs-4+2"),
        (11, "replicate-3", "rs-4+2"),
        (12, "replicate-3", "rs-8+4"),
        (100, "replicate-3", "rs-8+4"),
    ],
)
def test_the_default_scheme_is_what_the_nodes_can_carry(count: int, small: str, large: str) -> None:
    assert (choose_small(AUTOMATIC, count), choose_large(AUTOMATIC, count)) == (small, large)
    assert parse_scheme(large).fragment_count <= count
    assert choose_large("rs-10+4", count) == "rs-10+4"


def scheme_now() -> str:
    return topology.refresh().storage_class("STANDARD").large_scheme


def output_of(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


@pytest.mark.django_db
def test_the_default_scheme_follows_the_topology_and_is_said_aloud(tmp_path: Path) -> None:
    create_default_topology(tmp_path)
    assert scheme_now() == "rs-4+2"
    assert "rs-4+2 on 6 nodes in 3 zones; any 2 nodes or 1 zone may be lost" in output_of("list_nodes")
    for number in range(7, 13):
        register_node(
            name=f"node-{number}", zone_name=f"zone-{'abc'[number % 3]}", location=str(tmp_path / str(number))
        )
    assert scheme_now() == "rs-8+4"
    assert "rs-8+4 on 12 nodes in 3 zones; any 4 nodes or 1 zone may be lost" in output_of("list_nodes")
    for number in range(5, 13):
        set_node_state(name=f"node-{number}", state="down")
    assert scheme_now() == "rs-2+2"
    StorageClass.objects.update(large_scheme="rs-4+2")
    assert scheme_now() == "rs-4+2"
    assert "nodes hold several fragments of a chunk" in output_of("list_nodes")


@pytest.mark.django_db
def test_the_command_says_it_for_people_and_machines(tmp_path: Path) -> None:
    create_default_topology(tmp_path)
    StorageClass.objects.exclude(name="STANDARD").delete()
    text = output_of("durability", "--years", "1000")
    assert "STANDARD, large chunks: rs-4+2, 1.50 bytes stored for each" in text
    document = json.loads(output_of("durability", "--json", "--afr", "0.405", "--repair-days", "6.5", "--years", "100"))
    assert [round(line["nines"], 1) for line in document["lines"]] == [10.7, 9.4]
    document = json.loads(output_of("durability", "--json", "--years", "100", "--lose-zone", "zone-b"))
    assert (document["node_count"], document["lines"][1]["unreadable_now"]) == (4, 0.0)
    assert document["lines"][1]["shares_nodes"]
    document = json.loads(output_of("durability", "--json", "--years", "100", "--add-nodes", "6"))
    assert [line["scheme"] for line in document["lines"]] == ["replicate-3", "rs-8+4"]
    document = json.loads(output_of("durability", "--json", "--years", "100", "--scheme", "rs-3+3"))
    assert [line["tolerated_zones"] for line in document["lines"]] == [1]
    for wrong in (["--scheme", "raid-5"], ["--lose-zone", "nowhere"], ["--repair-days", "0"]):
        with pytest.raises(CommandError):
            output_of("durability", *wrong)
