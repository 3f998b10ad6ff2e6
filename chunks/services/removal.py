"""Remove the fragments of chunks that nothing refers to.

The order is the reverse of writing: first what refers to the chunk, then the chunk's row, then its fragments. What is
left when a node can't be reached stays queued as a row; what has no row is found by the sweep of orphans.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models.functions import Now

from chunks import topology as topologies
from chunks.errors import NodeUnavailable
from chunks.fragment_format import fragment_name
from chunks.models import FragmentFault, Garbage
from chunks.records import GarbageState, WrittenChunk
from chunks.services.segments import count_soon
from chunks.topology import Topology

UNLINK_RETRY_SECONDS = 300.0

# Plan: a range of garbage_by_state_and_time. SKIP LOCKED: the rival is another unlinker.
_CLAIM_UNLINKS = """
SELECT id, chunk_id, node_ids FROM chunks_garbage
 WHERE state = 'unlink' AND next_attempt_at <= statement_timestamp()
 ORDER BY next_attempt_at LIMIT %s FOR UPDATE SKIP LOCKED
"""

_POSTPONE_UNLINKS = """
UPDATE chunks_garbage SET next_attempt_at = statement_timestamp() + make_interval(secs => %s) WHERE id = ANY(%s)
"""


def delete_chunk_fragments(
    chunk_id: UUID, node_ids: Sequence[int], *, topology: Topology | None = None, avoid: Collection[int] = ()
) -> set[int]:
    """Delete all fragments of a chunk; return the nodes that could not be reached, and those in `avoid` unasked.

    Fragments that are gone already, and nodes that are no longer known, have nothing left to delete.
    """
    topology = topology or topologies.current()
    unreachable: set[int] = set()
    for index, node_id in enumerate(node_ids):
        if node_id not in topology.nodes:
            continue
        if node_id in avoid or node_id in unreachable:
            unreachable.add(node_id)
            continue
        try:
            topology.store(node_id).delete_fragment(fragment_name(chunk_id, index))
        except NodeUnavailable:
            unreachable.add(node_id)
    return unreachable


def discard_chunks(chunks: Iterable[WrittenChunk], *, topology: Topology | None = None) -> None:
    """Delete chunks that were written and will get no row. What can't be reached is an orphan, and swept.

    What lies in a segment is dead from the start: nothing refers to it.
    """
    for chunk in chunks:
        if chunk.segment_id is None:
            delete_chunk_fragments(chunk.id, chunk.node_ids, topology=topology)


@transaction.atomic
def answer_questions(
    *, asked: Collection[UUID], unreferenced: Mapping[UUID, Sequence[int]], packed: Mapping[UUID, UUID] | None = None
) -> None:
    """Settle questions of garbage: `unreferenced` chunks, whose rows are gone, are queued for unlinking from their nodes.

    `packed` are those whose rows are gone, too, and that lay in a segment: nothing is to be unlinked, their segments
    are counted anew. The other questions, and the faults of chunks that are gone, are dropped.
    """
    packed = packed or {}
    questions = Garbage.objects.filter(state=GarbageState.QUESTION)
    questions.filter(chunk_id__in=set(asked) - unreferenced.keys()).delete()
    FragmentFault.objects.filter(chunk_id__in={*unreferenced, *packed}).delete()
    segment_ids = set(packed.values())
    transaction.on_commit(
        lambda: count_soon(segment_ids)
    )  # later, for whoever moves a segment waits for rows of chunks
    Garbage.objects.bulk_create(
        [
            Garbage(chunk_id=chunk_id, node_ids=list(node_ids), state=GarbageState.UNLINK)
            for chunk_id, node_ids in unreferenced.items()
        ],
        update_conflicts=True,
        unique_fields=["chunk_id"],
        update_fields=["node_ids", "state", "next_attempt_at"],
    )


def count_unlinks(*, limit: int, using: str = DEFAULT_DB_ALIAS) -> int:
    """Return how many chunks wait for their fragments to be deleted now; no more than `limit` are counted."""
    unlinks = Garbage.objects.using(using).filter(state=GarbageState.UNLINK, next_attempt_at__lte=Now())
    return unlinks[:limit].count()


def unlink_garbage(
    *,
    batch_size: int = 500,
    may_unlink: Callable[[], bool] = lambda: True,
    topology: Topology | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> int:
    """Delete the fragments of a batch of chunks whose rows are gone; return how many chunks are rid of them all.

    `may_unlink` is asked once the rows are seen to be gone, and says whether every backup knows of that; else nothing is
    done. A chunk with a fragment out of reach is tried again later. Killed half-way, it deletes again what is gone already.
    """
    topology = topology or topologies.current()
    done: list[int] = []
    postponed: list[int] = []
    unreachable: set[int] = set()
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(_CLAIM_UNLINKS, [batch_size])
        claimed = cursor.fetchall()
        if claimed and not may_unlink():
            return 0
        for row_id, chunk_id, node_ids in claimed:
            failed = delete_chunk_fragments(chunk_id, node_ids, topology=topology, avoid=unreachable)
            unreachable |= failed
            (postponed if failed else done).append(row_id)
        Garbage.objects.using(using).filter(pk__in=done).delete()
        cursor.execute(_POSTPONE_UNLINKS, [UNLINK_RETRY_SECONDS, postponed])
    return len(done)
