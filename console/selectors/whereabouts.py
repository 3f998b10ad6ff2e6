"""Where the bytes of a version lie: its extents, their chunks, and the nodes that hold the fragments."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from chunks.erasure import parse_scheme
from chunks.models import FragmentFault, Node
from chunks.records import NodeState
from objects.selectors.lookup import ExtentRecord, VersionRecord, iterate_extents

SHOWN_EXTENTS_MAX = 32


@dataclass(frozen=True, slots=True)
class FragmentPlace:
    """One fragment of a chunk: the node that holds it, and the open fault if there is one."""

    index: int
    node_name: str
    zone_name: str
    state: str
    fault: str

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing is known against the fragment."""
        return not self.fault and self.state != NodeState.DOWN.value


@dataclass(frozen=True, slots=True)
class ExtentPlace:
    """A run of a version's bytes, the chunk that it lies in, and the places of the chunk's fragments."""

    offset_bytes: int
    size_bytes: int
    chunk_id: str
    chunk_size_bytes: int
    scheme: str
    tolerated_losses: int
    fragments: tuple[FragmentPlace, ...]


def find_whereabouts(version: VersionRecord) -> tuple[list[ExtentPlace], bool]:
    """Return the places of the first SHOWN_EXTENTS_MAX extents, and whether there are more. Three statements."""
    extents = list(islice(iterate_extents(version, 0, version.size_bytes), SHOWN_EXTENTS_MAX + 1))
    shown = extents[:SHOWN_EXTENTS_MAX]
    nodes = {node.pk: node for node in Node.objects.select_related("zone")}
    faults = {
        (fault.chunk_id, fault.fragment_index): fault.kind
        for fault in FragmentFault.objects.filter(chunk_id__in={extent.chunk.id for extent in shown})
    }
    return [_place(extent, nodes, faults) for extent in shown], len(extents) > SHOWN_EXTENTS_MAX


def _place(extent: ExtentRecord, nodes: dict[int, Node], faults: dict[tuple[UUID, int], str]) -> ExtentPlace:
    chunk = extent.chunk
    fragments = []
    for index, node_id in enumerate(chunk.node_ids):
        node = nodes.get(node_id)
        fragments.append(
            FragmentPlace(
                index=index,
                node_name=node.name if node else f"node {node_id}",
                zone_name=node.zone.name if node else "unknown",
                state=node.state if node else NodeState.DOWN.value,
                fault=faults.get((chunk.id, index), ""),
            )
        )
    return ExtentPlace(
        offset_bytes=extent.offset,
        size_bytes=extent.size,
        chunk_id=str(chunk.id),
        chunk_size_bytes=chunk.size_bytes,
        scheme=chunk.scheme,
        tolerated_losses=parse_scheme(chunk.scheme).tolerated_losses,
        fragments=tuple(fragments),
    )
