"""Intelligent tiering: what nobody reads is archived, comes back when it is asked for, and never moves under a reader."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from buckets.intelligent_tiering import KIND
from buckets.inventory import Inventory
from buckets.models import BucketConfiguration
from chunks import topology
from chunks.models import Chunk, Garbage, StorageClass
from chunks.services import create_default_topology
from chunks.writer import write_chunk
from objects.models import AccessTier, Extent, Monitoring, ObjectVersion, Restore, RestoreTier
from objects.operations.restores import restore_members
from objects.selectors.inventory import iterate_rows
from objects.selectors.lookup import VersionRecord, look_up_row
from objects.services import tiering
from objects.services.archive import carry_out_restores, require_unarchived, restore_object
from objects.services.monitoring import note_access
from objects.services.read import iterate_version
from objects.services.tiering import carry_out_tierings
from objects.services.transition import move_version_to_storage_class
from s3protocol import errors
from tests.unit.objects.rows import add_bucket, put_version

pytestmark = pytest.mark.django_db(transaction=True)

DATA = os.urandom(300_000)
DAY = settings.OBJSTORE_LIFECYCLE_DAY_SECONDS


@pytest.fixture(autouse=True)
def _classes(tmp_path: Path) -> None:
    create_default_topology(tmp_path)
    StorageClass.objects.filter(name="GLACIER").update(large_scheme="rs-2+2")
    topology.refresh()


@pytest.fixture
def bucket() -> int:
    bucket_id = add_bucket("photos", history_seconds=3600)
    document = {
        "Id": "a",
        "Status": "Enabled",
        "Filter": {"Prefix": "cold/"},
        "Tierings": [
            {"Days": 90, "AccessTier": "ARCHIVE_ACCESS"},
            {"Days": 180, "AccessTier": "DEEP_ARCHIVE_ACCESS"},
        ],
    }
    BucketConfiguration.objects.create(bucket_id=bucket_id, kind=KIND, name="a", document=document)
    return bucket_id


def put(bucket: int, key: str = "cold/k", data: bytes = DATA) -> int:
    row = put_version(bucket, key, [write_chunk(data)])
    ObjectVersion.objects.filter(pk=row).update(storage_class="INTELLIGENT_TIERING")
    return row


def version_of(bucket: int, row: int) -> VersionRecord:
    found = look_up_row(bucket_id=bucket, version_row=row)
    assert found is not None
    assert found.version is not None
    return found.version


def archive(days: float) -> int:
    """Do what is due so many days from now."""
    now = datetime.now(UTC) + timedelta(seconds=days * DAY)
    return carry_out_tierings(now=now, day_seconds=DAY, may_go_on=lambda: True)


def content(bucket: int, row: int) -> bytes:
    version = version_of(bucket, row)
    return b"".join(iterate_version(version, 0, version.size_bytes))


def test_what_is_not_read_is_archived_as_the_archive_keeps_it_and_comes_back(bucket: int) -> None:
    row = put(bucket)
    assert archive(89) == 0
    assert archive(92) == 1
    assert archive(92) == 0
    assert {extent.chunk.storage_class for extent in Extent.objects.filter(version=row)} == {"GLACIER"}
    assert Garbage.objects.count() == 1
    version = version_of(bucket, row)
    assert version.storage_class == "INTELLIGENT_TIERING"
    assert restore_members(version) == {"ArchiveStatus": "ARCHIVE_ACCESS"}
    with pytest.raises(errors.InvalidObjectState) as caught:
        require_unarchived(version)
    assert caught.value.members == {"StorageClass": "INTELLIGENT_TIERING", "AccessTier": "ARCHIVE_ACCESS"}

    asked = {"version": version, "tier": RestoreTier.STANDARD, "now": datetime.now(UTC), "day_seconds": DAY}
    with pytest.raises(errors.InvalidArgument):
        restore_object(days=3, **asked)
    assert not restore_object(days=None, **asked)
    assert restore_members(version)["Restore"] == 'ongoing-request="true"'
    with pytest.raises(errors.RestoreAlreadyInProgress):
        restore_object(days=None, **asked)
    carry_out_restores(now=datetime.now(UTC), day_seconds=DAY)
    assert restore_members(version) == {}
    require_unarchived(version)
    assert content(bucket, row) == DATA
    assert not Restore.objects.exists()
    with pytest.raises(errors.InvalidObjectState):
        restore_object(days=None, **asked)


def test_what_stays_unread_goes_deeper(bucket: int) -> None:
    row = put(bucket)
    assert archive(92) == 1
    assert archive(182) == 1
    assert Monitoring.objects.get(pk=row).tier == AccessTier.DEEP_ARCHIVE_ACCESS
    with pytest.raises(errors.InvalidArgument):
        restore_object(
            version=version_of(bucket, row),
            days=None,
            tier=RestoreTier.EXPEDITED,
            now=datetime.now(UTC),
            day_seconds=DAY,
        )


def test_what_is_asked_for_goes_no_deeper_meanwhile(bucket: int) -> None:
    row = put(bucket)
    ObjectVersion.objects.filter(pk=row).update(became_current_at=datetime.now(UTC) - timedelta(seconds=100 * DAY))
    assert archive(0) == 1
    restore_object(
        version=version_of(bucket, row), days=None, tier=RestoreTier.BULK, now=datetime.now(UTC), day_seconds=DAY
    )
    assert archive(85) == 0
    assert Restore.objects.count() == 1


def test_what_was_read_can_be_erased(bucket: int) -> None:
    row = put(bucket)
    note_access(row, now=datetime.now(UTC))
    with connection.cursor() as cursor:
        cursor.execute("SELECT objects_erase_version(%s)", [row])
    assert not Monitoring.objects.exists()


def test_an_inventory_tells_the_tier(bucket: int) -> None:
    put(bucket)
    put(bucket, "warm/k")
    ObjectVersion.objects.filter(pk=put(bucket, "standard")).update(storage_class="STANDARD")
    archive(92)
    inventory = Inventory("a", "", False, False, (), "reports", "", None, None)
    rows = iterate_rows(inventory, bucket_id=bucket, bucket_name="photos", rules=[], day_seconds=DAY)
    assert {row.key: row.access_tier for row, *_ in rows} == {"cold/k": "ARCHIVE", "warm/k": "FREQUENT", "standard": ""}


def test_other_keys_small_objects_and_other_classes_stay(bucket: int) -> None:
    put(bucket, "warm/k")
    put(bucket, "cold/small", DATA[:100_000])
    ObjectVersion.objects.filter(pk=put(bucket, "cold/standard")).update(storage_class="STANDARD")
    assert archive(1_000) == 0


def test_a_read_counts_once_a_day(bucket: int) -> None:
    row = put(bucket)
    require_unarchived(version_of(bucket, row))
    first = Monitoring.objects.get(pk=row).accessed_at
    require_unarchived(version_of(bucket, row))
    assert Monitoring.objects.get(pk=row).accessed_at == first
    note_access(row, now=first + timedelta(seconds=50 * DAY))
    assert archive(92) == 0
    assert archive(142) == 1


def test_what_is_read_while_it_is_written_anew_stays(
    bucket: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    row = put(bucket)
    real, fragments = tiering.store_anew, len(list(tmp_path.rglob("fragments/*/*")))

    def read_meanwhile(*arguments: object) -> object:
        stored = real(*arguments)  # type: ignore[arg-type]
        note_access(row, now=datetime.now(UTC) + timedelta(seconds=91 * DAY))
        return stored

    monkeypatch.setattr(tiering, "store_anew", read_meanwhile)
    assert archive(92) == 0
    require_unarchived(version_of(bucket, row))
    assert content(bucket, row) == DATA
    assert Chunk.objects.count() == 1
    assert len(list(tmp_path.rglob("fragments/*/*"))) == fragments


def test_days_begin_where_a_version_comes_into_the_class_and_end_where_it_leaves(bucket: int) -> None:
    row = put_version(bucket, "cold/k", [write_chunk(DATA)])
    ObjectVersion.objects.filter(pk=row).update(became_current_at=datetime.now(UTC) - timedelta(seconds=500 * DAY))
    move = {"bucket_id": bucket, "version_row": row}
    assert move_version_to_storage_class(**move, storage_class="INTELLIGENT_TIERING")
    assert archive(0) == 0
    assert archive(92) == 1
    assert move_version_to_storage_class(**move, storage_class="GLACIER_IR")
    assert not Monitoring.objects.exists()
    require_unarchived(version_of(bucket, row))
