from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from chunks import topology as topologies
from journal import snapshots
from journal.archive import find_records, local_stores
from journal.barrier import is_journaled
from journal.databases import connect
from journal.models import JournalMode, JournalState
from journal.record_format import RecordKind, RecordName
from journal.selectors import journal_status
from journal.services import streaming, writing
from journal.services.upkeep import heal
from journal.snapshots import Snapshot, take_snapshot
from journal.tables import TRANSIENT, Connection, list_tables
from tests.live.processes import wait_until
from tests.unit.journal.conftest import RunningWriter, await_journal, await_snapshot, contents, drop_slots
from tests.unit.journal.replaying import change, find_backup, found_records, replay_into

Start = Callable[[], RunningWriter]


def test_what_was_committed_is_back_row_by_row_however_writers_were_stopped(
    database: Connection, nodes: Path, start_writer: Start
) -> None:
    chance = random.Random(11)
    change(database, chance)
    writer = start_writer()
    await_snapshot()
    for _ in range(4):
        change(database, chance)
        writer.stop()
        change(database, chance, count=5)
        writer = start_writer()
    await_journal(database)
    writer.stop()
    expected = contents(database)
    applied, gap = replay_into(database, nodes)
    assert gap == ""
    assert applied.transactions > 50
    assert contents(database) == expected
    assert all(expected.values())
    # A second time over the same rows: nothing doubles.
    assert replay_into(database, nodes)[1] == ""
    assert contents(database) == expected


