"""PutBucketLogging, GetBucketLogging, and what is delivered: each request once, in S3's format."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.live.processes import wait_until
from tests.live.system import LiveSystem
from tests.s3.audit_rows import audit_rows
from tests.s3.wire import Wire

pytestmark = pytest.mark.live


def enabled(target: str, prefix: str = "logs/", **more: Any) -> dict[str, Any]:
    return {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": prefix, **more}}


def let_logs_in(owner: Any, target: str, source: str = "*", prefix: str = "logs/") -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{target}/{prefix}*",
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{source}"}},
    }
    owner.put_bucket_policy(Bucket=target, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def delivered(owner: Any, target: str) -> list[str]:
    lines = []
    for item in owner.list_objects_v2(Bucket=target, Prefix="logs/").get("Contents", []):
        lines += owner.get_object(Bucket=target, Key=item["Key"])["Body"].read().decode().splitlines()
    return lines


@pytest.fixture
def target(new_bucket: Any) -> str:
    return str(new_bucket())


def test_a_bucket_has_no_logging_until_it_is_set(owner: Any, bucket: str, target: str) -> None:
    assert "LoggingEnabled" not in owner.get_bucket_logging(Bucket=bucket)
    let_logs_in(owner, target)
    owner.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=enabled(target))
    assert owner.get_bucket_logging(Bucket=bucket)["LoggingEnabled"] == {
        "TargetBucket": target,
        "TargetPrefix": "logs/",
        "TargetObjectKeyFormat": {"SimplePrefix": {}},
    }
    owner.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    assert "LoggingEnabled" not in owner.get_bucket_logging(Bucket=bucket)


def test_grants_and_key_formats_come_back(owner: Any, bucket: str, target: str) -> None:
    let_logs_in(owner, target)
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": owner.list_buckets()["Owner"]["ID"]}, "Permission": "READ"}
    wanted = enabled(
        target,
        TargetGrants=[grant],
        TargetObjectKeyFormat={"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
    )
    owner.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=wanted)
    shown = owner.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]
    assert shown["TargetObjectKeyFormat"] == wanted["LoggingEnabled"]["TargetObjectKeyFormat"]
    assert shown["TargetGrants"][0]["Grantee"]["ID"] == grant["Grantee"]["ID"]


def test_the_log_delivery_group_may_be_let_in_by_a_list(owner: Any, bucket: str, target: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        owner.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=enabled(target))
    group = 'uri="http://acs.amazonaws.com/groups/s3/LogDelivery"'
    owner.put_bucket_acl(Bucket=target, GrantWrite=group, GrantReadACP=group)
    owner.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=enabled(target))


def test_everyone_is_not_the_service(owner: Any, bucket: str, target: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{target}/*",
    }
    owner.put_bucket_policy(Bucket=target, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    with pytest.raises(ClientError, match="AccessDenied"):
        owner.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=enabled(target))


def test_targets_that_can_be_none(owner: Any, stranger: Any, bucket: str, target: str) -> None:
    with pytest.raises(ClientError, match="InvalidTargetBucketForLogging"):
        owner.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=enabled("no-such-bucket-for-logs"))
    let_logs_in(owner, target, source="another-bucket")
    with pytest.raises(ClientError, match="AccessDenied"):
        owner.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=enabled(target))
    let_logs_in(owner, target)
    owner.put_bucket_request_payment(Bucket=target, RequestPaymentConfiguration={"Payer": "Requester"})
    with pytest.raises(ClientError, match="InvalidTargetBucketForLogging"):
        owner.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=enabled(target))
    with pytest.raises(ClientError, match="AccessDenied"):
        stranger.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})


def test_each_request_is_delivered_once(
    live: LiveSystem, owner: Any, anonymous: Any, bucket: str, target: str, unsigned_wire: Wire
) -> None:
    let_logs_in(owner, target)
    owner.put_object(Bucket=bucket, Key="before", Body=b"")
    owner.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=enabled(target))
    for number in range(5):
        owner.put_object(Bucket=bucket, Key=f"key {number}", Body=b"x" * number)
    owner.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    visited = unsigned_wire.as_host(f"{bucket}.s3-website.localhost").send("GET", "/key 1")
    assert visited.status == 403
    with pytest.raises(ClientError, match="AccessDenied"):
        anonymous.get_object(Bucket=bucket, Key="key 1")
    owner.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "key 0"}]})

    def is_delivered() -> bool:
        live.manage("keep_audit_log")
        live.manage("deliver_access_logs")
        return len([line for line in delivered(owner, target) if "REST.PUT.OBJECT" in line]) >= 5

    wait_until(is_delivered, "the lines are delivered", seconds=60)
    live.manage("keep_audit_log")
    live.manage("deliver_access_logs")
    lines = delivered(owner, target)
    assert not any(" before " in line for line in lines)
    puts = [line for line in lines if "REST.PUT.OBJECT" in line]
    assert sorted(line.split()[8] for line in puts) == [f"key%20{number}" for number in range(5)]
    (refused,) = [line for line in lines if "REST.GET.OBJECT" in line]
    assert " 403 AccessDenied " in refused
    assert refused.split()[5] == "-"  # nobody
    (visit,) = [line for line in lines if "WEBSITE.GET.OBJECT" in line]
    assert " key%201 " in visit
    assert " 403 AccessDenied " in visit
    (row,) = audit_rows(live, "--bucket", bucket, "--source", "website")
    assert (row["action"], row["outcome"], row["principal"], row["key"]) == (
        "s3:GetObject",
        "not allowed",
        "*",
        "key 1",
    )
    assert row["owner_id"]
    assert len([line for line in lines if "BATCH.DELETE.OBJECT" in line]) == 1
    assert len([line for line in lines if "REST.POST.MULTI_OBJECT_DELETE" in line]) == 1
    owner_id = owner.list_buckets()["Owner"]["ID"]
    assert all(line.startswith(f"{owner_id} {bucket} [") for line in lines)


def test_logs_of_a_bucket_into_itself_do_not_feed_on_each_other(live: LiveSystem, owner: Any, target: str) -> None:
    let_logs_in(owner, target)
    owner.put_bucket_logging(Bucket=target, BucketLoggingStatus=enabled(target))
    owner.put_object(Bucket=target, Key="one", Body=b"")

    def is_delivered() -> bool:
        live.manage("keep_audit_log")
        live.manage("deliver_access_logs")
        return any(" one " in line for line in delivered(owner, target))

    wait_until(is_delivered, "the line is delivered", seconds=60)
    assert not any("REST.PUT.OBJECT logs/" in line for line in delivered(owner, target))


def test_a_target_that_takes_nothing_keeps_no_other_waiting(
    live: LiveSystem, owner: Any, bucket: str, target: str, new_bucket: Any
) -> None:
    other = new_bucket()
    for source, into in ((bucket, target), (other, new_bucket())):
        let_logs_in(owner, into)
        owner.put_bucket_logging(Bucket=source, BucketLoggingStatus=enabled(into))
        owner.put_object(Bucket=source, Key="one", Body=b"")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "no-such-key"}}
    owner.put_bucket_encryption(Bucket=target, ServerSideEncryptionConfiguration={"Rules": [rule]})

    def lines(into: str) -> bool:
        live.manage("keep_audit_log")
        live.manage("deliver_access_logs")
        return any(" one " in line for line in delivered(owner, into))

    wait_until(lambda: lines(into), "the other's line is delivered", seconds=60)
    assert not delivered(owner, target)
    owner.delete_bucket_encryption(Bucket=target)
    wait_until(lambda: lines(target), "what waited is delivered", seconds=60)
