"""Put the durability of each storage class together, for the topology as it is or as it might be.

Not for: the models themselves, which are `durability`. Reads no database: the topology is an argument.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from chunks.default_schemes import AUTOMATIC, choose_large, choose_small
from chunks.durability import (
    Rates,
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
from chunks.placement import NodeView
from chunks.topology import StorageClassEntry, Topology


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What might be otherwise: the scheme, a zone that burnt, more nodes."""

    scheme: str | None = None
    lost_zone_id: int | None = None
    added_nodes: int = 0


@dataclass(frozen=True, slots=True)
class DurabilityLine:
    """One scheme of one storage class. `unreadable_now` and `moved` are None where nothing of the kind was asked."""

    storage_class: str
    size: str
    scheme: str
    overhead: float
    tolerated_nodes: int
    tolerated_zones: int
    shares_nodes: bool
    annual_loss: float
    nines: float
    simulated_loss: float
    is_bound: bool
    unreadable_now: float | None
    moved: float | None


@dataclass(frozen=True, slots=True)
class DurabilityReport:
    """What was assumed, and what follows."""

    node_count: int
    zone_count: int
    rates: Rates
    years: float
    seed: int
    lines: tuple[DurabilityLine, ...]

    def as_document(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def report_durability(
    topology: Topology, rates: Rates, what_if: WhatIf, *, years: float, seed: int
) -> DurabilityReport:
    """Compute the durability of every storage class, on the nodes with its label. UnknownScheme; ValueError if no node would be left."""
    nodes = _changed(topology, what_if)
    if not nodes:
        raise ValueError("no active node would be left")
    lines: list[DurabilityLine] = []
    known: dict[tuple[str, tuple[NodeView, ...]], DurabilityLine] = {}  # most classes have one scheme on the same nodes
    for entry in topology.storage_classes:
        fit = topology.for_class(entry.name)
        before, after = tuple(fit.writable), tuple(_changed(fit, what_if))
        for size, scheme in _schemes(entry, what_if, len(after)) if after else ():
            line = known.get((scheme, after))
            if line is None:
                line = known[scheme, after] = _line(scheme, before, after, rates, what_if, years, seed)
            lines.append(replace(line, storage_class=entry.name, size=size))
    return DurabilityReport(len(nodes), len({node.zone_id for node in nodes}), rates, years, seed, tuple(lines))


def _changed(topology: Topology, what_if: WhatIf) -> list[NodeView]:
    """Return the nodes that would be there; none where none would be left to which some could be added."""
    left = [node for node in topology.writable if node.zone_id != what_if.lost_zone_id]
    return add_nodes(left, what_if.added_nodes) if left else []


def _schemes(entry: StorageClassEntry, what_if: WhatIf, node_count: int) -> Iterator[tuple[str, str]]:
    """Yield the schemes of small and large chunks; what follows the topology follows it here too."""
    if what_if.scheme is not None:
        yield "all", what_if.scheme
        return
    follows = what_if.added_nodes > 0
    yield "small", choose_small(AUTOMATIC, node_count) if follows and entry.is_small_automatic else entry.small_scheme
    yield "large", choose_large(AUTOMATIC, node_count) if follows and entry.is_large_automatic else entry.large_scheme


def _line(  # noqa: PLR0917  all of it is the report
    scheme_text: str,
    before: Sequence[NodeView],
    nodes: Sequence[NodeView],
    rates: Rates,
    what_if: WhatIf,
    years: float,
    seed: int,
) -> DurabilityLine:
    scheme = parse_scheme(scheme_text)
    layouts, old_layouts = sample_layouts(scheme, nodes), sample_layouts(scheme, before)
    tolerance = find_tolerance(scheme, nodes, layouts)
    loss = annual_loss(scheme, rates)
    simulated = simulate(scheme, nodes, layouts, rates, years=years, seed=seed)
    burnt = {node.id for node in before if node.zone_id == what_if.lost_zone_id}
    return DurabilityLine(
        storage_class="",
        size="",
        scheme=scheme_text,
        overhead=scheme.fragment_count / scheme.data_count,
        tolerated_nodes=tolerance.nodes,
        tolerated_zones=tolerance.zones,
        shares_nodes=tolerance.shares_nodes,
        annual_loss=loss,
        nines=nines(loss),
        simulated_loss=simulated.annual_loss,
        is_bound=simulated.is_bound,
        unreadable_now=unreadable_share(scheme, old_layouts, burnt) if burnt else None,
        moved=moved_share(old_layouts, layouts) if what_if.added_nodes and not burnt else None,
    )


def describe_schemes(topology: Topology) -> list[str]:
    """Say in a line for each scheme in use what the nodes that there are make of it."""
    lines = []
    for entry in topology.storage_classes:
        nodes = topology.for_class(entry.name).writable
        zone_count = len({node.zone_id for node in nodes})
        if not nodes and topology.writable:
            lines.append(
                f"{entry.name}: no active node is labelled {entry.node_label}, so that nothing can be written to it"
            )
        for size, text in (("small", entry.small_scheme), ("large", entry.large_scheme)) if nodes else ():
            scheme = parse_scheme(text)
            tolerance = find_tolerance(scheme, nodes, sample_layouts(scheme, nodes))
            crowd = "; nodes hold several fragments of a chunk" if tolerance.shares_nodes else ""
            lines.append(
                f"{entry.name}, {size} chunks: {text} on {len(nodes)} nodes in {zone_count} zones; "
                f"any {count_of(tolerance.nodes, 'node')} or {count_of(tolerance.zones, 'zone')} may be lost{crowd}"
            )
    return lines


def count_of(number: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
