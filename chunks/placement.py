"""Say which node holds which fragment of a chunk. Pure: the same chunk and nodes give the same answer everywhere.

The answer is written down in the chunk's row, so a change of topology moves nothing by surprise; this module says where
new fragments go, where a failed node's fragments go instead, and which fragments stand badly.

Theory. Rendezvous hashing (D. Thaler and C. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM
Transactions on Networking 6(1), 1998): each node gets a score from a hash of itself and the chunk, and the highest
scores win, so a new node takes its share from all and nothing else moves. With h uniform in (0, 1) the score
-weight / ln(h) makes a node win in proportion to its weight (J. Resch, "New hashing methodologies for scaling object
storage", SNIA Storage Developer Conference 2015).

Rules, the first the strongest:
1. Nodes share a chunk's fragments as evenly as they can: none holds two while another holds none.
2. Zones do so too, as far as 1 allows: 4+2 over three zones of two nodes puts two fragments in each zone.
3. Scores, and so weights, choose what is left open.

All three are one order: the a-th fragment (from 0) that a zone of c nodes might hold has the key
(a // c, a, -score), and the fragments go to the smallest keys; inside a zone the same holds for nodes with c = 1.

The keys say how many fragments each takes, but not which, and dealing them out in order of score would shift all
fragments when a newcomer wins. So they are dealt in order of age (`_deal`): the oldest takes all, and each newcomer
takes over just what its keys entitle it to, from whoever holds the largest. The others keep what they had.
docs/design/placement.md has the figures.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from uuid import UUID

from xxhash import xxh3_64_intdigest

_DIGEST_MASK = (1 << 64) - 1
_MIX = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio, as in Fibonacci hashing
_FRACTION_RANGE = float(1 << 53)
_ZONE_SEED = 1 << 32  # keeps the scores of zones apart from those of nodes, whose ids are small


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node as placement sees it. Lower ids are older: ids are given out in order and never again."""

    id: int
    zone_id: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class _Taker:
    """A zone or a node that fragments are dealt to. `capacity` is the number of its nodes."""

    id: int
    seed: int
    weight: float
    capacity: int


def place_fragments(chunk_id: UUID, fragment_count: int, nodes: Sequence[NodeView]) -> tuple[int, ...]:
    """Return the node for each fragment: element i is the id of the node for fragment i.

    With fewer nodes than fragments, nodes are shared; ValueError without any node. Costs about 20 microseconds for
    six nodes, and grows with the number of nodes.
    """
    if not nodes:
        raise ValueError("no node to place a fragment on")
    zones, nodes_of_zone = _takers(tuple(nodes))
    key = chunk_id.bytes
    placed = [0] * fragment_count
    for zone_id, zone_indexes in _deal(list(range(fragment_count)), zones, key).items():
        for node_id, node_indexes in _deal(zone_indexes, nodes_of_zone[zone_id], key).items():
            for index in node_indexes:
                placed[index] = node_id
    return tuple(placed)


def place_with_hand_off(
    chunk_id: UUID, fragment_count: int, nodes: Sequence[NodeView], usable_ids: Collection[int]
) -> tuple[int, ...]:
    """Return where each fragment belongs while only `usable_ids` take any: at home, or next in hand-off order.

    Home is what `place_fragments` says of all `nodes` that are known, also those that are gone: so when one goes, what
    the others hold stays where it is. `usable_ids` must not be empty.
    """
    proper = place_fragments(chunk_id, fragment_count, nodes)
    placed = {index: node_id for index, node_id in enumerate(proper) if node_id in usable_ids}
    for index in range(fragment_count):
        if index not in placed:
            placed[index] = rank_candidates(chunk_id, placed.values(), nodes, usable_ids)[0]
    return tuple(placed[index] for index in range(fragment_count))


def rank_candidates(
    chunk_id: UUID, other_holders: Iterable[int], nodes: Sequence[NodeView], usable_ids: Collection[int]
) -> list[int]:
    """Return `usable_ids`, best first, as places for a fragment of the chunk that lost its own: the hand-off order.

    `other_holders` are the nodes of the chunk's other fragments; `nodes` are all that are known. Preferred are nodes
    that hold least of the chunk, then those in the zone that holds least of it, then higher scores.
    """
    known = {node.id: node for node in nodes}
    node_loads = Counter(other_holders)
    zone_loads: Counter[int] = Counter()
    for node_id, load in node_loads.items():
        if node_id in known:
            zone_loads[known[node_id].zone_id] += load
    key = chunk_id.bytes

    def preference(node: NodeView) -> tuple[int, int, float]:
        return node_loads[node.id], zone_loads[node.zone_id], -_score(xxh3_64_intdigest(key, node.id), node.weight)

    return [node.id for node in sorted((known[id_] for id_ in usable_ids if id_ in known), key=preference)]


