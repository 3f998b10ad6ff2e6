"""Object lock: what is locked stays, whoever deletes, until its time is over or its hold is lifted."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.live.system import LiveSystem
from tests.s3.refusals import refused
from tests.s3.sharing import policy, statement
from tests.s3.wire import Wire

GOVERNANCE, COMPLIANCE = "GOVERNANCE", "COMPLIANCE"


def in_an_hour() -> datetime:
    return (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)


def retention(mode: str, until: datetime) -> dict[str, Any]:
    return {"Mode": mode, "RetainUntilDate": until}


def default(**rule: Any) -> dict[str, Any]:
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": rule}}


@pytest.fixture
def lockable(owner: Any) -> str:
    """A bucket whose versions can be locked."""
    name = f"test-{secrets.token_hex(6)}"
    owner.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.fixture
def put(owner: Any, lockable: str) -> Callable[..., str]:
    """Put the object `k` and return its version id."""

    def put_object(**arguments: Any) -> str:
        return str(owner.put_object(Bucket=lockable, Key="k", Body=b"x", **arguments)["VersionId"])

    return put_object


def test_a_bucket_made_for_locks_is_versioned_for_ever(owner: Any, lockable: str) -> None:
    assert owner.get_bucket_versioning(Bucket=lockable)["Status"] == "Enabled"
    configuration = owner.get_object_lock_configuration(Bucket=lockable)["ObjectLockConfiguration"]
    assert configuration == {"ObjectLockEnabled": "Enabled"}
    with refused("InvalidBucketState", 409):
        owner.put_bucket_versioning(Bucket=lockable, VersioningConfiguration={"Status": "Suspended"})


def test_locks_come_to_an_existing_bucket_that_is_versioned(owner: Any, bucket: str) -> None:
    with refused("ObjectLockConfigurationNotFoundError", 404):
        owner.get_object_lock_configuration(Bucket=bucket)
    with refused("InvalidBucketState", 409):
        owner.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    owner.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    owner.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=default(Mode=GOVERNANCE, Years=1))
    stored = owner.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    assert stored == default(Mode=GOVERNANCE, Years=1)
    owner.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    assert "Rule" not in owner.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]


def test_a_bucket_without_locks_takes_none(owner: Any, versioned: str) -> None:
    owner.put_object(Bucket=versioned, Key="k", Body=b"x")
    with refused("InvalidRequest", 400):
        owner.put_object(Bucket=versioned, Key="k", ObjectLockLegalHoldStatus="ON")
    with refused("InvalidRequest", 400):
        owner.put_object_retention(Bucket=versioned, Key="k", Retention=retention(GOVERNANCE, in_an_hour()))
    with refused("InvalidRequest", 400):
        owner.get_object_legal_hold(Bucket=versioned, Key="k")


def test_put_copy_and_completed_uploads_get_the_default_retention(owner: Any, lockable: str, put: Any) -> None:
    owner.put_object_lock_configuration(Bucket=lockable, ObjectLockConfiguration=default(Mode=COMPLIANCE, Days=1))
    put()
    owner.copy_object(Bucket=lockable, Key="copied", CopySource={"Bucket": lockable, "Key": "k"})
    upload = owner.create_multipart_upload(Bucket=lockable, Key="parts")["UploadId"]
    part = owner.upload_part(Bucket=lockable, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")
    owner.complete_multipart_upload(
        Bucket=lockable,
        Key="parts",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    for key in ("k", "copied", "parts"):
        head = owner.head_object(Bucket=lockable, Key=key)
        assert head["ObjectLockMode"] == COMPLIANCE
        assert timedelta(hours=23) < head["ObjectLockRetainUntilDate"] - datetime.now(UTC) <= timedelta(days=1)


def test_headers_of_a_write_come_before_the_default(owner: Any, lockable: str, put: Any) -> None:
    owner.put_object_lock_configuration(Bucket=lockable, ObjectLockConfiguration=default(Mode=COMPLIANCE, Days=1))
    until = in_an_hour()
    put(ObjectLockMode=GOVERNANCE, ObjectLockRetainUntilDate=until, ObjectLockLegalHoldStatus="ON")
    got = owner.get_object(Bucket=lockable, Key="k")
    shown = got["ObjectLockMode"], got["ObjectLockRetainUntilDate"], got["ObjectLockLegalHoldStatus"]
    assert shown == (GOVERNANCE, until, "ON")
    assert owner.get_object_retention(Bucket=lockable, Key="k")["Retention"] == retention(GOVERNANCE, until)


@pytest.mark.parametrize("mode", [GOVERNANCE, COMPLIANCE])
def test_a_retained_version_is_covered_but_not_deleted(owner: Any, lockable: str, put: Any, mode: str) -> None:
    version = put(ObjectLockMode=mode, ObjectLockRetainUntilDate=in_an_hour())
    marker = owner.delete_object(Bucket=lockable, Key="k")
    assert marker["DeleteMarker"]
    with refused("AccessDenied", 403):
        owner.delete_object(Bucket=lockable, Key="k", VersionId=version)
    owner.delete_object(Bucket=lockable, Key="k", VersionId=marker["VersionId"])
    assert owner.get_object(Bucket=lockable, Key="k")["VersionId"] == version


def test_a_bypass_lifts_governance_and_not_compliance(owner: Any, lockable: str, put: Any) -> None:
    governed = put(ObjectLockMode=GOVERNANCE, ObjectLockRetainUntilDate=in_an_hour())
    complied = put(ObjectLockMode=COMPLIANCE, ObjectLockRetainUntilDate=in_an_hour())
    owner.delete_object(Bucket=lockable, Key="k", VersionId=governed, BypassGovernanceRetention=True)
    with refused("AccessDenied", 403):
        owner.delete_object(Bucket=lockable, Key="k", VersionId=complied, BypassGovernanceRetention=True)
    with refused("BucketNotEmpty", 409):
        owner.delete_bucket(Bucket=lockable)


def test_delete_objects_answers_for_each_key(owner: Any, lockable: str, put: Any) -> None:
    locked, free = put(ObjectLockMode=GOVERNANCE, ObjectLockRetainUntilDate=in_an_hour()), put()
    named = [{"Key": "k", "VersionId": version} for version in (locked, free)]
    answer = owner.delete_objects(Bucket=lockable, Delete={"Objects": named})
    assert [item["VersionId"] for item in answer["Deleted"]] == [free]
    assert [(item["VersionId"], item["Code"]) for item in answer["Errors"]] == [(locked, "AccessDenied")]
    answer = owner.delete_objects(Bucket=lockable, Delete={"Objects": named}, BypassGovernanceRetention=True)
    assert "Errors" not in answer


def test_a_hold_keeps_until_it_is_lifted(owner: Any, lockable: str, put: Any) -> None:
    version = put()
    with refused("NoSuchObjectLockConfiguration", 404):
        owner.get_object_legal_hold(Bucket=lockable, Key="k")
    owner.put_object_legal_hold(Bucket=lockable, Key="k", LegalHold={"Status": "ON"})
    assert owner.get_object_legal_hold(Bucket=lockable, Key="k")["LegalHold"] == {"Status": "ON"}
    with refused("AccessDenied", 403):
        owner.delete_object(Bucket=lockable, Key="k", VersionId=version, BypassGovernanceRetention=True)
    owner.put_object_legal_hold(Bucket=lockable, Key="k", LegalHold={"Status": "OFF"})
    owner.delete_object(Bucket=lockable, Key="k", VersionId=version)


def test_retention_is_lengthened_freely_and_weakened_by_a_bypass(owner: Any, lockable: str, put: Any) -> None:
    put()
    with refused("NoSuchObjectLockConfiguration", 404):
        owner.get_object_retention(Bucket=lockable, Key="k")
    until = in_an_hour()
    named = {"Bucket": lockable, "Key": "k"}
    owner.put_object_retention(**named, Retention=retention(GOVERNANCE, until))
    owner.put_object_retention(**named, Retention=retention(GOVERNANCE, until + timedelta(hours=1)))
    with refused("AccessDenied", 403):
        owner.put_object_retention(**named, Retention=retention(GOVERNANCE, until))
    owner.put_object_retention(**named, Retention={}, BypassGovernanceRetention=True)
    assert "ObjectLockMode" not in owner.head_object(**named)
    owner.put_object_retention(**named, Retention=retention(COMPLIANCE, until))
    with refused("AccessDenied", 403):
        owner.put_object_retention(**named, Retention={}, BypassGovernanceRetention=True)


def test_retention_ends_and_the_collector_never_takes_what_is_locked(
    owner: Any, lockable: str, put: Any, live: LiveSystem
) -> None:
    live.manage("collect_garbage")
    until = datetime.now(UTC) + timedelta(seconds=8)
    version = put(ObjectLockMode=COMPLIANCE, ObjectLockRetainUntilDate=until)
    live.manage("collect_garbage")
    with refused("AccessDenied", 403):
        owner.delete_object(Bucket=lockable, Key="k", VersionId=version)
    time.sleep((until - datetime.now(UTC)).total_seconds() + 0.5)
    owner.delete_object(Bucket=lockable, Key="k", VersionId=version)


def test_what_is_half_said_or_over_is_refused(owner: Any, lockable: str, put: Any) -> None:
    with refused("InvalidArgument", 400):
        put(ObjectLockMode=GOVERNANCE)
    with refused("InvalidArgument", 400):
        put(ObjectLockMode=GOVERNANCE, ObjectLockRetainUntilDate=datetime(2020, 1, 1, tzinfo=UTC))
    put()
    with refused("MalformedXML", 400):
        owner.put_object_retention(Bucket=lockable, Key="k", Retention={"Mode": GOVERNANCE})
    with refused("MalformedXML", 400):
        owner.put_object_legal_hold(Bucket=lockable, Key="k", LegalHold={})
    with refused("NoSuchKey", 404):
        owner.get_object_retention(Bucket=lockable, Key="absent")


def test_a_body_to_be_locked_needs_a_digest(wire: Wire, lockable: str) -> None:
    answer = wire.send("PUT", f"/{lockable}/k", headers={"x-amz-object-lock-legal-hold": "ON"}, body=b"x")
    assert answer.refusal == (400, "InvalidRequest")


def test_a_stranger_neither_sees_nor_changes_locks(stranger: Any, lockable: str, put: Any) -> None:
    put(ObjectLockLegalHoldStatus="ON")
    with refused("AccessDenied", 403):
        stranger.get_object_legal_hold(Bucket=lockable, Key="k")
    with refused("AccessDenied", 403):
        stranger.put_object_legal_hold(Bucket=lockable, Key="k", LegalHold={"Status": "OFF"})
    with refused("AccessDenied", 403):
        stranger.get_object_lock_configuration(Bucket=lockable)


def test_policies_see_how_long_a_version_is_to_be_locked(owner: Any, lockable: str, put: Any) -> None:
    conditions = [
        ("s3:PutObjectRetention", {"NumericGreaterThan": {"s3:object-lock-remaining-retention-days": "10"}}),
        ("s3:PutObjectRetention", {"StringEquals": {"s3:object-lock-mode": "COMPLIANCE"}}),
        ("s3:PutObjectLegalHold", {"StringEquals": {"s3:object-lock-legal-hold": "ON"}}),
    ]
    denials = [statement(lockable, action, Effect="Deny", Condition=condition) for action, condition in conditions]
    owner.put_bucket_policy(Bucket=lockable, Policy=policy(*denials))
    named = {"Bucket": lockable, "Key": "k", "VersionId": put()}
    today = datetime.now(UTC)
    for mode, days in (("GOVERNANCE", 11), ("COMPLIANCE", 1)):
        locked = retention(mode, today + timedelta(days=days))
        with refused("AccessDenied", 403):
            owner.put_object_retention(**named, Retention=locked)
        with refused("AccessDenied", 403):
            put(ObjectLockMode=mode, ObjectLockRetainUntilDate=locked["RetainUntilDate"])
    with refused("AccessDenied", 403):
        owner.put_object_legal_hold(**named, LegalHold={"Status": "ON"})
    owner.put_object_legal_hold(**named, LegalHold={"Status": "OFF"})
    owner.put_object_retention(**named, Retention=retention("GOVERNANCE", today + timedelta(days=10)))
