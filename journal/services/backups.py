"""What can be restored: of each lineage the newest whole snapshot, and the segments that may follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from chunks.stores.protocol import FragmentStore
from journal.archive import Found, read_record
from journal.record_format import RecordDamaged, RecordKind, RecordName

Stores = Mapping[str, Callable[[], FragmentStore]]
Report = Callable[[str], None]


class NothingToRestore(Exception):
    """No node has what a restore needs; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment, and its revisions that are there, newest first. Two sessions may have one of the same number."""

    number: int
    session: int
    revisions: tuple[RecordName, ...]

    def follows(self, other: Segment | None) -> bool:
        """Tell whether nothing can be between the two: the same writer wrote one after the other."""
        return other is not None and (self.number, self.session) == (other.number + 1, other.session)


@dataclass(frozen=True, slots=True)
class Backup:
    """A snapshot that is whole as far as listings tell, and the segments of its lineage."""

    manifest: Mapping[str, Any]
    parts: tuple[RecordName, ...]
    segments: tuple[Segment, ...]  # in order

    @property
    def lineage(self) -> str:
        """The lineage as names show it."""
        return str(self.manifest["lineage"])

    @property
    def taken_at(self) -> datetime:
        """When the snapshot was taken."""
        return datetime.fromisoformat(self.manifest["taken_at"])


def find_backups(stores: Stores, found: Found) -> list[Backup]:
    """Return the newest usable snapshot of each lineage, the newest of them all first."""
    backups = []
    for lineage in {name.lineage for name in found.holders}:
        names = [name for name in found.holders if name.lineage == lineage]
        manifests = sorted((name for name in names if name.kind is RecordKind.MANIFEST), reverse=True)
        for name in manifests:
            try:
                manifest = read_record(name, found.holders[name], stores).header
            except RecordDamaged:
                continue
            parts = tuple(
                RecordName(lineage, RecordKind.PART, name.number, number)
                for number in range(len(manifest["part_sizes"]))
            )
            if all(part in found.holders for part in parts):
                backups.append(Backup(manifest, parts, tuple(_segments(names))))
                break
    return sorted(backups, key=lambda backup: backup.taken_at, reverse=True)


def _segments(names: Sequence[RecordName]) -> Iterator[Segment]:
    segments = sorted(name for name in names if name.kind is RecordKind.SEGMENT)
    for (number, session), revisions in groupby(segments, key=lambda name: (name.number, name.session)):
        yield Segment(number, session, tuple(reversed(list(revisions))))


def choose_backup(backups: Sequence[Backup], lineage: str | None, until: datetime | None, report: Report) -> Backup:
    """Return the newest, or that of a lineage, and say what there is. NothingToRestore."""
    for backup in backups:
        report(
            f"lineage {backup.lineage}: snapshot of {backup.taken_at:%Y-%m-%d %H:%M:%S}, {len(backup.segments)} segments"
        )
    chosen = [backup for backup in backups if lineage in {None, backup.lineage}]
    if not chosen:
        raise NothingToRestore(
            "no node has a whole snapshot of the metadata" if not backups else f"there is no {lineage}"
        )
    if until is not None and chosen[0].taken_at > until:
        raise NothingToRestore(f"the oldest snapshot is of {chosen[0].taken_at}, after the time that is asked for")
    return chosen[0]
