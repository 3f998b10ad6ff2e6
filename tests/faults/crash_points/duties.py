"""The duties among the scenarios: what must be the matter before they have something to do, and their work."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.faults.crash_points.client import new_client
from tests.faults.crash_points.scenarios import (
    LARGE,
    SEVERAL,
    SMALL,
    CopyObject,
    DeleteObject,
    DeleteObjects,
    DeleteVersion,
    Duty,
    Multipart,
    Plan,
    PutObject,
    PutVersion,
    Scenario,
)
from tests.faults.crash_points.world import PLAIN, bytes_of


def leave_garbage(plan: Plan) -> None:
    """Overwrite, delete, copy: some chunks lose their last extent, some only one of two."""
    client, chance = new_client(), random.Random(plan.number)
    for name in ("a", "b", "c"):
        client.put_object(Bucket=PLAIN, Key=plan.key(f"gone-{name}"), Body=chance.randbytes(LARGE))
    source = {"Bucket": PLAIN, "Key": plan.key("large")}
    client.copy_object(Bucket=PLAIN, Key=plan.key("gone-copy"), CopySource=source)
    client.put_object(Bucket=PLAIN, Key=plan.key("gone-a"), Body=b"")
    for name in ("a", "b", "c", "copy"):
        client.delete_object(Bucket=PLAIN, Key=plan.key(f"gone-{name}"))


def collect() -> None:
    """Collect all garbage."""
    from workers import duties

    duties.collect_garbage(grace_seconds=0, stale_upload_seconds=86_400)


def newest_fragments() -> list[Path]:
    """Return the paths of the fragments of the newest chunks."""
    from chunks import topology
    from chunks.fragment_format import fragment_name
    from chunks.models import Chunk

    nodes = topology.refresh().nodes
    found = []
    for chunk in Chunk.objects.order_by("-created_at")[:5]:
        for index, node_id in enumerate(chunk.node_ids):
            name = fragment_name(chunk.pk, index)
            found.append(Path(nodes[node_id].location) / "fragments" / chunk.pk.hex[-2:] / name)
    return [path for path in found if path.exists()]


def rot(plan: Plan) -> None:
    """Damage, cut and remove fragments, no more of a chunk than it can do without, and let the scrub find it."""
    chance = random.Random(plan.number)
    hurt: dict[str, int] = {}
    for path in chance.sample(newest_fragments(), 6):
        chunk = path.name.partition(".")[0]
        if hurt.setdefault(chunk, 0) < 2:
            hurt[chunk] += 1
            _hurt(path, chance)
    scrub()


def _hurt(path: Path, chance: random.Random) -> None:
    kind = chance.randrange(3)
    if kind == 0:
        path.unlink()
    elif kind == 1:
        os.truncate(path, chance.randrange(path.stat().st_size))
    else:
        data = bytearray(path.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)


def scrub() -> None:
    """Verify everything, however new it is."""
    from workers import duties

    duties.scrub(mib_per_second=0, verified_before=datetime.now(UTC))


def repair() -> None:
    """Repair everything."""
    from workers import duties

    duties.queue_lost_nodes()
    duties.repair_faults()


def begin_drain(plan: Plan) -> None:
    """Say that a node is to be emptied; the one of the run before takes part again."""
    from chunks.models import Node
    from chunks.records import NodeState

    Node.objects.update(state=NodeState.ACTIVE)
    names = sorted(Node.objects.values_list("name", flat=True))
    Node.objects.filter(name=names[plan.number % len(names)]).update(state=NodeState.DRAINING)


def end_drains() -> None:
    """Let all nodes take part again."""
    from chunks.models import Node
    from chunks.records import NodeState
    from chunks.services import begin_drains

    Node.objects.update(state=NodeState.ACTIVE)
    begin_drains()


def drain() -> None:
    """Move what lies on the draining node, in one walk."""
    from chunks.models import Relocation
    from chunks.services import begin_drains
    from workers import moving

    begin_drains()
    for relocation in Relocation.objects.filter(finished_at=None):
        moving.relocate(only=relocation, mib_per_second=0, seconds_max=2, old_copy_seconds=0)


def begin_rebalance(plan: Plan) -> None:
    """Crowd fragments away from home, so that a rebalancing has something to move."""
    begin_drain(plan)
    drain()
    end_drains()


def rebalance() -> None:
    """Move everything home."""
    from chunks.services import begin_rebalance as begin
    from workers import moving

    moving.relocate(only=begin(), mib_per_second=0, old_copy_seconds=0)


def leave_orphans(plan: Plan) -> None:
    """Leave fragments that no chunk names, as a crashed upload does."""
    from chunks.writer import write_chunk

    for size_bytes in (SMALL, LARGE):
        write_chunk(bytes_of((plan.number, size_bytes)))


def sweep() -> None:
    """Delete what no chunk names, whatever its age."""
    from workers import duties

    duties.sweep_orphans(grace_seconds=-60)


def transition() -> None:
    """Move the newest versions to a class that keeps them otherwise, or back, as rules that change do."""
    from objects.models import ObjectVersion
    from objects.services.transition import move_version_to_storage_class as move

    rows = ObjectVersion.objects.filter(deleted_at=None, is_delete_marker=False, storage_class__startswith="STANDARD")
    for bucket_id, row, storage_class in rows.order_by("-id").values_list("bucket_id", "id", "storage_class")[:4]:
        target = "STANDARD" if storage_class == "STANDARD_IA" else "STANDARD_IA"
        move(bucket_id=bucket_id, version_row=row, storage_class=target)


def archive(plan: Plan) -> None:
    """Archive one object and ask for it back."""
    client, named = new_client(), {"Bucket": PLAIN, "Key": plan.key("large")}
    client.copy_object(**named, CopySource=named, StorageClass="GLACIER")
    client.restore_object(**named, RestoreRequest={"Days": 10})


def restore() -> None:
    """Carry out the restores that were asked for."""
    from workers import duties

    duties.restore_archived()


def forget_to_read(plan: Plan) -> None:
    """Let intelligent tiering look after an object."""
    client, named = new_client(), {"Bucket": PLAIN, "Key": plan.key("large")}
    client.copy_object(**named, CopySource=named, StorageClass="INTELLIGENT_TIERING")
    tiering = {"Id": "all", "Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]}
    client.put_bucket_intelligent_tiering_configuration(Bucket=PLAIN, Id="all", IntelligentTieringConfiguration=tiering)


def archive_unread() -> None:
    """Archive what was not read, as if it were a hundred days later."""
    from django.conf import settings

    from objects.services.tiering import carry_out_tierings

    day_seconds = settings.OBJSTORE_LIFECYCLE_DAY_SECONDS
    later = datetime.now(UTC) + timedelta(seconds=100 * day_seconds)
    carry_out_tierings(now=later, day_seconds=day_seconds, may_go_on=lambda: True)


def nothing(_plan: Plan) -> None:
    """Leave everything well."""


SCENARIOS: dict[str, Scenario] = {
    "put_empty": PutObject(0),
    "put_small": PutObject(SMALL),
    "put_large": PutObject(LARGE),
    "put_several_chunks": PutObject(SEVERAL),
    "put_encrypted": PutObject(LARGE, arguments={"ServerSideEncryption": "AES256"}),
    "overwrite": PutObject(SMALL, is_overwriting=True),
    "put_version": PutVersion(),
    "delete_version": DeleteVersion(),
    "copy": CopyObject(),
    "delete": DeleteObject(),
    "delete_several": DeleteObjects(),
    "upload_part": Multipart("upload"),
    "complete_upload": Multipart("complete"),
    "abort_upload": Multipart("abort"),
    "collect_garbage": Duty(leave_garbage, collect),
    "repair": Duty(rot, repair),
    "scrub": Duty(nothing, scrub),
    "drain": Duty(begin_drain, drain),
    "rebalance": Duty(begin_rebalance, rebalance),
    "transition": Duty(nothing, transition),
    "restore": Duty(archive, restore),
    "archive_unread": Duty(forget_to_read, archive_unread),
    "sweep_orphans": Duty(leave_orphans, sweep),
}
