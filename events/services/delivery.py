"""Deliver the outbox: at least once, each key's events in order, whoever is killed whenever.

One process at a time delivers to a target (`workers` sees to it). It takes the oldest events that may go, sends those of
a key one after the other, and removes what was taken from the outbox, key by key; killed in between, it sends some again.
Where one event fails, the later ones of its key wait for it; where the target fails, everything waits. Both are tried
again after a pause that doubles, and an event that has failed for too long becomes a dead letter, which is kept.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from threading import local
from typing import Self

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from accesscontrol.errors import SecretUnreadable
from events.arns import TargetKind
from events.errors import EventRefused, TargetUnavailable
from events.models import Event, EventTarget
from events.records import EventFacts, render_event
from events.senders import CONCURRENCY, Message, Sender, open_sender
from events.services.targets import target_settings

logger = logging.getLogger("objstore.events")

BATCH_SIZE = 200
PAUSE_SECONDS_MAX = 300

# Plan: the index events_to_deliver from the oldest event on; for each a probe of failing_events, which holds few.
_TAKE = """
SELECT e.id, e.name, e.bucket_id, e.bucket_name, e.bucket_owner_id, e.configuration_id, e.key, e.version_id, e.size_bytes,
       e.etag, e.cause, e.details, e.happened_at, e.attempts
  FROM events_event e
 WHERE e.target_id = %s AND e.dead_at IS NULL
   AND NOT EXISTS (SELECT FROM events_event f
                    WHERE f.target_id = e.target_id AND f.bucket_id = e.bucket_id AND f.key = e.key
                      AND f.dead_at IS NULL AND f.attempts > 0 AND f.next_attempt_at > clock_timestamp())
 ORDER BY e.id LIMIT %s
"""

# Plan: for each target a probe of the index events_to_deliver.
_WAITING_TARGETS = """
SELECT t.id FROM events_eventtarget t
 WHERE t.is_active AND (t.next_attempt_at IS NULL OR t.next_attempt_at <= clock_timestamp())
   AND EXISTS (SELECT FROM events_event e WHERE e.target_id = t.id AND e.dead_at IS NULL)
 ORDER BY t.next_attempt_at NULLS FIRST, t.id
"""


@dataclass(slots=True)
class Delivered:
    """What a run did."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0


@dataclass(slots=True)
class _KeyEvents:
    """Events of one key, in order, and what became of them."""

    events: list[_Taken] = field(default_factory=list)
    sent_ids: list[int] = field(default_factory=list)
    refused_id: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Taken:
    facts: EventFacts
    attempts: int


