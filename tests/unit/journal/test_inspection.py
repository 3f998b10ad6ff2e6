from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings

from chunks import topology as topologies
from chunks.models import Node
from chunks.records import NodeState
from chunks.throttle import Throttle
from journal import inspection, snapshots
from journal.inspection import JournalProblem, inspect_journal
from journal.models import JournalState
from journal.record_format import RecordKind
from journal.services import streaming
from journal.services.upkeep import heal
from journal.snapshots import take_snapshot
from journal.tables import Connection
from tests.unit.journal.conftest import RunningWriter, await_journal, await_snapshot

Start = Callable[[], RunningWriter]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "BETWEEN_LOOKS_SECONDS", 0.1)


def problems(*, is_deep: bool = False) -> set[JournalProblem]:
    found = inspect_journal(topologies.refresh(), is_deep=is_deep)
    return {finding.problem for finding in found.findings}


def copies_of(nodes: Path, kind: RecordKind, number: int = 0) -> list[Path]:
    """Return where the copies of a record are: of the `number`th of its kind."""
    paths = [path for path in sorted(nodes.glob("*/fragments/00/journal-*")) if path.suffix == f".{kind}"]
    name = sorted({path.name for path in paths})[number]
    return [path for path in paths if path.name == name]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.fixture
def journal(database: Connection, nodes: Path, start_writer: Start) -> Path:
    """A snapshot and three segments, written by as many writers."""
    for number in range(3):
        writer = start_writer()
        await_snapshot()
        database.execute("INSERT INTO test_keyless VALUES ('x', %s)", [number])
        await_journal(database)
        writer.stop()
    return nodes


def test_what_could_be_restored_is_well_and_damage_inside_a_copy_is_found_by_reading_and_mended(journal: Path) -> None:
    assert problems() == problems(is_deep=True) == set()
    for kind in RecordKind:
        flip(copies_of(journal, kind)[1])
    assert problems() <= {JournalProblem.DAMAGED, JournalProblem.SHORT}, "the first copy that is read may be well"
    assert problems(is_deep=True) == {JournalProblem.DAMAGED, JournalProblem.SHORT}
    assert heal(JournalState.objects.get(), topology=topologies.refresh()) == 0, "as many copies as there should be"
    assert heal(JournalState.objects.get(), topology=topologies.refresh(), reading=Throttle(None)) == 3
    assert problems(is_deep=True) == set()


@pytest.mark.parametrize("kind", list(RecordKind))
def test_a_record_with_too_few_copies_is_found(journal: Path, kind: RecordKind) -> None:
    copies_of(journal, kind)[0].unlink()
    assert problems() == {JournalProblem.SHORT}
    cut = copies_of(journal, kind)[-1]
    cut.write_bytes(cut.read_bytes()[:-1])
    assert problems() == {JournalProblem.SHORT, JournalProblem.DAMAGED}


@pytest.mark.parametrize(
    ("kind", "number", "problem"),
    [
        (RecordKind.SEGMENT, 1, JournalProblem.GAP),
        (RecordKind.SEGMENT, -1, JournalProblem.GAP),
        (RecordKind.PART, 0, JournalProblem.NOTHING),
        (RecordKind.MANIFEST, 0, JournalProblem.NOTHING),
    ],
)
def test_a_record_that_no_node_has_is_a_gap_or_the_end_of_the_snapshot(
    journal: Path, kind: RecordKind, number: int, problem: JournalProblem
) -> None:
    for path in copies_of(journal, kind, number):
        path.unlink()
    assert problem in problems()


def test_what_a_snapshot_has_replaced_may_be_anywhere(journal: Path) -> None:
    state = JournalState.objects.get()
    for path in copies_of(journal, RecordKind.SEGMENT)[1:]:
        path.unlink()
    assert problems() == {JournalProblem.SHORT}
    snapshot = take_snapshot(
        lineage=state.lineage.hex[:8], number=state.snapshot_number + 1, temporary_slot="objstore_snapshot_test"
    )
    JournalState.objects.update(snapshot_number=snapshot.number)
    assert problems() == set(), "as on a node that was away while it was deleted"


def test_a_snapshot_that_no_node_in_reach_has_is_taken_anew(
    database: Connection, nodes: Path, start_writer: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "HEAL_SECONDS", 0.3)
    monkeypatch.setattr(streaming, "CHECK_SECONDS", 0.3)
    start_writer()
    await_snapshot()
    holders = {path.parents[2].name for path in copies_of(nodes, RecordKind.MANIFEST)}
    assert len(holders) == 3
    Node.objects.filter(name__in=holders).update(state=NodeState.DOWN)
    topologies.refresh()
    await_snapshot(2)
    database.execute("INSERT INTO test_keyless VALUES ('x', 1)")
    await_journal(database)
    assert problems(is_deep=True) == set()
    assert {path.parents[2].name for path in copies_of(nodes, RecordKind.MANIFEST, -1)}.isdisjoint(holders)


def test_a_database_without_a_snapshot_cannot_be_restored(nodes: Path, settings: LazySettings) -> None:
    settings.OBJSTORE_JOURNAL = True
    assert problems() == {JournalProblem.NOTHING}
    settings.OBJSTORE_JOURNAL = False
    assert problems() == set()


def test_a_snapshot_is_held_to_a_rate(
    database: Connection, nodes: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute("INSERT INTO test_keyless SELECT repeat('x', 1000), n FROM generate_series(1, 2000) n")
    settings.OBJSTORE_JOURNAL_MIB_PER_SECOND = 1
    monkeypatch.setattr(snapshots, "FRAME_BYTES", 64 << 10)
    started_at = time.monotonic()
    take_snapshot(lineage="0000beef", number=1, temporary_slot="objstore_snapshot_test")
    assert time.monotonic() - started_at > 0.9, "two MiB, of which the first second's are free"
