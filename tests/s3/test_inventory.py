"""Inventories: their configurations, and reports that arrive as objects in the bucket that they go to."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from typing import Any
from urllib.parse import unquote_plus

import pytest

from tests.live.processes import wait_until
from tests.live.system import LiveSystem
from tests.s3.iam import allow, make_user
from tests.s3.refusals import refused

PATIENCE_SECONDS = 60
FIELDS = ["Size", "LastModifiedDate", "ETag", "StorageClass", "EncryptionStatus", "ObjectOwner", "ChecksumAlgorithm"]


def configuration(destination: str, name: str = "report", **members: Any) -> dict[str, Any]:
    return {
        "Id": name,
        "IsEnabled": True,
        "IncludedObjectVersions": "Current",
        "Schedule": {"Frequency": "Daily"},
        "Destination": {
            "S3BucketDestination": {"Bucket": f"arn:aws:s3:::{destination}", "Format": "CSV", "Prefix": "reports"}
        },
        **members,
    }


def put(client: Any, bucket: str, wanted: dict[str, Any]) -> None:
    client.put_bucket_inventory_configuration(Bucket=bucket, Id=wanted["Id"], InventoryConfiguration=wanted)


def delivered_manifest(owner: Any, bucket: str, destination: str, name: str = "report") -> dict[str, Any]:
    prefix = f"reports/{bucket}/{name}/"

    def checksums() -> list[str]:
        listed = owner.list_objects_v2(Bucket=destination, Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in listed if item["Key"].endswith("manifest.checksum")]

    wait_until(lambda: bool(checksums()), "the report is whole", seconds=PATIENCE_SECONDS)
    key = checksums()[-1]
    manifest = owner.get_object(Bucket=destination, Key=key.replace(".checksum", ".json"))["Body"].read()
    assert owner.get_object(Bucket=destination, Key=key)["Body"].read() == hashlib.md5(manifest).hexdigest().encode()
    return dict(json.loads(manifest))


def rows_of(owner: Any, destination: str, manifest: dict[str, Any]) -> list[dict[str, str]]:
    columns = manifest["fileSchema"].split(", ")
    rows = []
    for file in manifest["files"]:
        packed = owner.get_object(Bucket=destination, Key=file["key"])["Body"].read()
        assert len(packed) == file["size"]
        assert hashlib.md5(packed).hexdigest() == file["MD5checksum"]
        text = gzip.decompress(packed).decode()
        rows += [dict(zip(columns, row, strict=True)) for row in csv.reader(io.StringIO(text))]
    return rows


def test_configurations_are_kept_listed_and_removed(owner: Any, stranger: Any, bucket: str, new_bucket: Any) -> None:
    destination = new_bucket()
    for number in range(102):
        put(owner, bucket, configuration(destination, f"id-{number:03d}", IsEnabled=False))
    got = owner.get_bucket_inventory_configuration(Bucket=bucket, Id="id-007")["InventoryConfiguration"]
    assert got == configuration(destination, "id-007", IsEnabled=False)
    first = owner.list_bucket_inventory_configurations(Bucket=bucket)
    assert first["IsTruncated"]
    rest = owner.list_bucket_inventory_configurations(Bucket=bucket, ContinuationToken=first["NextContinuationToken"])
    listed = [one["Id"] for page in (first, rest) for one in page["InventoryConfigurationList"]]
    assert listed == [f"id-{number:03d}" for number in range(102)]
    assert not rest["IsTruncated"]
    owner.delete_bucket_inventory_configuration(Bucket=bucket, Id="id-007")
    for call in (owner.get_bucket_inventory_configuration, owner.delete_bucket_inventory_configuration):
        with refused("NoSuchConfiguration", 404):
            call(Bucket=bucket, Id="id-007")
    with refused("AccessDenied", 403):
        stranger.get_bucket_inventory_configuration(Bucket=bucket, Id="id-001")
    with refused("AccessDenied", 403):
        put(stranger, bucket, configuration(destination))


def test_what_can_not_be_is_refused(owner: Any, bucket: str, new_bucket: Any) -> None:
    destination = new_bucket()
    with refused("InvalidArgument", 400):
        owner.put_bucket_inventory_configuration(
            Bucket=bucket, Id="other", InventoryConfiguration=configuration(destination)
        )
    with refused("InvalidS3DestinationBucket", 400):
        put(owner, bucket, configuration("no-such-bucket-anywhere"))
    with refused("InvalidConfigurationId", 400):
        put(owner, bucket, configuration(destination, "no spaces"))
    wrong = configuration(destination)
    wrong["Destination"]["S3BucketDestination"]["Bucket"] = destination
    with refused("InvalidArgument", 400):
        put(owner, bucket, wrong)
    with refused("InvalidArgument", 400):
        owner.list_bucket_inventory_configurations(Bucket=bucket, ContinuationToken="%%%")
    far = {**configuration(destination)["Destination"]["S3BucketDestination"], "Prefix": "p" * 801}
    with refused("InvalidArgument", 400):
        put(owner, bucket, configuration(destination, Destination={"S3BucketDestination": far}))
    export = {"OutputSchemaVersion": "V_1", "Destination": {"S3BucketDestination": far}}
    with refused("InvalidArgument", 400):
        owner.put_bucket_analytics_configuration(
            Bucket=bucket,
            Id="far",
            AnalyticsConfiguration={"Id": "far", "StorageClassAnalysis": {"DataExport": export}},
        )


def test_a_report_tells_of_the_current_objects(owner: Any, bucket: str, new_bucket: Any) -> None:
    destination = new_bucket()
    stored = {key: owner.put_object(Bucket=bucket, Key=key, Body=key.encode()) for key in ("in/a b", 'in/"q"', "out")}
    put(owner, bucket, configuration(destination, OptionalFields=FIELDS, Filter={"Prefix": "in/"}))
    manifest = delivered_manifest(owner, bucket, destination)
    assert manifest["sourceBucket"] == bucket
    assert manifest["destinationBucket"] == f"arn:aws:s3:::{destination}"
    assert manifest["fileSchema"].split(", ")[:2] == ["Bucket", "Key"]
    rows = {unquote_plus(row["Key"]): row for row in rows_of(owner, destination, manifest)}
    assert set(rows) == {"in/a b", 'in/"q"'}
    row = rows["in/a b"]
    assert row["Bucket"] == bucket
    assert row["Size"] == "6"
    assert row["ETag"] == stored["in/a b"]["ETag"].strip('"')
    assert row["StorageClass"] == "STANDARD"
    assert row["EncryptionStatus"] == "NOT-SSE"
    assert row["ObjectOwner"] == owner.list_buckets()["Owner"]["ID"]


def test_a_report_of_all_versions_tells_of_markers(owner: Any, versioned: str, new_bucket: Any) -> None:
    destination = new_bucket()
    old = owner.put_object(Bucket=versioned, Key="k", Body=b"1")["VersionId"]
    new = owner.put_object(Bucket=versioned, Key="k", Body=b"22")["VersionId"]
    marker = owner.delete_object(Bucket=versioned, Key="gone")["VersionId"]
    put(
        owner,
        versioned,
        configuration(
            destination,
            IncludedObjectVersions="All",
            OptionalFields=["Size", "ObjectAccessControlList"],
            Schedule={"Frequency": "Weekly"},
        ),
    )
    rows = rows_of(owner, destination, delivered_manifest(owner, versioned, destination))
    told = [(row["VersionId"], row["IsLatest"], row["IsDeleteMarker"], row["Size"]) for row in rows]
    assert told == [
        (marker, "true", "true", ""),
        (new, "true", "false", "2"),
        (old, "false", "false", "1"),
    ]
    assert rows[1]["ObjectAccessControlList"]


def test_another_accounts_bucket_gets_a_report_only_if_its_policy_says_so(
    owner: Any, stranger: Any, bucket: str, live: Any
) -> None:
    destination = f"theirs-{bucket}"
    stranger.create_bucket(Bucket=destination)
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    put(owner, bucket, configuration(destination))
    error = (
        "from objects.models import ReportRun;"
        f"print([run.last_error for run in ReportRun.objects.filter(name='report') if {destination!r} in run.last_error])"
    )
    wait_until(
        lambda: "does not let" in live.manage("shell", "-c", error).stdout, "it is refused", seconds=PATIENCE_SECONDS
    )
    assert "Contents" not in stranger.list_objects_v2(Bucket=destination)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{destination}/*",
        "Condition": {
            "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
            "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"},
        },
    }
    stranger.put_bucket_policy(
        Bucket=destination, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    manifest = delivered_manifest(stranger, bucket, destination)
    assert len(rows_of(stranger, destination, manifest)) == 1


@pytest.mark.parametrize("kind", ["analytics", "metrics"])
def test_other_configurations_have_ids_pages_and_filters(owner: Any, stranger: Any, bucket: str, kind: str) -> None:
    member = f"{kind.capitalize()}Configuration"
    more: dict[str, Any] = {"StorageClassAnalysis": {}} if kind == "analytics" else {}
    wanted = {
        "Id": "one",
        "Filter": {"And": {"Prefix": "p/", "Tags": [{"Key": "a", "Value": "b"}]}},
        **more,
    }
    call = {
        verb: getattr(owner, f"{verb}_bucket_{kind}_configuration{'s' if verb == 'list' else ''}")
        for verb in ("put", "get", "list", "delete")
    }
    call["put"](Bucket=bucket, Id="one", **{member: wanted})
    assert call["get"](Bucket=bucket, Id="one")[member] == wanted
    listed = call["list"](Bucket=bucket)
    assert listed[f"{member}List"] == [wanted]
    assert not listed["IsTruncated"]
    for wrong in (
        {**wanted, "Filter": {"And": {"Prefix": "p/"}}},
        {**wanted, "Filter": {"Prefix": "p", "Tag": {"Key": "a", "Value": "b"}}},
    ):
        with refused("MalformedXML", 400):
            call["put"](Bucket=bucket, Id="one", **{member: wrong})
    with refused("AccessDenied", 403):
        getattr(stranger, f"put_bucket_{kind}_configuration")(Bucket=bucket, Id="one", **{member: wanted})
    call["delete"](Bucket=bucket, Id="one")
    with refused("NoSuchConfiguration", 404):
        call["get"](Bucket=bucket, Id="one")


def test_metrics_count_requests_and_storage(owner: Any, bucket: str, live: Any) -> None:
    owner.put_bucket_metrics_configuration(
        Bucket=bucket, Id="m", MetricsConfiguration={"Id": "m", "Filter": {"Prefix": "in/"}}
    )
    owner.put_object(Bucket=bucket, Key="in/a", Body=b"x" * 100)
    owner.put_object(Bucket=bucket, Key="out", Body=b"x")
    for _ in range(3):
        owner.get_object(Bucket=bucket, Key="in/a")["Body"].read()
    with refused("NoSuchKey", 404):
        owner.get_object(Bucket=bucket, Key="in/none")
    shown = (
        "from objects.models import BucketMetric; from buckets.models import Bucket;"
        "from audit.services.sealing import settled_id, seal_rows; from workers import reporting;"
        "settled_id(); seal_rows(up_to_id=settled_id()); reporting.roll_up_metrics();"
        f"print([(m.all_requests, m.get_requests, m.put_requests, m.errors_4xx, m.bytes_downloaded >= 300, m.object_count)"
        f" for m in BucketMetric.objects.filter(bucket_id=Bucket.objects.get(name={bucket!r}).pk)])"
    )
    wait_until(
        lambda: "[(5, 4, 1, 1, True, 1)]" in live.manage("shell", "-c", shown).stdout,
        "the requests are counted",
        seconds=PATIENCE_SECONDS,
    )


def test_an_analysis_is_exported(owner: Any, bucket: str, new_bucket: Any) -> None:
    destination = new_bucket()
    owner.put_object(Bucket=bucket, Key="a", Body=b"x" * (1 << 20))
    target = {"Bucket": f"arn:aws:s3:::{destination}", "Format": "CSV", "Prefix": "found"}
    owner.put_bucket_analytics_configuration(
        Bucket=bucket,
        Id="one",
        AnalyticsConfiguration={
            "Id": "one",
            "StorageClassAnalysis": {
                "DataExport": {"OutputSchemaVersion": "V_1", "Destination": {"S3BucketDestination": target}}
            },
        },
    )
    key = f"found/{bucket}/one/analysis.csv"

    def rows() -> list[dict[str, str]]:
        if "Contents" not in owner.list_objects_v2(Bucket=destination, Prefix=key):
            return []
        text = owner.get_object(Bucket=destination, Key=key)["Body"].read().decode()
        return list(csv.DictReader(io.StringIO(text)))

    wait_until(lambda: bool(rows()), "the export is there", seconds=PATIENCE_SECONDS)
    (row,) = rows()
    assert (row["ConfigId"], row["StorageClass"], row["ObjectCount"]) == ("one", "STANDARD", "1")
    assert float(row["Storage_MB"]) == 1


def test_reports_go_where_who_asks_may_write(
    owner: Any, iam: Any, live: LiveSystem, bucket: str, new_bucket: Any
) -> None:
    destination = new_bucket()
    asking = allow("s3:PutInventoryConfiguration", "s3:PutAnalyticsConfiguration", resource=f"arn:aws:s3:::{bucket}")
    user = make_user(iam, asking).keys.client(live)
    exported = {
        "Id": "a",
        "StorageClassAnalysis": {
            "DataExport": {
                "OutputSchemaVersion": "V_1",
                "Destination": {"S3BucketDestination": {"Format": "CSV", "Bucket": f"arn:aws:s3:::{destination}"}},
            }
        },
    }
    with refused("AccessDenied", 403):
        put(user, bucket, configuration(destination))
    with refused("AccessDenied", 403):
        user.put_bucket_analytics_configuration(Bucket=bucket, Id="a", AnalyticsConfiguration=exported)
    writing = allow("s3:PutObject", resource=f"arn:aws:s3:::{destination}/reports/*")
    put(make_user(iam, asking, writing).keys.client(live), bucket, configuration(destination))
