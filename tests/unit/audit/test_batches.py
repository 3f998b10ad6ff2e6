"""What the batch writer does under odd texts, overflow, and a database that refuses."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from accesscontrol.policy import Decision, Outcome
from audit.draft import AuditDraft, redacted
from audit.models import AuditEvent
from audit.plain_rows import plain_line
from audit.row_text import line_of
from audit.services import batches
from audit.services.rows import write_row

pytestmark = pytest.mark.django_db(transaction=True)


def draft(key: str = "k", **fields: Any) -> AuditDraft:
    one = AuditDraft(request_id="R", source="test", bucket="b", key=key, **fields)
    one.finish(status=200)
    return one


def write(*drafts: AuditDraft) -> None:
    batches.write_batch([batches.row_line(one) for one in drafts])


@pytest.fixture(autouse=True)
def empty_log() -> None:
    AuditEvent.objects.all().delete()


@pytest.mark.parametrize(
    "key", ["a\tb", "a\nb\\N", "\\.", "\\N", "\r", "ä€😀", "\x01\x7f\x85\u2028", "\x02", '"', "'", "", "NULL", " "]
)
def test_texts_come_back_as_they_were(key: str) -> None:
    write(draft(key))
    write_row(draft(key))
    assert [event.key for event in AuditEvent.objects.all()] == [key, key]


def test_what_postgresql_cannot_hold_is_replaced_and_long_texts_are_cut() -> None:
    write(draft("a\0b\ud800", user_agent="x" * 10_000, principal=""))
    event = AuditEvent.objects.get()
    assert "\0" not in (event.key or "")
    assert len(event.user_agent) == 512


TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "plain/key-1.jpg", "a" * 300, "a b", "a\\b", "a\tb", "a\x02b", "\x02", "a\x7fb", "ä", "\0"]),
)
MAYBE = st.one_of(st.none(), TEXTS)


@given(
    st.fixed_dictionaries(
        {
            "key": MAYBE,
            "bucket": MAYBE,
            "version_id": MAYBE,
            "access_key_id": MAYBE,
            "account_id": st.sampled_from([None, "1"]),
        }
        | dict.fromkeys(("principal", "source_ip", "method", "user_agent", "query", "host", "referer"), TEXTS)
        | {"path": TEXTS.map(lambda text: text.encode().decode("latin-1"))}
        | {"object_bytes": st.sampled_from([None, 0, 7]), "is_secure": st.booleans()}
    ),
    st.sampled_from([200, 206, 304, 403, 404]),
    st.booleans(),
)
@settings_of(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_plain_line_is_the_line(fields: dict[str, Any], status: int, is_decided: bool) -> None:  # noqa: FBT001
    one = AuditDraft(request_id="R", source="s3", **fields)
    if is_decided:
        one.note("s3:GetObject", "k", Decision(Outcome.ALLOWED, "because"))
    one.finish(status=status)
    assert plain_line(one) in (None, line_of(one.values()))


def test_most_lines_are_plain() -> None:
    one = AuditDraft(request_id="R", source="s3", bucket="b", key="photos/1.jpg", path="/b/photos/1.jpg", method="GET")
    one.finish(status=200)
    assert plain_line(one) == line_of(one.values())


@pytest.mark.parametrize("name", ["access_key_id", "bucket", "key", "version_id"])
def test_the_sign_for_null_is_a_text_like_others(name: str) -> None:
    one = AuditDraft(request_id="R", source="s3", path="/b", **{name: "\x02"})
    one.finish(status=200)
    assert plain_line(one) is None


def test_a_full_queue_drops_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "QUEUE_LENGTH_MAX", 3)
    writer = batches.BatchWriter()
    monkeypatch.setattr(writer, "_start", lambda: None)
    for number in range(10):
        writer.put(draft(str(number)))
    writer.flush()
    kept = AuditEvent.objects.exclude(operation="dropped")
    assert sorted(event.key or "" for event in kept) == ["0", "1", "2"]
    assert "at least 7 rows" in AuditEvent.objects.get(operation="dropped").reason


def test_rows_wait_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = batches.BatchWriter()
    monkeypatch.setattr(writer, "_start", lambda: None)
    for number in range(3):
        writer.put(draft(str(number)))

    def away(_: object) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as broken:
        broken.setattr(batches, "write_batch", away)
        with pytest.raises(OperationalError):
            writer.flush()
    writer.flush()
    assert [event.key for event in AuditEvent.objects.order_by("id")] == ["0", "1", "2"]


def test_one_row_that_is_refused_takes_no_other_with_it() -> None:
    bad = draft("bad")
    bad.object_bytes = 1 << 80
    write(draft("1"), bad, draft("2"))
    assert [event.key for event in AuditEvent.objects.order_by("id")] == ["1", "2"]


def test_reads_may_be_left_out_but_no_refusal(settings: Any) -> None:
    settings.OBJSTORE_AUDIT_READS = False
    read = draft("k", method="GET")
    assert not batches.is_wanted(read)
    read.status = 403
    assert batches.is_wanted(read)
    assert batches.is_wanted(draft("k", method="PUT"))


def test_signatures_and_tokens_are_left_out_of_queries() -> None:
    query = "X-Amz-Signature=abc&prefix=a&X-Amz-Security-Token=secret&Signature=x%2B"
    assert redacted(query) == "X-Amz-Signature=-&prefix=a&X-Amz-Security-Token=-&Signature=-"
    assert redacted("Action=X&NewPassword=p&WebIdentityToken=t") == "Action=X&NewPassword=-&WebIdentityToken=-"
    assert redacted("continuation-token=abc") == "continuation-token=abc"


def test_the_page_that_a_request_came_from_lends_nobody_its_signature() -> None:
    page = "https://s3.example.com/b/page.html?X-Amz-Credential=c&X-Amz-Signature=abc"
    refused = draft("k")
    refused.referer, refused.facts = page, {"is_secure": True, "headers": {"referer": page}}
    refused.note("s3:GetObject", "k", Decision(Outcome.IMPLICIT_DENY, "nothing allows it"))
    refused.status = 403
    assert "abc" not in " ".join(value or "" for value in refused.values())
    assert "X-Amz-Signature=-" in " ".join(value or "" for value in refused.values())