def test_a_commit_is_repeated_where_the_writer_died_before_it_said_so_and_is_applied_once(
    database: Connection, nodes: Path, start_writer: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = start_writer()
    await_snapshot()
    writer.stop()

    class Killed(BaseException):
        pass

    def die(**_: Any) -> None:
        raise Killed

    database.execute("INSERT INTO test_keyless VALUES ('once', 1)")
    database.execute("SELECT pg_switch_wal()")  # which puts the log on the disk
    with monkeypatch.context() as patched:
        patched.setattr(streaming, "record_segment", die)  # kept on the nodes; nothing else knows
        with pytest.raises(Killed):
            streaming.StreamingSession(lambda: False).run()
    writer = start_writer()
    await_journal(database)
    writer.stop()
    assert len(find_backup(nodes)[2].segments) > 1
    replay_into(database, nodes)
    assert contents(database)["test_keyless"] == [("once", 1)]


def test_a_transaction_larger_than_memory_should_be_passes_in_pieces(
    database: Connection, nodes: Path, start_writer: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "PENDING_BYTES_MAX", 10_000)
    monkeypatch.setattr("journal.segments.SEGMENT_BYTES_MAX", 2_000)
    monkeypatch.setattr("journal.replay.BATCH_CHANGES", 100)
    writer = start_writer()
    await_snapshot()
    database.execute("INSERT INTO test_item (name, body) SELECT 'n' || n, md5(n::text) FROM generate_series(1, 2000) n")
    database.execute("UPDATE test_item SET body = body || name WHERE id % 3 = 0")
    await_journal(database)
    writer.stop()
    expected = contents(database)
    assert replay_into(database, nodes)[1] == ""
    assert contents(database) == expected
    assert len(find_backup(nodes)[2].segments) > 10


def test_a_segment_that_no_node_has_whole_ends_the_replay_before_it(
    database: Connection, nodes: Path, start_writer: Start
) -> None:
    start_writer().stop()
    for number in range(3):
        writer = start_writer()
        await_snapshot()
        database.execute("INSERT INTO test_keyless VALUES ('x', %s)", [number])
        await_journal(database)
        writer.stop()
    name = find_backup(nodes)[2].segments[-2].revisions[0]
    copies = list(nodes.glob(f"*/fragments/00/{name}"))
    assert len(copies) == 3
    copies[0].unlink()
    copies[1].write_bytes(copies[1].read_bytes()[:-10])
    applied, gap = replay_into(database, nodes)
    assert gap == ""  # the third copy is whole
    assert applied.transactions == 3
    damaged = bytearray(copies[2].read_bytes())
    damaged[len(damaged) // 2] ^= 4
    copies[2].write_bytes(damaged)
    applied, gap = replay_into(database, nodes)
    assert "are missing" in gap
    assert contents(database)["test_keyless"] == [("x", 0)]


def test_a_slot_that_is_lost_begins_a_new_lineage_with_a_snapshot_and_the_old_one_goes_after_it(
    database: Connection, nodes: Path, start_writer: Start
) -> None:
    writer = start_writer()
    before = await_snapshot()
    database.execute("INSERT INTO test_keyless VALUES ('first', 1)")
    await_journal(database)
    writer.stop()
    drop_slots(database)
    database.execute("INSERT INTO test_keyless VALUES ('unseen', 2)")
    writer = start_writer()
    wait_until(lambda: JournalState.objects.exclude(lineage=before.lineage).exists(), "a new lineage")
    after = await_snapshot()
    database.execute("INSERT INTO test_keyless VALUES ('last', 3)")
    await_journal(database)
    writer.stop()
    wait_until(lambda: JournalState.objects.get().predecessors == [], "the old lineage is forgotten")
    expected = contents(database)
    assert replay_into(database, nodes)[1] == ""
    assert contents(database) == expected
    lineages = {name.lineage for name in find_records(local_stores(nodes)).holders}
    assert lineages == {after.lineage.hex[:8]}


def test_records_of_another_database_are_left_alone(database: Connection, nodes: Path, start_writer: Start) -> None:
    stranger = nodes / "node-1" / "fragments" / "00" / str(RecordName("00000bad", RecordKind.MANIFEST, 7))
    stranger.parent.mkdir()
    stranger.write_bytes(b"not for us to judge")
    writer = start_writer()
    await_snapshot()
    writer.stop()
    assert stranger.exists()


def test_a_snapshot_replaces_segments_and_the_snapshot_before(
    database: Connection, nodes: Path, start_writer: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = start_writer()
    await_snapshot()
    change(database, random.Random(5))
    await_journal(database)
    writer.stop()
    JournalState.objects.update(snapshot_schema="of another release")
    writer = start_writer()
    state = await_snapshot(2)
    wait_until(
        lambda: {name.number >> 16 for name in found_records(nodes) if name.kind is not RecordKind.SEGMENT} == {2},
        "the first snapshot is gone",
    )
    assert state.segment_count == 0
    assert state.segment_bytes == 0
    database.execute("INSERT INTO test_keyless VALUES ('after', 3)")
    await_journal(database)
    writer.stop()
    expected = contents(database)
    applied, gap = replay_into(database, nodes)
    assert gap == ""
    assert applied.transactions <= 3
    assert contents(database) == expected


def test_a_snapshot_that_was_not_finished_is_none(database: Connection, nodes: Path, start_writer: Start) -> None:
    writer = start_writer()
    await_snapshot()
    writer.stop()
    lineage = JournalState.objects.get().lineage.hex[:8]
    snapshot = take_snapshot(lineage=lineage, number=2 << 16, temporary_slot="objstore_snapshot_test")
    assert isinstance(snapshot, Snapshot)
    assert find_backup(nodes)[2].manifest["snapshot"] == 2 << 16
    for path in nodes.glob(f"*/fragments/00/{RecordName(lineage, RecordKind.PART, 2 << 16, 0)}"):
        path.unlink()
    assert find_backup(nodes)[2].manifest["snapshot"] >> 16 == 1


def test_a_record_that_is_short_of_copies_gets_them_back(
    database: Connection, nodes: Path, start_writer: Start
) -> None:
    writer = start_writer()
    await_snapshot()
    writer.stop()
    found = find_records(local_stores(nodes))
    assert {len(labels) for labels in found.holders.values()} == {3}
    zones = [{Path(label).name for label in labels} for labels in found.holders.values()]
    assert all(len({(int(name[-1]) + 1) // 2 for name in names}) == 3 for names in zones)
    lost = Path(next(iter(found.holders.values()))[0])
    (lost / "identity").unlink()
    topologies._forget_after_fork()
    assert heal(JournalState.objects.get(), topology=topologies.refresh()) > 0
    assert {len(labels) for labels in find_records(local_stores(nodes)).holders.values()} == {3}
    assert heal(JournalState.objects.get(), topology=topologies.refresh()) == 0


def test_garbage_waits_until_its_deletion_is_journaled(
    database: Connection, nodes: Path, start_writer: Start, settings: LazySettings
) -> None:
    settings.OBJSTORE_JOURNAL = True
    assert is_journaled(wait_seconds=0)  # nothing can be restored yet
    writer = start_writer()
    await_snapshot()
    database.execute("INSERT INTO test_keyless VALUES ('x', 3)")
    assert is_journaled(wait_seconds=20)
    writer.stop()
    database.execute("INSERT INTO test_keyless VALUES ('y', 3)")
    assert not is_journaled(wait_seconds=0.5)
    settings.OBJSTORE_JOURNAL_GARBAGE_SECONDS = 0
    assert is_journaled(wait_seconds=0.5)
    settings.OBJSTORE_JOURNAL_GARBAGE_SECONDS = 1000
    database.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    assert not is_journaled(wait_seconds=0.5)


def test_without_logical_decoding_there_are_snapshots(
    database: Connection, nodes: Path, start_writer: Start, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "why_not_stream", lambda: "the server's wal_level is replica, not logical")
    settings.OBJSTORE_JOURNAL_SNAPSHOT_SECONDS = 1
    change(database, random.Random(3))
    writer = start_writer()
    state = await_snapshot(2)
    assert state.mode == JournalMode.SNAPSHOTS
    assert is_journaled(wait_seconds=0) in {True, False}
    writer.stop()
    assert journal_status().complaint == ""
    expected = contents(database)
    applied, gap = replay_into(database, nodes)
    assert (applied.transactions, gap) == (0, "")
    assert contents(database) == expected


def test_a_server_without_a_slot_to_give_is_asked_again_and_snapshots_are_kept_meanwhile(
    database: Connection, nodes: Path, start_writer: Start, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "STREAM_RETRY_SECONDS", 0.3)
    monkeypatch.setattr(writing, "RETRY_SECONDS", 0.3)
    free = "SELECT current_setting('max_replication_slots')::int - count(*)::int FROM pg_replication_slots"
    (count,) = database.execute(free).fetchone() or (0,)
    for number in range(count):
        database.execute("SELECT pg_create_physical_replication_slot(%s)", [f"test_taken_{number}"])
    try:
        writer = start_writer()
        state = await_snapshot()
        assert (state.mode, len(state.holder_ids)) == (JournalMode.SNAPSHOTS, 3)
        number = state.snapshot_number
        time.sleep(1)
        assert JournalState.objects.get().snapshot_number == number, "no snapshot each time that it asks"
        settings.OBJSTORE_JOURNAL_REQUIRED = True
        wait_until(lambda: "replication slots are in use" in journal_status().complaint, "less is not good enough")
    finally:
        settings.OBJSTORE_JOURNAL_REQUIRED = False
        for number in range(count):
            database.execute("SELECT pg_drop_replication_slot(%s)", [f"test_taken_{number}"])
    wait_until(
        lambda: JournalState.objects.filter(mode=JournalMode.STREAMING, snapshot_lsn__isnull=False).exists(),
        "every commit is journaled",
    )
    database.execute("INSERT INTO test_keyless VALUES ('late', 1)")
    await_journal(database)
    writer.stop()
    expected = contents(database)
    assert replay_into(database, nodes)[1] == ""
    assert contents(database) == expected


def test_the_status_says_what_is_wrong(
    database: Connection, nodes: Path, start_writer: Start, settings: LazySettings
) -> None:
    settings.OBJSTORE_JOURNAL = True
    assert "no journal" in journal_status().complaint
    writer = start_writer()
    await_snapshot()
    wait_until(lambda: journal_status().complaint == "", "the journal is well")
    status = journal_status()
    assert status.mode == JournalMode.STREAMING
    writer.stop()
    # The server notices a moment later that the writer's connection is gone.
    wait_until(lambda: journal_status().complaint == "nobody writes the journal", "that nobody writes is told")
    settings.OBJSTORE_JOURNAL = False
    assert "switched off" in journal_status().complaint


def test_a_node_that_fails_is_replaced_and_too_few_nodes_stop_the_journal_until_they_are_back(
    database: Connection, nodes: Path, start_writer: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "RETRY_SECONDS", 0.3)
    writer = start_writer()
    await_snapshot()
    hidden = [nodes / f"node-{number}" / "identity" for number in range(1, 6)]
    for path in hidden:
        path.rename(path.with_name("hidden"))
    topologies._forget_after_fork()
    database.execute("INSERT INTO test_keyless VALUES ('x', 1)")
    wait_until(
        lambda: "is on 1 nodes" in JournalState.objects.get().last_error, "the journal says that it stands still"
    )
    for path in hidden:
        path.with_name("hidden").rename(path)
    topologies._forget_after_fork()
    await_journal(database)
    writer.stop()
    replay_into(database, nodes)
    assert contents(database)["test_keyless"] == [("x", 1)]


def test_all_tables_are_kept_but_those_with_a_reason(database: Connection) -> None:
    with connect() as connection:
        kept = {table.name for table in list_tables(connection)}
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        partitions = connection.execute("SELECT inhrelid::regclass::text FROM pg_inherits").fetchall()
    everything = {name for (name,) in rows} - {name for (name,) in partitions}
    assert everything - kept == set(TRANSIENT)


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_waits_for_the_writer_that_came_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "WRITERS_SECONDS_MAX", 0.2)
    with connect() as writer, connect() as reader:
        writer.execute("BEGIN")
        writer.execute("SELECT pg_current_xact_id()")
        with pytest.raises(TimeoutError):
            snapshots._begin_after_writers(reader)
        writer.execute("COMMIT")
        assert snapshots._begin_after_writers(reader) > 0
