"""Replication: rules, and versions that arrive in another bucket with everything that they have."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.live.processes import wait_until
from tests.live.system import LiveSystem
from tests.s3.iam import allow, make_user, policy_of, trust, unique
from tests.s3.refusals import refused
from tests.s3.wire import Wire

PATIENCE_SECONDS = 60
SERVICE = "s3.amazonaws.com"
READING = allow("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging")
WRITING = allow("s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner")


def make_role(iam: Any, *statements: dict[str, Any], **condition: Any) -> str:
    """Make a role that the store may assume to replicate; return its ARN."""
    name = unique("replication")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"Service": SERVICE}, **condition))["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy_of(*statements))
    return str(role["Arn"])


@pytest.fixture(scope="session")
def role(iam: Any) -> str:
    """A role of the root account that may replicate anything."""
    return make_role(iam, READING, WRITING)


def rule(destination: str, **members: Any) -> dict[str, Any]:
    return {
        "ID": "rule",
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{destination}"},
        **members,
    }


@pytest.fixture
def put(role: str) -> Callable[..., None]:
    """Store a configuration, with a role that may do everything or another one."""

    def put_rules(client: Any, bucket: str, *rules: dict[str, Any], role: str = role) -> None:
        client.put_bucket_replication(Bucket=bucket, ReplicationConfiguration={"Role": role, "Rules": list(rules)})

    return put_rules


@pytest.fixture
def destination(owner: Any, new_bucket: Any) -> str:
    name = new_bucket()
    owner.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return str(name)


def status(owner: Any, bucket: str, key: str, **members: Any) -> str | None:
    return owner.head_object(Bucket=bucket, Key=key, **members).get("ReplicationStatus")


def wait_for_status(owner: Any, bucket: str, key: str, expected: str) -> None:
    wait_until(lambda: status(owner, bucket, key) == expected, f"{key} is {expected}", seconds=PATIENCE_SECONDS)


def history(owner: Any, bucket: str) -> list[tuple[str, str, bool]]:
    listed = owner.list_object_versions(Bucket=bucket)
    return sorted(
        (item["Key"], item["VersionId"], item["IsLatest"])
        for name in ("Versions", "DeleteMarkers")
        for item in listed.get(name, [])
    )


def test_a_configuration_is_kept_and_removed(
    owner: Any, stranger: Any, versioned: str, destination: str, role: str, put: Any
) -> None:
    with refused("ReplicationConfigurationNotFoundError", 404):
        owner.get_bucket_replication(Bucket=versioned)
    put(owner, versioned, rule(destination))
    got = owner.get_bucket_replication(Bucket=versioned)["ReplicationConfiguration"]
    assert got == {"Role": role, "Rules": [rule(destination)]}
    with refused("InvalidBucketState", 409):
        owner.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Suspended"})
    with refused("AccessDenied", 403):
        put(stranger, versioned, rule(destination))
    owner.delete_bucket_replication(Bucket=versioned)
    with refused("ReplicationConfigurationNotFoundError", 404):
        owner.get_bucket_replication(Bucket=versioned)


def test_replicating_takes_what_writing_there_does(
    owner: Any, iam: Any, live: LiveSystem, versioned: str, destination: str, role: str, put: Any
) -> None:
    configuring = allow("s3:PutReplicationConfiguration", resource=f"arn:aws:s3:::{versioned}")
    passing = allow("iam:PassRole", resource=role)
    replicating = allow("s3:ReplicateObject", resource=f"arn:aws:s3:::{destination}/*")
    for statements in ([configuring], [configuring, replicating], [configuring, passing]):
        user = make_user(iam, *statements).keys.client(live)
        with refused("AccessDenied", 403):
            put(user, versioned, rule(destination))
    put(make_user(iam, configuring, passing, replicating).keys.client(live), versioned, rule(destination))


def test_what_is_shared_with_another_account_is_not_replicated_in_the_owners_name(
    owner: Any, stranger: Any, stranger_account: dict[str, str], versioned: str, destination: str, put: Any
) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": stranger_account["id"]},
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{versioned}",
    }
    owner.put_bucket_policy(Bucket=versioned, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert stranger.get_bucket_versioning(Bucket=versioned)["Status"] == "Enabled"
    with refused("AccessDenied", 403):
        put(stranger, versioned, rule(destination))


def test_a_store_of_an_account_is_no_others(
    live: LiveSystem, stranger_account: dict[str, str], owner: Any, versioned: str, destination: str, put: Any
) -> None:
    name = f"o-{versioned}"
    live.manage(
        "add_remote_store",
        name,
        *("--url", live.endpoint, f"--access-key={live.access_key}", f"--secret-key={live.secret_key}"),
        *("--account", stranger_account["id"]),
    )
    with refused("InvalidRequest", 400):
        put(owner, versioned, rule("x", Destination={"Bucket": f"arn:objstore:s3::{name}:{destination}"}))


def test_what_can_not_be_is_refused(owner: Any, versioned: str, destination: str, new_bucket: Any, put: Any) -> None:
    plain = new_bucket()
    with refused("InvalidRequest", 400):
        put(owner, plain, rule(destination))
    wrong: list[tuple[str, list[dict[str, Any]]]] = [
        ("InvalidRequest", [rule(plain)]),
        ("InvalidRequest", [rule("no-such-bucket-anywhere")]),
        ("InvalidRequest", [rule(versioned)]),
        ("InvalidRequest", [rule(destination), rule(destination, ID="other")]),
        ("InvalidArgument", [rule(destination), rule(destination, Priority=2)]),
        ("InvalidRequest", [rule(destination, Filter={"Tag": {"Key": "a", "Value": "b"}})]),
        (
            "InvalidRequest",
            [{name: value for name, value in rule(destination).items() if name != "Priority"}],
        ),
        ("MalformedXML", [rule(destination, Prefix="x")]),
    ]
    for code, rules in wrong:
        with refused(code, 400):
            put(owner, versioned, *rules)
    with refused("InvalidArgument", 400):
        owner.put_bucket_replication(
            Bucket=versioned, ReplicationConfiguration={"Role": "nobody", "Rules": [rule(destination)]}
        )


def test_versions_arrive_with_all_that_they_have(
    owner: Any, versioned: str, destination: str, part: bytes, put: Any
) -> None:
    owner.put_object(Bucket=versioned, Key="before", Body=b"x")
    put(
        owner,
        versioned,
        rule(destination, Destination={"Bucket": f"arn:aws:s3:::{destination}", "StorageClass": "STANDARD_IA"}),
    )
    first = owner.put_object(
        Bucket=versioned, Key="k", Body=b"one", Metadata={"a": "b"}, Tagging="t=1", CacheControl="no-cache"
    )
    second = owner.put_object(Bucket=versioned, Key="k", Body=b"second", ServerSideEncryption="AES256")
    upload = owner.create_multipart_upload(Bucket=versioned, Key="large")["UploadId"]
    parts = []
    for number, body in ((1, part), (2, b"tail")):
        sent = owner.upload_part(Bucket=versioned, Key="large", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    large = owner.complete_multipart_upload(
        Bucket=versioned, Key="large", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    gone = owner.put_object(Bucket=versioned, Key="gone", Body=b"x")
    marker = owner.delete_object(Bucket=versioned, Key="gone")["VersionId"]
    for key in ("k", "large"):
        wait_for_status(owner, versioned, key, "COMPLETED")
    wait_until(
        lambda: ("gone", marker, True) in history(owner, destination), "the marker arrives", seconds=PATIENCE_SECONDS
    )
    assert status(owner, versioned, "before") is None
    assert history(owner, destination) == [one for one in history(owner, versioned) if one[0] != "before"]
    replica = owner.get_object(Bucket=destination, Key="k", VersionId=first["VersionId"])
    assert replica["Body"].read() == b"one"
    assert replica["Metadata"] == {"a": "b"}
    assert replica["CacheControl"] == "no-cache"
    assert replica["ETag"] == first["ETag"]
    assert replica["StorageClass"] == "STANDARD_IA"
    assert replica["ReplicationStatus"] == "REPLICA"
    tags = owner.get_object_tagging(Bucket=destination, Key="k", VersionId=first["VersionId"])["TagSet"]
    assert tags == [{"Key": "t", "Value": "1"}]
    newest = owner.get_object(Bucket=destination, Key="k")
    assert (newest["VersionId"], newest["Body"].read()) == (second["VersionId"], b"second")
    assert newest["ServerSideEncryption"] == "AES256"
    whole = owner.get_object(Bucket=destination, Key="large")
    assert whole["ETag"] == large["ETag"]
    assert whole["Body"].read() == part + b"tail"
    assert owner.head_object(Bucket=destination, Key="large", PartNumber=2)["ContentLength"] == 4
    assert gone["VersionId"] in {version for _, version, _ in history(owner, destination)}


def test_filters_markers_and_priorities_are_obeyed(
    owner: Any, versioned: str, destination: str, new_bucket: Any, put: Any
) -> None:
    both = {"And": {"Prefix": "in/", "Tags": [{"Key": "a", "Value": "b"}]}}
    off = {"Status": "Disabled"}
    put(
        owner,
        versioned,
        rule(destination, ID="tagged", Priority=2, Filter=both, DeleteMarkerReplication=off),
        rule(destination, ID="off", Priority=3, Status="Disabled"),
    )
    owner.put_object(Bucket=versioned, Key="in/yes", Body=b"x", Tagging="a=b&c=d")
    owner.put_object(Bucket=versioned, Key="in/no", Body=b"x", Tagging="a=c")
    owner.put_object(Bucket=versioned, Key="out", Body=b"x", Tagging="a=b")
    wait_for_status(owner, versioned, "in/yes", "COMPLETED")
    owner.delete_object(Bucket=versioned, Key="in/yes")
    owner.put_object(Bucket=versioned, Key="in/later", Body=b"x", Tagging="a=b")
    wait_for_status(owner, versioned, "in/later", "COMPLETED")
    assert {key for key, _, _ in history(owner, destination)} == {"in/yes", "in/later"}
    assert "DeleteMarkers" not in owner.list_object_versions(Bucket=destination)
    assert status(owner, versioned, "in/no") is None


def test_changes_follow_and_replicas_go_nowhere(owner: Any, versioned: str, destination: str, put: Any) -> None:
    synced = {"ReplicaModifications": {"Status": "Enabled"}}
    put(owner, versioned, rule(destination, SourceSelectionCriteria=synced))
    put(owner, destination, rule(versioned, SourceSelectionCriteria=synced))
    owner.put_object(Bucket=versioned, Key="k", Body=b"x")
    wait_for_status(owner, versioned, "k", "COMPLETED")

    def tags(bucket: str) -> list[dict[str, str]]:
        return list(owner.get_object_tagging(Bucket=bucket, Key="k")["TagSet"])

    for here, there, value in ((versioned, destination, "1"), (destination, versioned, "2")):
        wanted = [{"Key": "t", "Value": value}]
        owner.put_object_tagging(Bucket=here, Key="k", Tagging={"TagSet": wanted})
        wait_until(lambda: tags(there) == wanted, "the tags follow", seconds=PATIENCE_SECONDS)  # noqa: B023
    owner.put_object(Bucket=destination, Key="back", Body=b"y")
    wait_for_status(owner, destination, "back", "COMPLETED")
    assert owner.get_object(Bucket=versioned, Key="back")["Body"].read() == b"y"
    assert history(owner, versioned) == history(owner, destination)
    assert len(history(owner, versioned)) == 2
    owner.put_object(Bucket=destination, Key="k", Body=b"y", WriteOffsetBytes=1)  # what is appended is no replica
    wait_for_status(owner, destination, "k", "COMPLETED")
    assert owner.get_object(Bucket=versioned, Key="k")["Body"].read() == b"xy"


def test_another_account_must_allow_replicas(
    owner: Any, stranger: Any, stranger_account_id: str, versioned: str, live: LiveSystem, put: Any
) -> None:
    theirs = f"theirs-{versioned}"
    stranger.create_bucket(Bucket=theirs)
    stranger.put_bucket_versioning(Bucket=theirs, VersioningConfiguration={"Status": "Enabled"})
    destination = {
        "Bucket": f"arn:aws:s3:::{theirs}",
        "Account": stranger_account_id,
        "AccessControlTranslation": {"Owner": "Destination"},
    }
    put(owner, versioned, rule(theirs, Destination=destination))
    owner.put_object(Bucket=versioned, Key="k", Body=b"x")
    wait_for_status(owner, versioned, "k", "FAILED")
    assert "1 failing" in live.manage("replicate", "--status").stdout
    account = live.manage("shell", "-c", "from buckets.models import Bucket;"
                          f"print(Bucket.objects.get(name={versioned!r}).owner_id)").stdout.split()[-1]  # fmt: skip
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": account},
        "Action": ["s3:ReplicateObject", "s3:ObjectOwnerOverrideToBucketOwner"],
        "Resource": f"arn:aws:s3:::{theirs}/*",
    }
    stranger.put_bucket_policy(Bucket=theirs, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    wait_for_status(owner, versioned, "k", "COMPLETED")
    assert stranger.get_object(Bucket=theirs, Key="k")["Body"].read() == b"x"


def test_locks_arrive(owner: Any, new_bucket: Any, put: Any) -> None:
    source, destination = new_bucket(), new_bucket()
    for name in (source, destination):
        owner.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        owner.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    put(owner, source, rule(destination))
    until = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    owner.put_object(
        Bucket=source,
        Key="k",
        Body=b"x",
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=until,
        ChecksumAlgorithm="CRC32",
    )
    wait_for_status(owner, source, "k", "COMPLETED")
    replica = owner.head_object(Bucket=destination, Key="k")
    assert (replica["ObjectLockMode"], replica["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", until)
    owner.put_object_legal_hold(Bucket=source, Key="k", LegalHold={"Status": "ON"})
    wait_until(
        lambda: owner.head_object(Bucket=destination, Key="k").get("ObjectLockLegalHoldStatus") == "ON",
        "the hold follows",
        seconds=PATIENCE_SECONDS,
    )


def test_versions_arrive_in_another_store(
    owner: Any, versioned: str, destination: str, live: LiveSystem, part: bytes, put: Any
) -> None:
    name = f"s-{versioned}"
    arn = live.manage(
        "add_remote_store",
        name,
        *("--url", live.endpoint, f"--access-key={live.access_key}", f"--secret-key={live.secret_key}"),
    ).stdout.strip()
    assert arn == f"arn:objstore:s3::{name}:BUCKET"
    with refused("InvalidRequest", 400):
        put(owner, versioned, rule("x", Destination={"Bucket": "arn:objstore:s3::nowhere:bucket"}))
    put(owner, versioned, rule("x", Destination={"Bucket": f"arn:objstore:s3::{name}:{destination}"}))
    first = owner.put_object(
        Bucket=versioned, Key="a b/ü", Body=b"one", Metadata={"m": "v"}, Tagging="t=1", ContentType="text/plain"
    )
    owner.put_object(Bucket=versioned, Key="a b/ü", Body=b"second", ServerSideEncryption="AES256")
    owner.put_object(Bucket=versioned, Key="empty", Body=b"")
    upload = owner.create_multipart_upload(Bucket=versioned, Key="large")["UploadId"]
    parts = []
    for number, body in ((1, part), (2, b"tail")):
        sent = owner.upload_part(Bucket=versioned, Key="large", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    large = owner.complete_multipart_upload(
        Bucket=versioned, Key="large", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    owner.put_object(Bucket=versioned, Key="gone", Body=b"x")
    owner.delete_object(Bucket=versioned, Key="gone")
    wait_until(lambda: history(owner, destination) == history(owner, versioned), "all arrive", seconds=PATIENCE_SECONDS)
    replica = owner.get_object(Bucket=destination, Key="a b/ü", VersionId=first["VersionId"])
    assert (replica["Body"].read(), replica["ETag"]) == (b"one", first["ETag"])
    assert (replica["Metadata"], replica["ContentType"]) == ({"m": "v"}, "text/plain")
    assert replica["ReplicationStatus"] == "REPLICA"
    assert owner.get_object(Bucket=destination, Key="a b/ü")["ServerSideEncryption"] == "AES256"
    whole = owner.get_object(Bucket=destination, Key="large")
    assert (whole["Body"].read(), whole["ETag"]) == (part + b"tail", large["ETag"])
    assert owner.head_object(Bucket=destination, Key="large", PartNumber=2)["ContentLength"] == 4
    wait_for_status(owner, versioned, "large", "COMPLETED")
    wanted = [{"Key": "t", "Value": "2"}]
    owner.put_object_tagging(Bucket=versioned, Key="large", Tagging={"TagSet": wanted})
    wait_until(
        lambda: owner.get_object_tagging(Bucket=destination, Key="large")["TagSet"] == wanted,
        "the tags follow",
        seconds=PATIENCE_SECONDS,
    )


def test_nobody_makes_replicas_without_permission(owner: Any, stranger: Any, versioned: str, wire: Any) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{versioned}/*",
    }
    owner.put_bucket_policy(Bucket=versioned, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    claim = base64.urlsafe_b64encode(json.dumps({"version_id": "v" * 32}).encode()).decode()
    anonymous = Wire(wire.address, wire.host, None)
    assert anonymous.send("PUT", f"/{versioned}/k", headers={"x-objstore-replica": claim}).status == 403
    assert wire.send("PUT", f"/{versioned}/k", headers={"x-objstore-replica": "nonsense"}).refusal == (
        400,
        "InvalidArgument",
    )
    made = wire.send("PUT", f"/{versioned}/k", headers={"x-objstore-replica": claim})
    assert (made.status, made.headers["x-amz-version-id"]) == (200, "v" * 32)
    again = wire.send("PUT", f"/{versioned}/k", headers={"x-objstore-replica": claim})
    assert again.refusal == (400, "InvalidRequest")
    members = {"version_id": "w" * 32, "etag": "0" * 32 + "-1", "parts": [[1, 5]]}
    wrong = base64.urlsafe_b64encode(json.dumps(members).encode()).decode()
    assert wire.send("PUT", f"/{versioned}/k", headers={"x-objstore-replica": wrong}).refusal == (
        400,
        "InvalidArgument",
    )


def test_the_role_decides_what_is_read_and_where_it_is_written(
    owner: Any, iam: Any, versioned: str, destination: str, put: Any, stranger_account_id: str
) -> None:
    with refused("AccessDenied", 403):
        put(owner, versioned, rule(destination), role=f"arn:aws:iam::{stranger_account_id}:role/replication")
    roles = {
        "reads": make_role(iam, READING),
        "writes": make_role(iam, WRITING),
        "untrusting": make_role(iam, READING, WRITING, Condition={"StringEquals": {"aws:SourceArn": "arn:aws:s3:::x"}}),
        "nothing": make_role(iam),
        "missing": make_role(iam).replace("replication-", "no-replication-"),
    }
    for key, arn in roles.items():
        put(owner, versioned, rule(destination), role=arn)
        owner.put_object(Bucket=versioned, Key=key, Body=b"x", Tagging="a=b")
    for key in roles:
        wait_for_status(owner, versioned, key, "FAILED")
    assert history(owner, destination) == []
    # Asked again when it is carried: what the role may now counts.
    for name in ("reads", "nothing"):
        iam.put_role_policy(
            RoleName=roles[name].rpartition("/")[2],
            PolicyName="more",
            PolicyDocument=policy_of(
                allow("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:ReplicateObject")
            ),
        )
        wait_for_status(owner, versioned, name, "COMPLETED")
    trusting = trust({"Service": SERVICE}, Condition={"StringEquals": {"aws:SourceArn": f"arn:aws:s3:::{versioned}"}})
    iam.update_assume_role_policy(RoleName=roles["untrusting"].rpartition("/")[2], PolicyDocument=trusting)
    wait_for_status(owner, versioned, "untrusting", "COMPLETED")
    tags = {
        key: owner.get_object_tagging(Bucket=destination, Key=key)["TagSet"]
        for key in ("reads", "nothing", "untrusting")
    }
    assert tags == {"reads": [], "nothing": [], "untrusting": [{"Key": "a", "Value": "b"}]}
    assert status(owner, versioned, "missing") == "FAILED"
