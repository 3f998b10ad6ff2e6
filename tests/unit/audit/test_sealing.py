"""The chains: what was sealed can't be changed unnoticed, and late commits are never passed over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from audit.draft import AuditDraft
from audit.models import AuditEvent, AuditProgress, AuditSeal
from audit.services import partitions, sealing
from audit.services.batches import row_line, write_batch
from audit.services.rows import INSERT_ROW

pytestmark = pytest.mark.django_db(transaction=True)

TODAY = datetime.now(UTC).date()


@pytest.fixture(autouse=True)
def empty_log() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_auditevent")
        cursor.execute("SELECT nextval('audit_auditevent_id_seq')")
        last_id = cursor.fetchone()[0]
    AuditSeal.objects.all().delete()
    AuditProgress.objects.all().delete()
    AuditProgress.objects.create(id=1, sealed_id=last_id)
    partitions.make_partitions(today=TODAY)


def draft(key: str = "k", *, at: datetime | None = None) -> AuditDraft:
    one = AuditDraft(request_id=f"R{key}", source="s3", bucket="b", key=key, principal="*")
    if at is not None:
        one.at = at.timestamp()
    one.finish(status=200)
    return one


def write(*drafts: AuditDraft) -> None:
    write_batch([row_line(one) for one in drafts])


def seal_all() -> None:
    sealing.settled_id()
    sealing.seal_rows(up_to_id=sealing.settled_id())


def problems() -> list[str]:
    return [problem for verdict in sealing.verify_days() for problem in verdict.problems]


def change(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount


def test_rows_are_sealed_once_and_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "RUN_IDS_MAX", 3)
    write(*(draft(str(number)) for number in range(10)))
    seal_all()
    write(draft("late"), draft("yesterday", at=datetime.now(UTC) - timedelta(days=1)))
    seal_all()
    verdicts = list(sealing.verify_days())
    assert problems() == []
    assert sum(verdict.sealed_rows for verdict in verdicts) == 12
    assert AuditSeal.objects.filter(day=TODAY).count() > 3


def test_what_was_sealed_in_an_older_form_verifies_and_the_chain_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        form = sealing._FORMS[sealing.NEWEST_FORM]
        older.setattr(sealing, "NEWEST_FORM", 1)
        older.setattr(sealing, "_RUN_DIGESTS", sealing._RUN_DIGESTS.replace(form, sealing._FORMS[1]))
        write(draft("1"), draft("2"))
        seal_all()
    write(draft("3"))
    seal_all()
    assert list(AuditSeal.objects.order_by("sequence").values_list("form", flat=True)) == [1, 2]
    assert problems() == []
    change("UPDATE audit_auditseal SET form = 3 - form WHERE sequence = 1")
    assert problems()
    change("UPDATE audit_auditseal SET form = 3 - form WHERE sequence = 1")
    change("UPDATE audit_auditevent SET key = 'other' WHERE key = '1'")
    assert any("were changed" in problem for problem in problems())


def test_the_first_row_of_all_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER SEQUENCE audit_auditevent_id_seq RESTART")
    AuditProgress.objects.update(sealed_id=0)
    seal_all()
    write(*(draft(str(number)) for number in range(3)))
    seal_all()
    assert problems() == []
    assert sum(verdict.sealed_rows for verdict in sealing.verify_days()) == 3


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE audit_auditevent SET key = 'other' WHERE key = '4'", "were changed"),
        ("DELETE FROM audit_auditevent WHERE key = '4'", "sealed"),
        ("DELETE FROM audit_auditevent WHERE key = '9'", "sealed"),
        ("UPDATE audit_auditevent SET id = 10000000 - id WHERE key IN ('3', '4')", "sealed"),
        ("UPDATE audit_auditevent SET key = (7 - key::int)::text WHERE key IN ('3', '4')", "were changed"),
        ("UPDATE audit_auditevent SET at = at - interval '1 microsecond' WHERE key = '5'", "were changed"),
        ("DELETE FROM audit_auditseal WHERE sequence = 1", "missing"),
        ("UPDATE audit_auditseal SET row_count = row_count - 1 WHERE sequence = 1", "does not follow"),
    ],
)
def test_tampering_is_found(monkeypatch: pytest.MonkeyPatch, tampering: str, found: str) -> None:
    monkeypatch.setattr(sealing, "RUN_IDS_MAX", 3)
    write(*(draft(str(number)) for number in range(10)))
    seal_all()
    assert problems() == []
    change(tampering)
    assert any(found in problem for problem in problems()), problems()


def test_a_row_slipped_in_behind_the_chain_is_found() -> None:
    write(draft("1"))
    seal_all()
    old_id = AuditEvent.objects.get().id
    write(draft("2"), draft("3"))
    seal_all()
    AuditEvent.objects.filter(key="3").delete()
    change(f"UPDATE audit_auditevent SET id = {old_id - 1} WHERE key = '2'")
    assert problems()


def test_a_row_that_commits_late_is_sealed_nevertheless() -> None:
    where = connection.settings_dict
    with psycopg.connect(host=where["HOST"], dbname=where["NAME"], user=where["USER"]) as writer:
        writer.execute(INSERT_ROW, draft("late").values())
        write(draft("early"))
        seal_all()
        assert not AuditSeal.objects.exists()
        writer.commit()
    seal_all()
    assert sum(verdict.sealed_rows for verdict in sealing.verify_days()) == 2
    assert problems() == []


def test_a_row_with_an_id_before_all_others_is_found() -> None:
    write(*(draft(str(number)) for number in range(3)))
    seal_all()
    change("UPDATE audit_auditevent SET id = -id WHERE key = '2'")
    assert any("never drawn" in problem for problem in problems())


def test_a_day_that_is_gone_before_its_time_is_found(settings: Any) -> None:
    write(draft("1"))
    seal_all()
    change("DELETE FROM audit_auditevent")
    change("UPDATE audit_auditseal SET is_dropped = true")
    settings.OBJSTORE_AUDIT_RETENTION_DAYS = 0
    assert any("to be kept for longer" in problem for problem in problems())


def test_a_day_is_dropped_whole_and_its_head_stays(settings: Any) -> None:
    settings.OBJSTORE_AUDIT_RETENTION_DAYS = 5
    old = TODAY - timedelta(days=10)
    write(draft("old", at=datetime.combine(old, datetime.min.time(), UTC)), draft("new"))
    assert old in partitions.make_partitions(today=TODAY)  # it waited in the default partition
    seal_all()
    head = AuditSeal.objects.filter(day=old).order_by("-sequence").first()
    assert partitions.drop_partitions(before=TODAY - timedelta(days=5)) == [old]
    assert [event.key for event in AuditEvent.objects.all()] == ["new"]
    kept = AuditSeal.objects.get(day=old)
    assert head is not None
    assert (kept.digest, kept.is_dropped) == (head.digest, True)
    assert problems() == []
    settings.OBJSTORE_AUDIT_RETENTION_DAYS = 30
    assert any("to be kept for longer" in problem for problem in problems())


def test_partitions_are_made_ahead() -> None:
    assert {TODAY + timedelta(days=ahead) for ahead in range(4)} <= set(partitions.list_days())
    assert partitions.make_partitions(today=TODAY) == []
    assert partitions.partition_name(date(2030, 1, 2)) == "audit_auditevent_20300102"