def find_misplaced(chunk_id: UUID, node_ids: Sequence[int], nodes: Sequence[NodeView]) -> list[int]:
    """Return the indexes of the fragments that crowd a node or a zone more than the chunk's proper placement does.

    `nodes` are those that would take fragments if all worked. Of the fragments that share a node, those which are at
    home there may stay.
    """
    proper = place_fragments(chunk_id, len(node_ids), nodes)
    if tuple(node_ids) == proper:
        return []
    zone_ids = {node.id: node.zone_id for node in nodes}
    node_limit = max(Counter(proper).values())
    zone_limit = max(Counter(zone_ids[node_id] for node_id in proper).values())
    node_loads: Counter[int] = Counter()
    zone_loads: Counter[int | None] = Counter()
    misplaced = []
    for index in sorted(range(len(node_ids)), key=lambda index: node_ids[index] != proper[index]):
        node_id = node_ids[index]
        zone_id = zone_ids.get(node_id)
        if node_loads[node_id] >= node_limit or (zone_id is not None and zone_loads[zone_id] >= zone_limit):
            misplaced.append(index)
        node_loads[node_id] += 1
        zone_loads[zone_id] += 1
    return sorted(misplaced)


@lru_cache(maxsize=64)
def _takers(nodes: tuple[NodeView, ...]) -> tuple[list[_Taker], dict[int, list[_Taker]]]:
    """Return the zones, and the nodes of each, both oldest first."""
    nodes_of_zone: dict[int, list[_Taker]] = {}
    for node in sorted(nodes, key=lambda node: node.id):
        nodes_of_zone.setdefault(node.zone_id, []).append(_Taker(node.id, node.id, node.weight, 1))
    zones = [
        _Taker(zone_id, _ZONE_SEED + zone_id, sum(taker.weight for taker in takers), len(takers))
        for zone_id, takers in sorted(nodes_of_zone.items())
    ]
    return zones, nodes_of_zone


def _deal(indexes: list[int], takers: Sequence[_Taker], key: bytes) -> dict[int, list[int]]:
    """Deal `indexes` to `takers`, oldest first, and return what each holds by its id."""
    if len(takers) == 1:
        return {takers[0].id: indexes}
    hands = [_Hand(takers[0], key, indexes)]
    for newcomer in takers[1:]:
        hand = _Hand(newcomer, key, [])
        while hands:
            giver = max(hands, key=_Hand.last_key)
            if hand.next_key() >= giver.last_key():
                break
            hand.take_from(giver)
            if not giver.indexes:
                hands.remove(giver)
        if hand.indexes:
            hands.append(hand)
    return {hand.taker.id: hand.indexes for hand in hands}


class _Hand:
    """What one taker holds while fragments are dealt."""

    __slots__ = ("digest", "indexes", "score", "taker")

    def __init__(self, taker: _Taker, key: bytes, indexes: list[int]) -> None:
        self.taker = taker
        self.digest = xxh3_64_intdigest(key, taker.seed)
        self.score = _score(self.digest, taker.weight)
        self.indexes = indexes

    def next_key(self) -> tuple[int, int, float]:
        count = len(self.indexes)
        return count // self.taker.capacity, count, -self.score

    def last_key(self) -> tuple[int, int, float]:
        count = len(self.indexes) - 1
        return count // self.taker.capacity, count, -self.score

    def take_from(self, giver: "_Hand") -> None:
        # Which one is the taker's own preference, not a position in a list: what others hold doesn't change it.
        preferred = max(giver.indexes, key=lambda index: (self.digest ^ index * _MIX) * _MIX & _DIGEST_MASK)
        giver.indexes.remove(preferred)
        self.indexes.append(preferred)


def _score(digest: int, weight: float) -> float:
    # Half a step off zero, for its logarithm; 53 bits alone, so that the fraction can't be rounded up to one.
    return -weight / log(((digest >> 11) + 0.5) / _FRACTION_RANGE)
