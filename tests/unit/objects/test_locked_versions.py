"""What the database itself keeps of object lock and lifecycle, whoever calls its functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from buckets.models import Bucket, Versioning
from buckets.services import put_bucket_lifecycle_configuration, put_bucket_versioning, put_object_lock_configuration
from objects.models import LifecycleRun, ObjectVersion
from objects.retention import COMPLIANCE, GOVERNANCE
from objects.selectors.lifecycle import find_due_buckets
from objects.services.delete import delete_object
from objects.services.garbage import expire_history
from objects.services.lifecycle import Applied, apply_rules, forget_runs
from s3protocol import errors
from tests.unit.objects.rows import OWNER_ID, add_bucket, put_version

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=1)


def lock(version_row: int, **columns: Any) -> None:
    ObjectVersion.objects.filter(pk=version_row).update(**columns)


def erase(version_row: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT objects_erase_version(%s)", [version_row])


@pytest.mark.parametrize("protection", [{"legal_hold": True}, {"lock_mode": COMPLIANCE, "retain_until": LATER}])
def test_what_nobody_may_erase_is_not_erased(protection: dict[str, Any]) -> None:
    version = put_version(add_bucket("b"), "k", [])
    lock(version, **protection)
    with pytest.raises(DatabaseError, match="is locked"):
        erase(version)
    lock(version, legal_hold=False, lock_mode=GOVERNANCE, retain_until=LATER)
    erase(version)
    assert not ObjectVersion.objects.filter(pk=version).exists()


def test_history_never_erases_what_is_locked() -> None:
    bucket = add_bucket("b")
    locked, free = put_version(bucket, "locked", []), put_version(bucket, "free", [])
    lock(locked, legal_hold=True)
    ObjectVersion.objects.filter(pk__in=[locked, free]).update(deleted_at=NOW - timedelta(days=1))
    expire_history()
    assert list(ObjectVersion.objects.values_list("pk", flat=True)) == [locked]


def test_the_deleting_function_asks_the_lock() -> None:
    bucket = add_bucket("b")
    lock(put_version(bucket, "k", []), lock_mode=GOVERNANCE, retain_until=LATER)
    deletion = {"bucket_id": bucket, "key": "k", "owner_id": OWNER_ID, "version_id": "null"}
    with pytest.raises(errors.AccessDenied):
        delete_object(**deletion)
    delete_object(**deletion, is_bypassing=True)
    assert not ObjectVersion.objects.exists()


def test_locks_rest_on_versioning() -> None:
    bucket = add_bucket("b")
    with pytest.raises(errors.InvalidBucketState):
        put_object_lock_configuration(bucket_id=bucket, default_retention=None)
    put_bucket_versioning(bucket_id=bucket, status=Versioning.ENABLED)
    put_object_lock_configuration(bucket_id=bucket, default_retention={"Mode": COMPLIANCE, "Days": 1})
    with pytest.raises(errors.InvalidBucketState):
        put_bucket_versioning(bucket_id=bucket, status=Versioning.SUSPENDED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Bucket.objects.filter(pk=bucket).update(versioning=Versioning.SUSPENDED)
    version = ObjectVersion.objects.get(pk=put_version(bucket, "k", []))
    assert version.lock_mode == COMPLIANCE
    assert version.retain_until is not None
    assert timedelta(hours=23) < version.retain_until - NOW < timedelta(hours=25)


def run_lifecycle(now: datetime, *, batch_size: int = 2) -> Applied:
    applied = Applied()
    for bucket in find_due_buckets(now=now, day_seconds=86_400):
        apply_rules(bucket, applied, now=now, day_seconds=86_400, may_go_on=lambda: True, batch_size=batch_size)
    return applied


def test_rules_run_once_a_day_in_batches_and_anew_when_they_change() -> None:
    bucket = add_bucket("b")
    for number in range(5):
        put_version(bucket, f"old/{number}", [])
    put_version(bucket, "new", [])
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 1}}
    put_bucket_lifecycle_configuration(bucket_id=bucket, document={"Rules": [rule]})
    assert run_lifecycle(NOW) == Applied()
    assert run_lifecycle(NOW + timedelta(days=3)) == Applied(expired_objects=5)
    assert ObjectVersion.objects.count() == 1
    assert find_due_buckets(now=NOW + timedelta(days=3), day_seconds=86_400) == []
    rule["Filter"] = {"Prefix": "new"}
    put_bucket_lifecycle_configuration(bucket_id=bucket, document={"Rules": [rule]})
    assert run_lifecycle(NOW + timedelta(days=3)) == Applied(expired_objects=1)


def test_a_run_that_is_cut_short_goes_on_later() -> None:
    bucket = add_bucket("b")
    put_version(bucket, "k", [])
    rule = {"ID": "r", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}
    put_bucket_lifecycle_configuration(bucket_id=bucket, document={"Rules": [rule]})
    later, applied = NOW + timedelta(days=3), Applied()
    (due,) = find_due_buckets(now=later, day_seconds=86_400)
    assert not apply_rules(due, applied, now=later, day_seconds=86_400, may_go_on=lambda: False)
    assert applied.is_nothing
    assert run_lifecycle(later) == Applied(expired_objects=1)


def test_runs_of_buckets_without_rules_are_forgotten() -> None:
    bucket = add_bucket("b")
    put_bucket_lifecycle_configuration(bucket_id=bucket, document={"Rules": []})
    run_lifecycle(NOW)
    put_bucket_lifecycle_configuration(bucket_id=bucket, document=None)
    forget_runs()
    assert not LifecycleRun.objects.exists()
