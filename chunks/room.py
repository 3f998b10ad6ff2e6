"""Which nodes have room for more. A full disk breaks more than the write that fills it, so some of each is left free.

The reserve is no promise to the byte: free space is looked at once a second by each process, and what is written
meanwhile is not counted. It covers what a node takes in that time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from chunks.errors import ChunkError
from chunks.stores.protocol import StoreSpace

RESERVE_BYTES_MAX = 1 << 30
RESERVE_FRACTION = 0.02
LOOK_SECONDS = 1.0


def reserve_bytes(space: StoreSpace, configured_bytes: int | None) -> int:
    """Return how much of a store stays free: what is configured, else 1 GiB, or 2 % of a store below 50 GiB."""
    if configured_bytes is not None:
        return configured_bytes
    return min(RESERVE_BYTES_MAX, int(space.total_bytes * RESERVE_FRACTION))


def is_nearly_full(space: StoreSpace, configured_bytes: int | None) -> bool:
    """Say whether a store should be passed over for new fragments."""
    return space.free_bytes <= reserve_bytes(space, configured_bytes)


@dataclass(slots=True)
class RoomGauge:
    """What was last seen of each node's free space."""

    clock: Callable[[], float] = time.monotonic
    _seen: dict[int, tuple[float, bool]] = field(default_factory=dict)

    def had_room(self, node_id: int) -> bool:
        """Say what was last seen; who was never seen, may take a fragment."""
        seen = self._seen.get(node_id)
        return seen is None or seen[1]

    def has_room(self, node_id: int, read_space: Callable[[], StoreSpace | None], configured_bytes: int | None) -> bool:
        """Say whether the node may take a fragment. One look at the store a second; who can't be asked, may."""
        seen = self._seen.get(node_id)
        now = self.clock()
        if seen is not None:
            if now < seen[0]:
                return seen[1]
            self._seen[node_id] = (now + LOOK_SECONDS, seen[1])  # who comes while this one waits, goes by the last look
        try:
            space = read_space()
        except ChunkError:
            space = None
        answer = space is None or not is_nearly_full(space, configured_bytes)
        self._seen[node_id] = (now + LOOK_SECONDS, answer)
        return answer
