"""What events look like on the wire."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from events.records import EventFacts, render_event

FACTS = EventFacts(
    sequence=255,
    name="ObjectCreated:Put",
    bucket_name="b",
    bucket_owner_id="123456789012",
    configuration_id="all",
    key="a b/ü+.txt",
    version_id="v1",
    size_bytes=5,
    etag="e",
    cause={"principal": "AWS:1", "account": "1", "address": "192.0.2.1", "request": "R", "host": "H"},
    details={},
    happened_at=datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
)


def record(facts: EventFacts) -> dict:
    return render_event(facts, region="us-east-1", is_event_bus=False)["Records"][0]


def test_keys_are_encoded_as_forms_encode_them() -> None:
    assert record(FACTS)["s3"]["object"]["key"] == "a+b/%C3%BC%2B.txt"


def test_times_have_milliseconds() -> None:
    assert record(FACTS)["eventTime"] == "2026-01-02T03:04:05.678Z"


def test_sequencers_compare_as_texts() -> None:
    later = replace(FACTS, sequence=4096)
    assert record(FACTS)["s3"]["object"]["sequencer"] < record(later)["s3"]["object"]["sequencer"]


def test_deletions_tell_neither_size_nor_etag() -> None:
    removed = record(replace(FACTS, name="ObjectRemoved:Delete", size_bytes=None, etag="", version_id=None))
    assert set(removed["s3"]["object"]) == {"key", "sequencer"}


def test_newer_kinds_have_newer_versions() -> None:
    assert record(FACTS)["eventVersion"] == "2.1"
    assert record(replace(FACTS, name="ObjectTagging:Put"))["eventVersion"] == "2.3"


def test_details_stand_beside_the_object() -> None:
    told = record(replace(FACTS, name="ObjectRestore:Completed", details={"glacierEventData": {"x": 1}}))
    assert told["glacierEventData"] == {"x": 1}


def test_the_event_bus_gets_keys_as_they_are() -> None:
    told = render_event(FACTS, region="r", is_event_bus=True)
    assert told["detail"]["object"] == {
        "key": "a b/ü+.txt",
        "size": 5,
        "etag": "e",
        "version-id": "v1",
        "sequencer": FACTS.sequencer,
    }
    assert told["detail"]["requester"] == "1"
    assert told["id"] == render_event(FACTS, region="r", is_event_bus=True)["id"]
