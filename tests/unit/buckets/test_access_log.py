"""Access logs: configurations, names of log objects, lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from buckets.access_log import checked_configuration, log_key, log_line, operation_of, requester_of
from s3protocol import errors
from s3protocol.registry import REGISTRY

NOW = datetime(2030, 2, 6, 0, 0, 38, tzinfo=UTC)
FIELD = re.compile(r'\[[^\]]*\]|"[^"]*"|[^ ]+')


@dataclass
class Row:
    at: datetime = NOW
    source: str = "s3"
    request_id: str = "3E57427F3EXAMPLE"
    operation: str = "GetObject"
    action: str = ""
    account_id: str | None = "123456789012"
    principal: str = "arn:aws:iam::123456789012:root"
    bucket: str | None = "b"
    key: str | None = "a key/ä"
    version_id: str | None = None
    reason: str = ""
    source_ip: str = "192.0.2.3"
    user_agent: str = "S3Console/0.4"
    status: int = 200
    error_code: str = ""
    bytes_out: int = 113
    object_bytes: int | None = 113
    duration_us: int = 7_000
    method: str = "GET"
    request_uri: str = "/b/a%20key/%C3%A4"
    host: str = "s3.example.org:9000"
    referer: str = ""
    auth_type: str = "HEADER_V4"


def test_a_line_has_the_fields_of_the_format_in_order() -> None:
    fields = FIELD.findall(log_line(Row(), owner="f" * 64, requester="e" * 64))
    assert fields == [
        "f" * 64, "b", "[06/Feb/2030:00:00:38 +0000]", "192.0.2.3", "e" * 64, "3E57427F3EXAMPLE", "REST.GET.OBJECT",
        "a%20key/%C3%A4", '"GET /b/a%20key/%C3%A4 HTTP/1.1"', "200", "-", "113", "113", "7", "-", '"-"',
        '"S3Console/0.4"', "-", "-", "SigV4", "-", "AuthHeader", "s3.example.org:9000", "-", "-", "-",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ['a"b', "a\nb", "a\r\nb c", "\u2028", '" 200 - "'])
def test_no_text_of_a_client_breaks_a_line_or_a_field(text: str) -> None:
    row = Row(user_agent=text, referer=text, request_uri=text, host=text, key=text)
    line = log_line(row, owner="o", requester="r")
    assert len(line.splitlines()) == 1
    assert len(FIELD.findall(line)) == 26


@pytest.mark.parametrize(
    ("operation", "method", "key", "named"),
    [
        ("PutObject", "PUT", "k", "REST.PUT.OBJECT"),
        ("CopyObject", "PUT", "k", "REST.COPY.OBJECT"),
        ("DeleteObjects", "POST", "k", "BATCH.DELETE.OBJECT"),
        ("DeleteObjects", "POST", None, "REST.POST.MULTI_OBJECT_DELETE"),
        ("ListObjectsV2", "GET", None, "REST.GET.BUCKET"),
        ("GetBucketAcl", "GET", None, "REST.GET.ACL"),
        ("PutBucketLifecycleConfiguration", "PUT", None, "REST.PUT.LIFECYCLE"),
        ("UploadPart", "PUT", "k", "REST.PUT.PART"),
        ("HeadBucket", "HEAD", None, "REST.HEAD.BUCKET"),
        ("PutObjectTagging", "PUT", "k", "REST.PUT.TAGGING"),
    ],
)
def test_operations_are_named_as_s3_names_them(operation: str, method: str, key: str | None, named: str) -> None:
    assert operation_of(Row(operation=operation, method=method, key=key)) == named


def test_what_reads_the_source_of_a_copy_is_named_after_it() -> None:
    assert operation_of(Row(operation="CopyObject", action="s3:GetObject", method="PUT")) == "REST.COPY.OBJECT_GET"
    assert operation_of(Row(operation="UploadPartCopy", action="s3:GetObjectVersion")) == "REST.COPY.PART_GET"


def test_what_lifecycle_rules_do_has_a_line() -> None:
    row = Row(source="lifecycle", operation="ExpireObject", method="", principal="s3.amazonaws.com", account_id=None)
    assert (operation_of(row), requester_of(row, None)) == ("S3.EXPIRE.OBJECT", "AmazonS3")
    assert operation_of(replace(row, operation="CreateDeleteMarker")) == "S3.CREATE.DELETEMARKER"
    assert FIELD.findall(log_line(row, owner="o", requester="AmazonS3"))[8] == '"-"'


def test_every_operation_has_a_name() -> None:
    for operation in REGISTRY:
        assert re.fullmatch(r"[A-Z]+\.[A-Z]+\.[A-Z_]+", operation_of(Row(operation=operation)))


def test_requesters() -> None:
    assert requester_of(Row(), "c") == "c"
    assert requester_of(Row(principal="*", account_id=None), None) == "-"
    assert requester_of(Row(principal=""), None) == "-"
    assert requester_of(Row(principal="arn:aws:iam::1:user/x"), "c") == "arn:aws:iam::1:user/x"


def test_a_grant_of_a_list_is_told() -> None:
    row = Row(reason="Allow 'READ to AllUsers' of the access control list")
    assert log_line(row, owner="o", requester="r").endswith(" Yes")


@pytest.mark.parametrize(
    ("key_format", "expected"),
    [
        ({}, r"logs/2030-02-06-00-00-38-[0-9A-F]{16}"),
        ({"TargetObjectKeyFormat": {"SimplePrefix": {}}}, r"logs/2030-02-06-00-00-38-[0-9A-F]{16}"),
        (
            {"TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "DeliveryTime"}}},
            r"logs/1/r/b/2030/02/06/2030-02-06-00-00-38-[0-9A-F]{16}",
        ),
        (
            {"TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}},
            r"logs/1/r/b/2030/02/05/2030-02-05-00-00-00-[0-9A-F]{16}",
        ),
    ],
)
def test_names_of_log_objects(key_format: dict[str, Any], expected: str) -> None:
    key = log_key(
        {"TargetPrefix": "logs/", **key_format},
        now=NOW, day=datetime(2030, 2, 5, tzinfo=UTC), account_id="1", region="r", bucket="b", first_id=1,
    )  # fmt: skip
    assert re.fullmatch(expected, key)


@pytest.mark.parametrize(
    "enabled",
    [
        {"TargetBucket": "b"},
        {"TargetPrefix": "p"},
        {"TargetBucket": "b", "TargetPrefix": "p", "TargetObjectKeyFormat": {}},
        {"TargetBucket": "b", "TargetPrefix": "p", "TargetObjectKeyFormat": {"PartitionedPrefix": {}}},
        {
            "TargetBucket": "b",
            "TargetPrefix": "p",
            "TargetObjectKeyFormat": {"SimplePrefix": {}, "PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
        },
    ],
)
def test_what_is_no_configuration_is_refused(enabled: dict[str, Any]) -> None:
    with pytest.raises(errors.MalformedXML):
        checked_configuration({"LoggingEnabled": enabled})
