"""Begin and end relocations: the rows that say what is to be moved."""

from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models.functions import Now

from chunks.models import Node, Relocation
from chunks.records import NodeState, RelocationKind

_IS_ON_NODE = "SELECT EXISTS (SELECT FROM chunks_chunk WHERE node_ids @> ARRAY[%s::smallint])"


def begin_drains() -> None:
    """Begin a drain for every draining node that has none, and end those whose node is not draining any more."""
    draining = set(Node.objects.filter(state=NodeState.DRAINING).values_list("pk", flat=True))
    under_way = Relocation.objects.filter(kind=RelocationKind.DRAIN, finished_at=None)
    for relocation in under_way.exclude(node_id__in=draining):
        end_relocation(relocation, "the node is not draining any more")
    done = Relocation.objects.filter(kind=RelocationKind.DRAIN, node_id__in=draining, finished_at=None)
    for node_id in draining - set(done.values_list("node_id", flat=True)):
        if is_on_node(node_id):
            _begin(RelocationKind.DRAIN, node_id)


def begin_rebalance() -> Relocation:
    """Return the rebalancing that is under way, or begin one."""
    return _begin(RelocationKind.REBALANCE, None)


@transaction.atomic
def _begin(kind: RelocationKind, node_id: int | None) -> Relocation:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("LOCK TABLE chunks_relocation IN SHARE ROW EXCLUSIVE MODE")  # the rival begins the same
    found = Relocation.objects.filter(kind=kind, node_id=node_id, finished_at=None).first()
    return found or Relocation.objects.create(kind=kind, node_id=node_id)


def end_relocation(relocation: Relocation, outcome: str) -> None:
    """Say that nothing more is to be moved, and why."""
    Relocation.objects.filter(pk=relocation.pk, finished_at=None).update(
        finished_at=Now(), updated_at=Now(), outcome=outcome
    )


def begin_again(relocation: Relocation) -> None:
    """Walk over all chunks once more: some were passed over, or written since."""
    Relocation.objects.filter(pk=relocation.pk).update(cursor=UUID(int=0), failed_fragments=0, updated_at=Now())
    relocation.refresh_from_db()


def is_on_node(node_id: int, *, using: str = DEFAULT_DB_ALIAS) -> bool:
    """Say whether any chunk names the node. Reads every chunk's row if none does."""
    with connections[using].cursor() as cursor:
        cursor.execute(_IS_ON_NODE, [node_id])
        row = cursor.fetchone()
    return bool(row and row[0])
