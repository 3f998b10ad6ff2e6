"""How likely it is to lose a chunk. Pure: a scheme, a topology and rates in, probabilities out.

Two models stand side by side, because each lies in its own way.

*Replacement windows* (Backblaze, "Cloud storage durability", 2018, with its open script): a year is cut into windows as
long as a repair takes; in each, every fragment fails on its own with probability AFR * window / year; the chunk is lost
if more fail in one window than the scheme tolerates. 17+3 at 0.405 % and 6.5 days gives 11 nines. It assumes a node of
its own for each fragment, and that nodes fail independently.

*Simulation*: nodes and whole zones fail at random times, each a Poisson process; what failed is rebuilt after the same
time; chunks lie where placement puts them. It sees zones that fail as one and fragments that share a node, and it can't
see what is rarer than the years that it runs: then it gives an upper bound (the rule of three, at 95 %).

Neither knows operators, software faults and floods, which dominate in practice.
"""

import random
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, expm1, inf, log1p, log10
from uuid import UUID

from chunks.erasure import Scheme
from chunks.placement import NodeView, place_fragments

DAYS_PER_YEAR = 365.0
LAYOUT_COUNT = 200


@dataclass(frozen=True, slots=True)
class Rates:
    """How often things fail, as the part of nodes (or zones) that does so in a year, and how long a repair takes."""

    node_afr: float = 0.0136
    zone_afr: float = 0.001
    repair_days: float = 1.0


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a simulation saw. `is_bound`: no loss at all, so the probability is an upper bound at 95 %."""

    annual_loss: float
    is_bound: bool
    years: float
    failures: int
    losses: int


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many nodes and zones may be lost, whichever they are, and whether nodes hold several fragments of a chunk."""

    nodes: int
    zones: int
    shares_nodes: bool


def annual_loss(scheme: Scheme, rates: Rates) -> float:
    """Return the probability that a chunk is lost within a year, by replacement windows."""
    window = rates.node_afr * rates.repair_days / DAYS_PER_YEAR
    count = scheme.fragment_count
    lost = sum(
        comb(count, failed) * window**failed * (1 - window) ** (count - failed)
        for failed in range(scheme.tolerated_losses + 1, count + 1)
    )
    return -expm1(DAYS_PER_YEAR / rates.repair_days * log1p(-min(lost, 1 - 1e-16)))


def nines(loss: float) -> float:
    """Return how many nines of durability a probability of loss is: 1e-11 is 11."""
    return inf if loss <= 0 else -log10(loss)


def sample_layouts(
    scheme: Scheme, nodes: Sequence[NodeView], *, seed: int = 1, count: int = LAYOUT_COUNT
) -> list[tuple[int, ...]]:
    """Return where placement puts the fragments of some random chunks."""
    chance = random.Random(seed)  # noqa: S311  a simulation, and repeatable
    chunk_ids = (UUID(int=chance.getrandbits(128)) for _ in range(count))
    return [place_fragments(chunk_id, scheme.fragment_count, nodes) for chunk_id in chunk_ids]


def find_tolerance(scheme: Scheme, nodes: Sequence[NodeView], layouts: Sequence[Sequence[int]]) -> Tolerance:
    """Return what may be lost without losing any of the layouts."""
    zone_of = {node.id: node.zone_id for node in nodes}
    by_node = [Counter(layout) for layout in layouts]
    by_zone = [Counter(zone_of[node_id] for node_id in layout) for layout in layouts]
    return Tolerance(
        nodes=min(_losable(loads, scheme.tolerated_losses) for loads in by_node),
        zones=min(_losable(loads, scheme.tolerated_losses) for loads in by_zone),
        shares_nodes=any(max(loads.values()) > 1 for loads in by_node),
    )


def _losable(loads: Counter[int], tolerated: int) -> int:
    """Return how many of the fullest may go while no more than `tolerated` fragments go with them."""
    count = 0
    for load in sorted(loads.values(), reverse=True):
        tolerated -= load
        if tolerated < 0:
            break
        count += 1
    return count


def unreadable_share(scheme: Scheme, layouts: Sequence[Sequence[int]], lost_nodes: set[int]) -> float:
    """Return the part of the layouts that can't be read without these nodes."""
    return sum(_losses(layout, lost_nodes) > scheme.tolerated_losses for layout in layouts) / len(layouts)


def simulate(
    scheme: Scheme,
    nodes: Sequence[NodeView],
    layouts: Sequence[Sequence[int]],
    rates: Rates,
    *,
    years: float,
    seed: int,
) -> Simulated:
    """Let nodes and zones fail for so many years and count the losses. Costs microseconds a failure and layout."""
    chance = random.Random(seed)  # noqa: S311  a simulation, and repeatable
    nodes_of_zone: dict[int, list[int]] = {}
    for node in nodes:
        nodes_of_zone.setdefault(node.zone_id, []).append(node.id)
    victims: list[list[int]] = [*([node.id] for node in nodes), *nodes_of_zone.values()]
    weights = [rates.node_afr] * len(nodes) + [rates.zone_afr] * len(nodes_of_zone)
    # With fewer nodes away than that, no layout can be short: nearly always, and then nothing is counted.
    harmless = scheme.tolerated_losses // max(max(Counter(layout).values()) for layout in layouts)
    failures = losses = 0
    away: deque[tuple[float, list[int]]] = deque()
    now, rate = 0.0, sum(weights)
    while rate > 0 and (now := now + chance.expovariate(rate)) < years:
        failures += 1
        while away and away[0][0] <= now:
            away.popleft()
        before = {node_id for _, ids in away for node_id in ids}
        failed = chance.choices(victims, weights)[0]
        away.append((now + rates.repair_days / DAYS_PER_YEAR, failed))
        after = before | set(failed)
        if len(after) > harmless:
            losses += _count_new_losses(scheme, layouts, before, after)
    if losses:
        return Simulated(losses / len(layouts) / years, False, years, failures, losses)
    return Simulated(3.0 / years, True, years, failures, 0)


def _count_new_losses(scheme: Scheme, layouts: Sequence[Sequence[int]], before: set[int], after: set[int]) -> int:
    if len(after) == len(before):
        return 0
    tolerated = scheme.tolerated_losses
    return sum(_losses(layout, before) <= tolerated < _losses(layout, after) for layout in layouts)


def _losses(layout: Sequence[int], lost_nodes: set[int]) -> int:
    return sum(node_id in lost_nodes for node_id in layout)


def add_nodes(nodes: Sequence[NodeView], count: int) -> list[NodeView]:
    """Return the nodes with so many new ones of mean weight, each in the zone that has fewest then."""
    grown = list(nodes)
    weight = sum(node.weight for node in nodes) / len(nodes)
    for _ in range(count):
        sizes = Counter(node.zone_id for node in grown)
        zone_id = min(sizes, key=lambda zone_id: (sizes[zone_id], zone_id))
        grown.append(NodeView(max(node.id for node in grown) + 1, zone_id, weight))
    return grown


def moved_share(before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> float:
    """Return the part of the fragments that lie elsewhere in the second list of layouts of the same chunks."""
    pairs: Mapping[bool, int] = Counter(
        one == other for old, new in zip(before, after, strict=True) for one, other in zip(old, new, strict=True)
    )
    return pairs.get(False, 0) / max(1, sum(pairs.values()))
