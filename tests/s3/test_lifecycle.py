"""Lifecycle: rules are kept, carried out by the worker (days last five seconds here), and told in headers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.live.processes import wait_until
from tests.live.system import LiveSystem
from tests.s3.audit_rows import wait_for_rows
from tests.s3.refusals import refused

PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
PATIENCE_SECONDS = 60


def put_rules(owner: Any, bucket: str, *rules: dict[str, Any]) -> None:
    stated = [{"ID": f"rule-{number}", "Status": "Enabled", **rule} for number, rule in enumerate(rules)]
    owner.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": stated})


def keys(owner: Any, bucket: str) -> list[str]:
    return [item["Key"] for item in owner.list_objects_v2(Bucket=bucket).get("Contents", [])]


def wait_for_keys(owner: Any, bucket: str, expected: list[str]) -> None:
    wait_until(lambda: keys(owner, bucket) == expected, f"{expected} are left", seconds=PATIENCE_SECONDS)


def versions(owner: Any, bucket: str) -> tuple[list[str], list[str]]:
    listed = owner.list_object_versions(Bucket=bucket)
    return tuple([item["Key"] for item in listed.get(name, [])] for name in ("Versions", "DeleteMarkers"))


def test_rules_are_stored_and_removed(owner: Any, bucket: str) -> None:
    with refused("NoSuchLifecycleConfiguration", 404):
        owner.get_bucket_lifecycle_configuration(Bucket=bucket)
    rule = {"ID": "dated", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Date": FUTURE}}
    owner.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    stored = owner.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert stored["Rules"] == [rule]
    assert stored["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    owner.delete_bucket_lifecycle(Bucket=bucket)
    with refused("NoSuchLifecycleConfiguration", 404):
        owner.get_bucket_lifecycle_configuration(Bucket=bucket)


def test_what_is_no_rule_is_refused(owner: Any, stranger: Any, bucket: str) -> None:
    with refused("InvalidArgument", 400):
        put_rules(owner, bucket, {"Filter": {}, "Expiration": {"Days": 0}})
    with refused("MalformedXML", 400):
        put_rules(owner, bucket, {"Expiration": {"Days": 1}})
    with refused("InvalidStorageClass", 400):
        put_rules(owner, bucket, {"Filter": {}, "Transitions": [{"Days": 1, "StorageClass": "TAPE"}]})
    with refused("AccessDenied", 403):
        put_rules(stranger, bucket, {"Filter": {}, "Expiration": {"Days": 1}})


def test_objects_expire_by_age_date_size_and_tags(owner: Any, bucket: str) -> None:
    for key in ("day/a", "far/a", "past/a", "future/a", "other"):
        owner.put_object(Bucket=bucket, Key=key, Body=b"x")
    for size in (10, 20):
        owner.put_object(Bucket=bucket, Key=f"size/{size}", Body=b"x" * size)
    for tagging in ("a=1", "a=1&b=2"):
        owner.put_object(Bucket=bucket, Key=f"tags/{tagging}", Body=b"x", Tagging=tagging)
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    put_rules(
        owner,
        bucket,
        {"Filter": {"Prefix": "day/"}, "Expiration": {"Days": 1}},
        {"Filter": {"Prefix": "far/"}, "Expiration": {"Days": 10_000}},
        {"Prefix": "past/", "Expiration": {"Date": PAST}},
        {"Filter": {"Prefix": "future/"}, "Expiration": {"Date": FUTURE}},
        {"Filter": {"And": {"Prefix": "size/", "ObjectSizeGreaterThan": 10}}, "Expiration": {"Days": 1}},
        {"Filter": {"And": {"Prefix": "tags/", "Tags": tags}}, "Expiration": {"Days": 1}},
        {"Filter": {"Prefix": "other"}, "Expiration": {"Days": 1}, "Status": "Disabled"},
    )
    wait_for_keys(owner, bucket, ["far/a", "future/a", "other", "size/10", "tags/a=1"])


def test_an_expiration_where_versions_are_kept_makes_a_delete_marker(owner: Any, versioned: str) -> None:
    owner.put_object(Bucket=versioned, Key="k", Body=b"x")
    put_rules(owner, versioned, {"Filter": {}, "Expiration": {"Days": 1}})
    wait_for_keys(owner, versioned, [])
    assert versions(owner, versioned) == (["k"], ["k"])


def test_the_audit_log_tells_what_expired_and_by_which_rule(live: LiveSystem, owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="old/k", Body=b"x")
    put_rules(owner, bucket, {"ID": "sweep", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 1}})
    wait_for_keys(owner, bucket, [])
    (row,) = wait_for_rows(live, 1, "--bucket", bucket, "--source", "lifecycle")
    assert (row["operation"], row["key"], row["principal"]) == ("ExpireObject", "old/k", "s3.amazonaws.com")
    assert "'sweep'" in row["reason"]


def test_noncurrent_versions_expire_but_for_the_newest_few(owner: Any, versioned: str) -> None:
    for key in ("all", "few"):
        for _ in range(4):
            owner.put_object(Bucket=versioned, Key=key, Body=b"x")
    expiration = {"NoncurrentDays": 1}
    put_rules(
        owner,
        versioned,
        {"Filter": {"Prefix": "all"}, "NoncurrentVersionExpiration": expiration},
        {"Filter": {"Prefix": "few"}, "NoncurrentVersionExpiration": {**expiration, "NewerNoncurrentVersions": 1}},
    )
    expected = (["all", "few", "few"], [])
    wait_until(lambda: versions(owner, versioned) == expected, "versions expired", seconds=PATIENCE_SECONDS)


def test_a_delete_marker_with_nothing_to_hide_goes(owner: Any, versioned: str) -> None:
    owner.delete_object(Bucket=versioned, Key="lone")
    owner.put_object(Bucket=versioned, Key="hiding", Body=b"x")
    owner.delete_object(Bucket=versioned, Key="hiding")
    put_rules(owner, versioned, {"Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}})
    expected = (["hiding"], ["hiding"])
    wait_until(lambda: versions(owner, versioned) == expected, "the lone marker is gone", seconds=PATIENCE_SECONDS)


def test_a_locked_version_outlives_its_rule(owner: Any, versioned: str) -> None:
    owner.put_object_lock_configuration(Bucket=versioned, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    locked = owner.put_object(Bucket=versioned, Key="k", Body=b"1", ObjectLockLegalHoldStatus="ON")["VersionId"]
    for body in (b"2", b"3"):
        owner.put_object(Bucket=versioned, Key="k", Body=body)
    put_rules(owner, versioned, {"Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}})
    expected = (["k", "k"], [])
    wait_until(lambda: versions(owner, versioned) == expected, "the free version is gone", seconds=PATIENCE_SECONDS)
    assert owner.get_object(Bucket=versioned, Key="k", VersionId=locked)["Body"].read() == b"1"


def test_unfinished_uploads_are_aborted(owner: Any, bucket: str) -> None:
    put_rules(owner, bucket, {"Filter": {"Prefix": "a"}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}})
    begun = owner.create_multipart_upload(Bucket=bucket, Key="a")
    assert begun["AbortRuleId"] == "rule-0"
    assert timedelta(days=1) <= begun["AbortDate"] - datetime.now(UTC) + timedelta(minutes=1) <= timedelta(days=3)
    kept = owner.create_multipart_upload(Bucket=bucket, Key="b")
    owner.upload_part(Bucket=bucket, Key="a", UploadId=begun["UploadId"], PartNumber=1, Body=b"x")

    def uploads() -> list[str]:
        return [item["UploadId"] for item in owner.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]

    wait_until(lambda: uploads() == [kept["UploadId"]], "the upload is aborted", seconds=PATIENCE_SECONDS)


def test_headers_tell_the_calendar_day_of_an_expiration(owner: Any, bucket: str) -> None:
    put_rules(owner, bucket, {"Filter": {"Prefix": "k"}, "Expiration": {"Days": 30}})
    put = owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    copied = owner.copy_object(Bucket=bucket, Key="kk", CopySource={"Bucket": bucket, "Key": "k"})
    head, got = owner.head_object(Bucket=bucket, Key="k"), owner.get_object(Bucket=bucket, Key="k")
    today = head["LastModified"].replace(hour=0, minute=0, second=0)
    date = (today + timedelta(days=31)).strftime("%a, %d %b %Y 00:00:00 GMT")
    for answer in (put, head, got, copied):
        assert answer["Expiration"] == f'expiry-date="{date}", rule-id="rule-0"'
    owner.put_object(Bucket=bucket, Key="other", Body=b"x")
    assert "Expiration" not in owner.head_object(Bucket=bucket, Key="other")
