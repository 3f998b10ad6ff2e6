"""Versions that are published together: each hears its own outcome, and a group that is refused has changed nothing."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from audit.draft import AuditDraft
from audit.models import AuditEvent
from chunks.models import Chunk, Node
from chunks.services import create_default_topology
from journal.databases import connect
from objects.models import BucketUsage, Object, ObjectVersion
from objects.services.publish import NewVersion
from objects.services.publish_together import PutVersion, put_versions
from tests.unit.objects.rows import OWNER_ID, add_bucket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bucket(tmp_path: object) -> int:
    create_default_topology(tmp_path)  # type: ignore[arg-type]
    return add_bucket("photos")


def draft(key: str) -> AuditDraft:
    one = AuditDraft(request_id=key.upper(), source="s3", operation="PutObject", method="PUT", bucket="photos", key=key)
    one.status = 200
    return one


def put(
    bucket: int, key: str, *, etag: str = "0" * 32, chunk_id: str = "", if_none_match: str | None = None
) -> PutVersion:
    chunk = {
        "id": chunk_id or str(uuid4()),
        "size_bytes": 4096,
        "extent_bytes": 4096,
        "scheme": "replicate-3",
        "node_ids": list(Node.objects.order_by("id").values_list("id", flat=True)[:3]),
        "checksum": 1,
        "storage_class": "STANDARD",
        "plain_bytes": None,
        "offset_bytes": 0,
    }
    version = NewVersion(owner_id=OWNER_ID, size_bytes=4096, etag=etag, metadata={"name": "ä€😀"})
    return PutVersion(
        bucket, key, version.document(), json.dumps([chunk]), if_none_match, None,
        chunk_count=1, draft=draft(key), publish_alone=lambda: ("alone", None, None, None),
    )  # fmt: skip


def test_each_hears_its_own_outcome_and_each_change_has_its_audit_row(bucket: int) -> None:
    put_versions([put(bucket, "there"), put(bucket, "other")])
    AuditEvent.objects.all().delete()
    puts = [put(bucket, "b"), put(bucket, "there", if_none_match="*"), put(bucket, "a"), put(bucket + 1, "lost")]
    rows = put_versions(puts)
    assert [row and row[0] for row in rows] == ["", "PreconditionFailed", "", "NoSuchBucket"]
    assert [one.draft and one.draft.is_written for one in puts] == [True, False, True, False]
    audited = {event.key: event for event in AuditEvent.objects.all()}
    assert set(audited) == {"a", "b"}
    assert audited["a"].version_id == "null"
    assert audited["a"].request_id == "A"
    for row, key in ((rows[0], "b"), (rows[2], "a")):
        assert row is not None
        version = ObjectVersion.objects.get(pk=row[1])
        assert version.object.key == key
        assert (row[2], row[3]) == ("null", version.became_current_at)
        assert version.metadata == {"name": "ä€😀"}
        assert abs(datetime.now(UTC) - row[3]) < timedelta(minutes=1)
    assert sum(usage.object_count for usage in BucketUsage.objects.all()) == 4


def test_of_two_for_one_key_the_later_stays(bucket: int) -> None:
    rows = put_versions([put(bucket, "k", etag="1" * 32), put(bucket, "k", etag="2" * 32)])
    assert [row and row[0] for row in rows] == ["", ""]
    current = Object.objects.get(key="k").current_version
    assert current is not None
    assert current.etag == "2" * 32
    assert ObjectVersion.objects.filter(superseded_at=None).count() == 1


def test_one_that_the_database_refuses_takes_nothing_with_it(bucket: int) -> None:
    taken = str(uuid4())
    put_versions([put(bucket, "first", chunk_id=taken), put(bucket, "other")])
    before = Chunk.objects.count(), AuditEvent.objects.count()
    puts = [put(bucket, "a"), put(bucket, "b", chunk_id=taken), put(bucket, "c\0")]
    assert put_versions(puts) == [None, None, None]
    assert put_versions(puts[:2]) == [None, None]
    assert (Chunk.objects.count(), AuditEvent.objects.count()) == before
    assert not any(one.draft and one.draft.is_written for one in puts)
    assert put_versions(puts[1:2]) == [("alone", None, None, None)]


def test_a_group_does_not_wait_for_who_holds_a_key_of_one(bucket: int) -> None:
    put_versions([put(bucket, "held"), put(bucket, "free")])
    with connect() as other, other.transaction():
        other.execute("SELECT FROM objects_object WHERE key = 'held' FOR UPDATE")
        started_at = time.monotonic()
        assert put_versions([put(bucket, "held"), put(bucket, "new")]) == [None, None]
        assert time.monotonic() - started_at < 10
    assert not Object.objects.filter(key="new").exists()
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
    assert None not in put_versions([put(bucket, "held"), put(bucket, "new")])
