"""Read every fragment from time to time, the longest unread first, so that damage is found while it can be repaired.

A batch of chunks is claimed by locking their rows, so that scrubbers at once share the work and a repair doesn't move
what is being read. The lock is held for the reading alone; whoever limits the rate waits between batches. What is found
wrong becomes faults, and `verified_at` says when all fragments were last looked at, also where one could not be read:
otherwise a node that is away would keep the scrub from the others. Killed at any point, it has only to read again.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from chunks import topology as topologies
from chunks.errors import ChunkError, NodeUnavailable
from chunks.reader import check_fragment, fault_kind, fragment_size_bytes
from chunks.records import CHUNK_COLUMNS_SQL, ChunkView, FaultKind, FaultRecord
from chunks.services.faults import record_faults
from chunks.topology import Topology

# Plan: the index chunk_by_verified_at in order, which is that of writing: of a segment, one chunk after the other; the
# segment's primary key for each. SKIP LOCKED: the rivals are another scrubber, a repairer, and whoever moves or deletes
# the chunk.
_CLAIM = f"""
SELECT {CHUNK_COLUMNS_SQL}, s.node_ids FROM chunks_chunk c LEFT JOIN chunks_segment s ON s.id = c.segment_id
 WHERE c.verified_at < %s ORDER BY c.verified_at LIMIT %s FOR NO KEY UPDATE OF c SKIP LOCKED
"""  # noqa: S608  put together from constants

_MARK_VERIFIED = "UPDATE chunks_chunk SET verified_at = clock_timestamp() WHERE id = ANY(%s)"


@dataclass(slots=True)
class ScrubReport:
    """What was read, and what was found wrong with it."""

    chunks: int = 0
    fragments: int = 0
    size_bytes: int = 0
    faults: Counter[FaultKind] = field(default_factory=Counter)

    def add(self, other: "ScrubReport") -> None:
        """Count another report in."""
        self.chunks += other.chunks
        self.fragments += other.fragments
        self.size_bytes += other.size_bytes
        self.faults.update(other.faults)


def scrub_chunks(
    *,
    verified_before: datetime,
    bytes_max: int,
    chunks_max: int = 256,
    topology: Topology | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> ScrubReport:
    """Read and check all fragments of a batch of chunks not verified since `verified_before`, the oldest first.

    Stops after `bytes_max` of fragments, but not before a whole chunk. A report of no chunks: none is left, or the rest
    is in other hands. Three statements a batch; one more if something is wrong.
    """
    topology = topology or topologies.current()
    report = ScrubReport()
    faults: list[FaultRecord] = []
    verified: list[UUID] = []
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")  # lost in a crash, it is read once more
        cursor.execute(_CLAIM, [verified_before, chunks_max])
        for row in cursor.fetchall():
            if report.size_bytes >= bytes_max:
                break
            chunk = ChunkView(*row[:-1])
            faults += _check_chunk(chunk, row[-1] or chunk.node_ids, topology, report)
            verified.append(chunk.id)
        cursor.execute(_MARK_VERIFIED, [verified])
        record_faults(faults, using=using)
    return report


def _check_chunk(
    chunk: ChunkView, segment_nodes: Sequence[int], topology: Topology, report: ScrubReport
) -> Sequence[FaultRecord]:
    """Read all fragments of a chunk; return what is wrong with them. What is beside its segment is misplaced."""
    faults = []
    size_bytes = fragment_size_bytes(chunk)
    report.chunks += 1
    for index, node_id in enumerate(chunk.node_ids):
        try:
            if not topology.is_usable_for_reading(node_id):
                raise NodeUnavailable("the node is down or failed just now")
            check_fragment(chunk, index, topology)
            report.size_bytes += size_bytes
            if node_id != segment_nodes[index]:
                faults.append(FaultRecord(chunk.id, index, node_id, FaultKind.MISPLACED, "its segment is elsewhere"))
                report.faults[FaultKind.MISPLACED] += 1
        except ChunkError as error:
            kind = fault_kind(error)
            faults.append(FaultRecord(chunk.id, index, node_id, kind, str(error)))
            report.faults[kind] += 1
        report.fragments += 1
    return faults
