"""The segment in the making: changes as they come, until they are kept.

A segment grows: each time, the changes since the last are added as a frame and the whole is kept under a new revision of
its name, until it is large enough and the next begins. So a quiet hour is a handful of records and not a thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audit.row_text import MESSAGE_PREFIX
from journal import pgoutput
from journal.record_format import SESSION_SHIFT, Frame, RecordKind, RecordName, build_frame, build_record, join_messages
from journal.tables import TRANSIENT

SEGMENT_BYTES_MAX = 256 * 1024
# Of one frame, before it is compressed: a transaction of any size passes in pieces.
PENDING_BYTES_MAX = 8 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """What a segment grew by, and the revision that is replaced, with the nodes that hold it."""

    grown_bytes: int
    replaced: tuple[RecordName, tuple[int, ...]] | None


@dataclass(slots=True)
class SegmentBuilder:
    """Collects messages of the decoder. Positions: `stored_lsn` is kept on nodes, `received_lsn` has come."""

    lineage: str
    number: int
    stored_lsn: int
    received_lsn: int = 0
    received_at: datetime | None = None
    is_in_transaction: bool = False
    has_commits: bool = False  # that are not kept yet
    pending_bytes: int = 0
    session: int = 0
    revision: int = 0
    transaction_count: int = 0
    _begins_lsn: int = 0
    _frames: list[Frame] = field(default_factory=list)
    _pending: list[bytes] = field(default_factory=list)
    _relations: dict[int, bytes] = field(default_factory=dict)
    _described: dict[int, bytes] = field(default_factory=dict)
    _skipped: set[int] = field(default_factory=set)
    _begin: bytes | None = None
    _kept_bytes: int = 0
    _earlier: tuple[RecordName, tuple[int, ...]] | None = None

    def __post_init__(self) -> None:
        self._begins_lsn = self.stored_lsn

    def add(self, message: bytes) -> None:
        """Take the next message of the decoder."""
        kind = message[:1]
        if kind == pgoutput.BEGIN:
            self._begin, self.is_in_transaction = message, True
        elif kind == pgoutput.COMMIT:
            self._end_transaction(message)
        elif kind == pgoutput.RELATION:
            self._take_relation(message)
        elif kind[0] in pgoutput.CHANGES:
            relation_id = pgoutput.relation_id_of(message)
            if relation_id not in self._skipped:
                self._describe(relation_id)
                self._append(message)
        elif kind == pgoutput.MESSAGE:
            if pgoutput.is_message_of_transaction(message, MESSAGE_PREFIX):
                self._append(message)
        elif kind == pgoutput.TRUNCATE:
            for relation_id in _truncated(message):
                if relation_id not in self._skipped:
                    self._describe(relation_id)
            self._append(message)

    def _end_transaction(self, commit: bytes) -> None:
        self.is_in_transaction = False
        self.received_lsn = max(self.received_lsn, pgoutput.commit_end_of(commit))
        if self._begin is None:  # something of it was taken
            self._append(commit)
            self.received_at = pgoutput.commit_time_of(commit)
            self.has_commits = True
            self.transaction_count += 1
        self._begin = None

    def _take_relation(self, message: bytes) -> None:
        relation_id = pgoutput.relation_id_of(message)
        self._relations[relation_id] = message
        if pgoutput.table_of(message) in TRANSIENT:
            self._skipped.add(relation_id)
        else:
            self._skipped.discard(relation_id)

    def _describe(self, relation_id: int) -> None:
        """Put a table's description in front of the first change to it in this segment."""
        described = self._relations[relation_id]
        if self._described.get(relation_id) != described:
            self._append(described)
            self._described[relation_id] = described

    def _append(self, message: bytes) -> None:
        if self._begin is not None:
            begin, self._begin = self._begin, None
            self._append(begin)
        self._pending.append(message)
        self.pending_bytes += len(message)

    def reached(self, lsn: int) -> None:
        """Hear that nothing was committed before a position but what has come."""
        if not self.is_in_transaction:
            self.received_lsn = max(self.received_lsn, lsn)

    def build(self, header: dict[str, Any]) -> tuple[RecordName, list[bytes]]:
        """Return the segment as it is now, and its name; it counts as kept when `kept` is called."""
        if self._pending:
            self._frames.append(build_frame(join_messages(self._pending)))
            self._pending.clear()
            self.pending_bytes = 0
        described = {
            **header,
            "begins_lsn": self._begins_lsn,
            "ends_lsn": max(self.received_lsn, self.stored_lsn),
            "last_commit_at": self.received_at.isoformat() if self.received_at else None,
            "transactions": self.transaction_count,
        }
        name = self._name()
        return name, build_record(RecordKind.SEGMENT, described, self._frames)

    def _name(self) -> RecordName:
        revision = self.session << SESSION_SHIFT | self.revision
        return RecordName(self.lineage, RecordKind.SEGMENT, self.number, revision)

    def kept(self, *, size_bytes: int, holder_ids: Sequence[int]) -> Kept:
        """Go on after what was built is durable."""
        kept = Kept(size_bytes - self._kept_bytes, self._earlier)
        self.stored_lsn = max(self.received_lsn, self.stored_lsn)
        self.has_commits = False
        if size_bytes >= SEGMENT_BYTES_MAX:
            self.begin_next()
        else:
            name = self._name()
            self._kept_bytes, self._earlier = size_bytes, (name, tuple(holder_ids))
            self.revision += 1
        return kept

    def not_kept(self) -> None:
        """Go on after too few nodes took what was built: some may have it, so its name is not used again."""
        self.revision += 1

    def begin_next(self) -> None:
        """Let the next change begin a segment."""
        if self._frames:
            self.number += 1
            self.revision = 0
        self._frames, self._described, self.transaction_count = [], {}, 0
        self._kept_bytes, self._earlier = 0, None
        self._begins_lsn = self.stored_lsn


def _truncated(message: bytes) -> Sequence[int]:
    found = pgoutput.parse_message(message)
    assert isinstance(found, pgoutput.Truncate)
    return found.relation_ids
