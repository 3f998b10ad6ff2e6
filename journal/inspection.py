"""Is what the nodes keep of the metadata enough to restore from? Looks as a restore would, and changes nothing.

The writer goes on meanwhile: records grow under new names and old ones are deleted. So what looks wrong counts only
where it looks the same a moment later.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum

from django.conf import settings

from chunks.errors import ChunkError
from chunks.topology import Topology
from journal.archive import Found, find_records, read_whole, stores_of
from journal.models import JournalState
from journal.record_format import Record, RecordDamaged, RecordKind, RecordName, parse_record
from journal.services.backups import Backup, Segment, Stores, find_backups

LOOKS = 3
BETWEEN_LOOKS_SECONDS = 2.0


class JournalProblem(StrEnum):
    """What can be wrong with the copy of the metadata."""

    NOTHING = "no metadata on the nodes that could be restored"
    GAP = "changes of metadata that are on no node"
    DAMAGED = "copy of a journal record that cannot be used"
    SHORT = "journal record with too few copies"


@dataclass(frozen=True, slots=True)
class JournalFinding:
    """Something that is not as it should be, in words for people."""

    problem: JournalProblem
    subject: str


@dataclass(frozen=True, slots=True)
class JournalInspection:
    """What one look found, and how many records a restore would need."""

    findings: list[JournalFinding]
    record_count: int = 0


def inspect_journal(topology: Topology, *, is_deep: bool) -> JournalInspection:
    """Look at every record that a restore would read: one copy of each is read, or all of them if it is to be deep.

    Nothing is wrong where there is to be no journal.
    """
    if not settings.OBJSTORE_JOURNAL:
        return JournalInspection([])
    inspection = _look(topology, is_deep=is_deep)
    for _ in range(LOOKS - 1):
        if not inspection.findings:
            break
        time.sleep(BETWEEN_LOOKS_SECONDS)
        again = _look(topology, is_deep=is_deep)
        lasting = [finding for finding in again.findings if finding in inspection.findings]
        inspection = JournalInspection(lasting, again.record_count)
    return inspection


def _look(topology: Topology, *, is_deep: bool) -> JournalInspection:
    state = JournalState.objects.first()  # before the nodes: what it says is there by then
    if state is None or (state.snapshot_lsn is None and not state.predecessors):
        return JournalInspection([JournalFinding(JournalProblem.NOTHING, "no snapshot has been taken yet")])
    stores = stores_of(topology)
    found = find_records(stores)
    before = {lineage.hex[:8] for lineage in state.predecessors}
    lineages = before if state.snapshot_lsn is None else {state.lineage.hex[:8]}
    backup = next((one for one in find_backups(stores, found) if one.lineage in lineages), None)
    if backup is None:
        missing = f"of {' or '.join(sorted(lineages))}, no node has a whole snapshot"
        return JournalInspection([JournalFinding(JournalProblem.NOTHING, missing)])
    writable = sum(node.state.is_writable for node in topology.nodes.values())
    look = _Look(stores, found, min(settings.OBJSTORE_JOURNAL_COPIES, writable), is_deep)
    look.walk(backup, state if state.snapshot_lsn is not None else None)
    return JournalInspection(look.findings, look.record_count)


@dataclass(slots=True)
class _Look:
    """A walk along what a restore would read."""

    stores: Stores
    found: Found
    wanted_copies: int
    is_deep: bool
    findings: list[JournalFinding] = field(default_factory=list)
    record_count: int = 0

    def walk(self, backup: Backup, state: JournalState | None) -> None:
        """Look at the snapshot and the segments; `state` says up to where they should reach."""
        snapshot_number = int(backup.manifest["snapshot"])
        self._check(RecordName(backup.lineage, RecordKind.MANIFEST, snapshot_number))
        for part in backup.parts:
            if self._check(part) is None:
                self._find(
                    JournalProblem.NOTHING, f"no copy of {part} can be used, and without it none of the snapshot"
                )
        reached = int(backup.manifest["lsn"])
        for segment in backup.segments:
            record = self._first_usable(segment, reached)
            if record is None:
                continue
            if record.header["begins_lsn"] > reached:
                self._find(JournalProblem.GAP, f"those before segment {segment.number} of {backup.lineage}")
                return
            reached = max(reached, int(record.header["ends_lsn"]))
        if state is not None and (reached < state.stored_lsn or snapshot_number < state.snapshot_number):
            self._find(JournalProblem.GAP, f"the newest of {backup.lineage}, which were there")

    def _first_usable(self, segment: Segment, reached: int) -> Record | None:
        """Return the newest revision that can be used."""
        return next((record for name in segment.revisions if (record := self._check(name, reached))), None)

    def _check(self, name: RecordName, reached: int = -1) -> Record | None:
        """Look at the copies of a record; return it if one can be used.

        What says nothing new after `reached` may be what a node had that was away while it was deleted.
        """
        self.record_count += 1
        record, size_bytes, good = None, 0, 0
        for label in self.found.holders[name]:
            try:
                if record is not None and not self.is_deep:
                    self._compare_size(name, label, size_bytes)
                else:
                    data = read_whole(str(name), self.stores[label]())
                    record, size_bytes = parse_record(data), len(data)
                good += 1
            except (RecordDamaged, ChunkError) as error:
                self._find(JournalProblem.DAMAGED, f"{name} on {label}: {error}")
        is_needed = record is None or record.header.get("ends_lsn", reached + 1) > reached
        if is_needed and good < self.wanted_copies:
            self._find(JournalProblem.SHORT, f"{name}: {good} of {self.wanted_copies}")
        return record

    def _compare_size(self, name: RecordName, label: str, size_bytes: int) -> None:
        kept = self.stores[label]().stat_fragment(str(name))
        if kept is None or kept.size_bytes != size_bytes:
            raise RecordDamaged(f"{0 if kept is None else kept.size_bytes} bytes instead of {size_bytes}")

    def _find(self, problem: JournalProblem, subject: str) -> None:
        self.findings.append(JournalFinding(problem, subject))
