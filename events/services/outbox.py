"""Events that no change of an object causes. Those of changes are noted by `objects/sql`."""

from __future__ import annotations

from events.cause import cause_document
from events.models import Event
from events.records import TEST_EVENT


def note_test_event(*, target_id: int, bucket_id: int, bucket_name: str, owner_id: str) -> None:
    """Put what S3 sends to each target of a new configuration into the outbox."""
    Event.objects.create(
        target_id=target_id,
        bucket_id=bucket_id,
        bucket_name=bucket_name,
        bucket_owner_id=owner_id,
        name=TEST_EVENT,
        key="",
        cause=cause_document(TEST_EVENT),
    )
