"""What is particular about the audit log's rows in the journal: they have partitions, and most come in batches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from audit.draft import AuditDraft
from audit.services.batches import row_line, write_batch
from audit.services.partitions import make_partitions, partition_name
from audit.services.rows import write_row
from journal.databases import connect_to_restore
from journal.record_format import split_messages
from journal.services.restoring import Restoring
from journal.tables import Connection
from tests.unit.journal.conftest import RunningWriter, await_journal, await_snapshot
from tests.unit.journal.replaying import find_backup

Start = Callable[[], RunningWriter]


def test_rows_that_wait_for_their_partition_are_journaled_when_it_is_made(
    database: Connection, nodes: Path, start_writer: Start
) -> None:
    count = (
        "SELECT count(*), count(*) FILTER (WHERE tableoid = 'audit_auditevent_default'::regclass) FROM audit_auditevent"
        " WHERE at = '2031-01-01'"
    )
    writer = start_writer()
    await_snapshot()
    day = date(2031, 1, 1)
    database.execute(
        "INSERT INTO audit_auditevent SELECT '2031-01-01'::timestamptz, 7, '', '', '', '', null, '', null, null, null, null,"
        " null, null, '', null, '', '', 200, '', 0, 0, null, 0, '', '', '', '', '', false"
    )
    assert database.execute(count).fetchone() == (1, 1)
    await_journal(database)
    writer.stop()
    writer = start_writer()  # so that the row stands in a segment that knows no partition
    assert day in make_partitions(today=day, days_ahead=0)
    assert database.execute(count).fetchone() == (1, 0)
    database.execute("INSERT INTO test_keyless VALUES ('last', 1)")
    await_journal(database)
    writer.stop()
    database.execute(f"DROP TABLE {partition_name(day)}")
    with connect_to_restore() as connection:
        stores, found, backup = find_backup(nodes)
        _, gap = Restoring(connection, stores, found, backup, lambda _: None).replay(None)
    assert gap == ""
    assert database.execute(count).fetchone() == (1, 0)  # in a partition that the replay has made again
    database.execute(f"DROP TABLE {partition_name(day)}")


def test_a_batch_of_audit_rows_is_one_message_of_which_all_rows_come_back(
    database: Connection, nodes: Path, start_writer: Start
) -> None:
    rows = "SELECT * FROM audit_auditevent ORDER BY id"
    database.execute("DELETE FROM audit_auditevent")
    writer = start_writer()
    await_snapshot()
    drafts = [AuditDraft(request_id=str(number), source="test", key=f"a\tb\n\\{number}\x02") for number in range(100)]
    for draft in drafts:
        draft.finish(status=200)
    write_batch([row_line(draft) for draft in drafts])
    write_row(drafts[0])  # as a change's: it stands in the journal for itself
    # What others say in the log is no row.
    database.execute(
        "SELECT pg_logical_emit_message(false, 'objstore.audit', 'x'), pg_logical_emit_message(true, 'x', 'y')"
    )
    await_journal(database)
    writer.stop()
    there = database.execute(rows).fetchall()
    assert [row[-1] for row in there].count(True) == 100
    stores, found, backup = find_backup(nodes)
    with connect_to_restore() as connection:
        restoring = Restoring(connection, stores, found, backup, lambda _: None)
        kinds = [
            data[:1]
            for _, record in restoring._readable_segments()
            for content in record.contents()
            for data in split_messages(content)
        ]
        assert (kinds.count(b"M"), kinds.count(b"I")) == (1, 1)
        database.execute("DELETE FROM audit_auditevent WHERE id % 3 > 0")
        applied, gap = restoring.replay(None)
    assert (applied.transactions, gap) == (2, "")
    assert database.execute(rows).fetchall() == there
