"""The values that pass between the chunk engine and its callers.

They mirror rows without being rows, so that writing and reading bytes needs no database: a caller turns its row into
a `ChunkView` to read, and a `WrittenChunk` into rows inside its own publishing transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

MEBIBYTE = 1 << 20
# How many fragments a row `c` of chunks needs to be read, as `erasure.parse_scheme` reads its scheme.
NEEDED_FRAGMENTS_SQL = "(CASE WHEN c.scheme LIKE 'rs-%%' THEN split_part(substr(c.scheme, 4), '+', 1)::int ELSE 1 END)"
DEFAULT_STORAGE_CLASS = "STANDARD"


class NodeState(StrEnum):
    """What may be asked of a node. Set by people; a failing disk does not change it."""

    ACTIVE = "active"
    DRAINING = "draining"
    READ_ONLY = "read_only"
    DOWN = "down"

    @property
    def is_writable(self) -> bool:
        """Say whether new fragments may be put on the node."""
        return self is NodeState.ACTIVE

    @property
    def is_readable(self) -> bool:
        """Say whether the node should be asked for the fragments that it holds."""
        return self is not NodeState.DOWN


class FaultKind(StrEnum):
    """What is wrong with a fragment of a chunk that is otherwise readable."""

    MISSING = "missing"
    CORRUPT = "corrupt"
    MISPLACED = "misplaced"
    UNREACHABLE = "unreachable"


class RelocationKind(StrEnum):
    """DRAIN: empty one node. REBALANCE: move every fragment that placement says belongs elsewhere."""

    DRAIN = "drain"
    REBALANCE = "rebalance"


class GarbageState(StrEnum):
    """QUESTION: ask whether an extent still refers to the chunk. UNLINK: none does; remove its fragments."""

    QUESTION = "question"
    UNLINK = "unlink"


# How many bytes a packed row `c` of chunks takes in its segment: header and payload of its fragment.
PACKED_BYTES_SQL = "(c.size_bytes + 64 + 8 * ((c.size_bytes + 65535) / 65536))"
# The columns of a `ChunkView`, of a row `c` of chunks.
CHUNK_COLUMNS_SQL = "c.id, c.size_bytes, c.scheme, c.node_ids, c.segment_id, c.segment_offset, c.storage_class"


@dataclass(frozen=True, slots=True)
class ChunkView:
    """What a reader must know of a chunk: `node_ids[i]` is the node that holds fragment `i`.

    A packed chunk lies in a segment, from `segment_offset` bytes on, the same in each copy of the segment; one that is
    not has a file of its own for each fragment.
    """

    id: UUID
    size_bytes: int
    scheme: str
    node_ids: Sequence[int]
    segment_id: UUID | None = None
    segment_offset: int | None = None
    storage_class: str = DEFAULT_STORAGE_CLASS  # says which nodes it may be on

    @property
    def is_packed(self) -> bool:
        """Say whether it lies in a segment."""
        return self.segment_id is not None

    @property
    def placement_id(self) -> UUID:
        """Return the id by which its nodes are chosen: of what lies on them as one."""
        return self.segment_id or self.id


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """One fragment that needs the repairer: the values of a `FragmentFault` row."""

    chunk_id: UUID
    fragment_index: int
    node_id: int
    kind: FaultKind
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class WrittenChunk:
    """A chunk whose fragments are durable and to which no row refers yet: the values of a `Chunk` row.

    `checksum` is the CRC-64/NVME of the chunk's bytes as the signed 64-bit integer that PostgreSQL's bigint holds;
    `checksum & (2**64 - 1)` is the number that S3 calls CRC64NVME. `faults` go into `FragmentFault` in the same
    transaction, so that a chunk that is short of a fragment can't be forgotten. `segment_id` and `segment_offset` are
    those of a `ChunkView`; `plain_bytes` is known to whoever has compressed the bytes before.
    """

    id: UUID
    size_bytes: int
    scheme: str
    node_ids: tuple[int, ...]
    checksum: int
    storage_class: str
    faults: tuple[FaultRecord, ...] = ()
    segment_id: UUID | None = None
    segment_offset: int | None = None
    plain_bytes: int | None = None

    def as_view(self) -> ChunkView:
        """Return what a reader needs of it."""
        return ChunkView(
            self.id,
            self.size_bytes,
            self.scheme,
            self.node_ids,
            self.segment_id,
            self.segment_offset,
            self.storage_class,
        )


def signed(checksum: int) -> int:
    """Return an unsigned 64-bit checksum as the signed integer that a bigint column holds."""
    return checksum - (1 << 64) if checksum >> 63 else checksum