def waiting_targets() -> list[int]:
    """Return the targets that something waits for, and that may be tried. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING_TARGETS)
        return [row[0] for row in cursor.fetchall()]


def deliver_events(target_id: int, *, may_go_on: Callable[[], bool]) -> Delivered:
    """Deliver what waits for a target, until nothing is left that may go or it fails."""
    delivered = Delivered()
    target = EventTarget.objects.filter(pk=target_id, is_active=True).first()
    if target is None:
        return delivered
    with _Senders(target) as senders:
        while may_go_on():
            groups = _take(target.pk)
            if not groups:
                break
            unavailable = senders.send(groups)
            _settle(target, groups, delivered)
            if unavailable is not None:
                _pause_target(target, unavailable, delivered)
                return delivered
            if target.attempts:
                EventTarget.objects.filter(pk=target.pk).update(
                    attempts=0, failing_since=None, next_attempt_at=None, last_error=""
                )
                target.attempts = 0
    return delivered


def _take(target_id: int) -> list[_KeyEvents]:
    """Return the oldest events that may go, by key."""
    groups: dict[tuple[int, str], _KeyEvents] = {}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [target_id, BATCH_SIZE])
        for row in cursor.fetchall():
            row_id, name, bucket_id, *rest, cause, details, happened_at, attempts = row
            bucket_name, owner_id, configuration_id, key, version_id, size_bytes, etag = rest
            facts = EventFacts(
                sequence=row_id,
                name=name,
                bucket_name=bucket_name,
                bucket_owner_id=owner_id,
                configuration_id=configuration_id,
                key=key,
                version_id=version_id,
                size_bytes=size_bytes,
                etag=etag,
                cause=json.loads(cause),
                details=json.loads(details),
                happened_at=happened_at,
            )
            groups.setdefault((bucket_id, key), _KeyEvents()).events.append(_Taken(facts, attempts))
    return list(groups.values())


class _Senders:
    """The ways to a target: one for each thread that sends."""

    def __init__(self, target: EventTarget) -> None:
        self._target = target
        self._kind = TargetKind(target.kind)
        self._opened: list[Sender] = []
        self._own = local()
        self._stopped = Flag()
        self._error = ""
        count = CONCURRENCY[self._kind]
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="deliver") if count > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        for sender in self._opened:
            sender.close()

    def send(self, groups: Sequence[_KeyEvents]) -> str | None:
        """Send all groups, side by side where the kind allows it; return why the target failed, None if it did not."""
        if self._pool is None or len(groups) == 1:
            for group in groups:
                self._send_group(group)
        else:
            list(self._pool.map(self._send_group, groups))
        return self._error if self._stopped.is_set() else None

    def _send_group(self, group: _KeyEvents) -> None:
        for taken in group.events:
            if self._stopped.is_set():
                return
            try:
                if not self._target.serves(taken.facts.bucket_owner_id):
                    raise EventRefused("the target is not open to the account of the bucket")
                self._sender().send(self._message(taken.facts))
            except EventRefused as error:
                group.refused_id, group.error = taken.facts.sequence, str(error)
                return
            except (TargetUnavailable, SecretUnreadable) as error:
                self._error = str(error) or type(error).__name__
                self._stopped.set()
                return
            except Exception as error:  # one event that we can't render must not stop the others
                logger.exception("event %d could not be sent", taken.facts.sequence)
                group.refused_id, group.error = taken.facts.sequence, f"{type(error).__name__}: {error}"
                return
            group.sent_ids.append(taken.facts.sequence)

    def _sender(self) -> Sender:
        sender: Sender | None = getattr(self._own, "sender", None)
        if sender is None:
            sender = self._own.sender = open_sender(self._kind, target_settings(self._target))
            self._opened.append(sender)
        return sender

    def _message(self, facts: EventFacts) -> Message:
        document = render_event(facts, region=settings.OBJSTORE_REGION, is_event_bus=self._target.is_event_bus)
        return Message(
            id=facts.sequencer,
            event_name=f"s3:{facts.name}",
            bucket_name=facts.bucket_name,
            key=facts.key,
            body=json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(),
        )


def _settle(target: EventTarget, groups: Iterable[_KeyEvents], delivered: Delivered) -> None:
    """Take from the outbox what was sent, and put off or give up what was refused."""
    groups = list(groups)
    sent_ids = [sent_id for group in groups for sent_id in group.sent_ids]
    with transaction.atomic():
        Event.objects.filter(pk__in=sent_ids).delete()
        for group in groups:
            if group.refused_id is None:
                continue
            taken = next(taken for taken in group.events if taken.facts.sequence == group.refused_id)
            Event.objects.filter(pk=group.refused_id).update(
                attempts=taken.attempts + 1,
                failing_since=Coalesce("failing_since", Now()),
                next_attempt_at=_pause_end(taken.attempts),
                last_error=group.error,
            )
            delivered.failed += 1
    delivered.sent += len(sent_ids)
    if delivered.failed:
        delivered.given_up += _give_up(Q(target=target, failing_since__lte=_give_up_before()))


def _pause_target(target: EventTarget, error: str, delivered: Delivered) -> None:
    """Put off everything for the target; what it has kept waiting for too long is given up."""
    logger.warning("event target %s is unavailable: %s", target.name, error)
    EventTarget.objects.filter(pk=target.pk).update(
        attempts=F("attempts") + 1,
        failing_since=Coalesce("failing_since", Now()),
        next_attempt_at=_pause_end(target.attempts),
        last_error=error,
    )
    target.refresh_from_db()
    if target.failing_since is not None and target.failing_since <= _give_up_before():
        delivered.given_up += _give_up(Q(target=target, happened_at__lte=_give_up_before()))


def _pause_end(attempts: int) -> datetime:
    """Return when to try again after one more failure: after 1, 2, 4 … seconds."""
    return datetime.now(UTC) + timedelta(seconds=min(PAUSE_SECONDS_MAX, 2 ** min(attempts, 16)))


def _give_up_before() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=settings.OBJSTORE_EVENT_RETRY_SECONDS)


def _give_up(which: Q) -> int:
    """Make events dead letters."""
    count = Event.objects.filter(which, dead_at=None).update(dead_at=Now())
    if count:
        logger.error("%d events could not be delivered in time: they are dead letters now", count)
    return count


def redeliver_events(*, target: EventTarget | None = None, ids: Sequence[int] | None = None) -> int:
    """Let dead letters be sent again: those of a target, or the named ones, or all. Returns how many.

    What came later for their keys has been delivered meanwhile; receivers tell by the sequencer.
    """
    dead = Event.objects.exclude(dead_at=None)
    if target is not None:
        dead = dead.filter(target=target)
    if ids is not None:
        dead = dead.filter(pk__in=ids)
    return dead.update(dead_at=None, attempts=0, failing_since=None, next_attempt_at=None, last_error="")
