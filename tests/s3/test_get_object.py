"""GetObject and HeadObject: bodies, ranges, parts, conditions, overrides, and their refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.s3.refusals import refused
from tests.s3.wire import Wire

BODY = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def home(owner: Any, new_bucket: Any) -> str:
    """A bucket with the object `k`, whose body is BODY, and the object `empty`."""
    name: str = new_bucket()
    owner.put_object(Bucket=name, Key="k", Body=BODY, ContentType="text/plain", Metadata={"m": "v"})
    owner.put_object(Bucket=name, Key="empty", Body=b"")
    return name


def get(wire: Wire, home: str, headers: dict[str, str], key: str = "k", method: str = "GET") -> Any:
    return wire.send(method, f"/{home}/{key}", headers=headers)


def test_a_missing_key_is_named(owner: Any, home: str) -> None:
    with refused("NoSuchKey", 404) as response:
        owner.get_object(Bucket=home, Key="missing")
    assert response["Error"]["Key"] == "missing"


def test_a_missing_bucket_is_named(owner: Any) -> None:
    with refused("NoSuchBucket", 404) as response:
        owner.get_object(Bucket="test-no-such-bucket", Key="k")
    assert response["Error"]["BucketName"] == "test-no-such-bucket"


def test_strangers_and_nobody_may_not_read(stranger: Any, anonymous: Any, home: str) -> None:
    for client in (stranger, anonymous):
        with refused("AccessDenied", 403):
            client.get_object(Bucket=home, Key="k")
        with refused("403", 403):
            client.head_object(Bucket=home, Key="k")


def test_strangers_do_not_learn_which_keys_are_there(stranger: Any, home: str) -> None:
    with refused("AccessDenied", 403):
        stranger.get_object(Bucket=home, Key="missing")


def test_head_says_what_get_says_without_the_bytes(wire: Wire, home: str) -> None:
    got, head = get(wire, home, {}), get(wire, home, {}, method="HEAD")
    fleeting = {"x-amz-request-id", "x-amz-id-2", "date"}
    assert head.body == b""
    assert got.body == BODY
    assert {name: head.headers[name] for name in head.headers.keys() - fleeting} == {
        name: got.headers[name] for name in got.headers.keys() - fleeting
    }
    assert head.headers["content-length"] == str(len(BODY))
    assert head.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(("bucket_name", "key"), [("test-no-such-bucket", "k"), (None, "missing")])
def test_a_failing_head_has_a_status_and_no_body(wire: Wire, home: str, bucket_name: str | None, key: str) -> None:
    answer = wire.send("HEAD", f"/{bucket_name or home}/{key}")
    assert (answer.status, answer.body) == (404, b"")


# Ranges


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=5000-6000", 5000, 6001),
        ("bytes=10239-10239", 10239, 10240),
        ("bytes=100-", 100, 10240),
        ("bytes=-1", 10239, 10240),
        ("bytes=-500", 9740, 10240),
        ("bytes=-99999", 0, 10240),
        ("bytes=10000-99999999999999999999", 10000, 10240),
        (" bytes = 1 - 2 ", 1, 3),
    ],
)
def test_a_range_selects_its_bytes(wire: Wire, home: str, header: str, start: int, end: int) -> None:
    answer = get(wire, home, {"range": header})
    assert answer.status == 206
    assert answer.body == BODY[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/10240"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("header", ["bytes=10240-", "bytes=10240-10241", "bytes=99999-", "bytes=-0"])
def test_a_range_behind_the_end_is_not_satisfiable(wire: Wire, home: str, header: str) -> None:
    answer = get(wire, home, {"range": header})
    assert answer.refusal == (416, "InvalidRange")
    assert answer.document.findtext("ActualObjectSize") == "10240"
    assert answer.document.findtext("RangeRequested") == header
    assert answer.headers["content-range"] == "bytes */10240"


@pytest.mark.parametrize("header", ["bytes=0-1,3-4", "lines=1-2", "bytes=b-a", "bytes=5-4", "bytes=-", "bytes", ""])
def test_what_is_no_single_range_is_ignored(wire: Wire, home: str, header: str) -> None:
    answer = get(wire, home, {"range": header})
    assert (answer.status, answer.body) == (200, BODY)


def test_no_range_of_an_empty_object_is_satisfiable(wire: Wire, home: str) -> None:
    assert get(wire, home, {"range": "bytes=0-"}, key="empty").refusal == (416, "InvalidRange")


def test_head_answers_a_range_like_get(wire: Wire, home: str) -> None:
    answer = get(wire, home, {"range": "bytes=2-4"}, method="HEAD")
    assert (answer.status, answer.headers["content-length"], answer.body) == (206, "3", b"")
    assert get(wire, home, {"range": "bytes=10240-"}, method="HEAD").status == 416


def test_ranges_across_chunks_are_whole(owner: Any, bucket: str) -> None:
    body = b"".join(number.to_bytes(4) for number in range(5 << 20))  # 20 MiB: three chunks
    owner.put_object(Bucket=bucket, Key="k", Body=body)
    chunk = 8 << 20
    for start, end in [(chunk - 1, chunk + 1), (0, chunk), (chunk, 2 * chunk), (chunk - 70_000, 2 * chunk + 70_000)]:
        got = owner.get_object(Bucket=bucket, Key="k", Range=f"bytes={start}-{end - 1}")
        assert got["Body"].read() == body[start:end]


# Parts of what is no multipart object


def test_the_first_part_of_a_simple_object_is_all_of_it(owner: Any, home: str) -> None:
    got = owner.get_object(Bucket=home, Key="k", PartNumber=1)
    assert got["Body"].read() == BODY
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert "PartsCount" not in got


def test_a_simple_object_has_no_second_part(owner: Any, home: str) -> None:
    with refused("InvalidPartNumber", 416):
        owner.get_object(Bucket=home, Key="k", PartNumber=2)


def test_part_and_range_together_are_refused(wire: Wire, home: str) -> None:
    answer = wire.send("GET", f"/{home}/k", query=[("partNumber", "1")], headers={"range": "bytes=0-1"})
    assert answer.refusal == (400, "InvalidRequest")


@pytest.mark.parametrize("number", ["0", "10001", "-1", "x", ""])
def test_an_impossible_part_number_is_refused(wire: Wire, home: str, number: str) -> None:
    answer = wire.send("GET", f"/{home}/k", query=[("partNumber", number)])
    assert answer.refusal == (400, "InvalidArgument")


# Conditions


@pytest.fixture(scope="module")
def facts(owner: Any, home: str) -> dict[str, str]:
    """What conditions compare with: the object's ETag, and times before, at and after its own."""
    head = owner.head_object(Bucket=home, Key="k")
    at: datetime = head["LastModified"].astimezone(UTC)
    return {
        "etag": head["ETag"],
        "before": format_datetime(at - timedelta(hours=1), usegmt=True),
        "at": format_datetime(at, usegmt=True),
        "after": format_datetime(at + timedelta(hours=1), usegmt=True),
    }


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"if-match": "{etag}"}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": '"other", {etag}'}, 200),
        ({"if-match": '"other"'}, 412),
        ({"if-none-match": "{etag}"}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"other"'}, 200),
        ({"if-modified-since": "{before}"}, 200),
        ({"if-modified-since": "{at}"}, 304),
        ({"if-modified-since": "{after}"}, 304),
        ({"if-modified-since": "soon"}, 200),
        ({"if-unmodified-since": "{before}"}, 412),
        ({"if-unmodified-since": "{at}"}, 200),
        ({"if-unmodified-since": "{after}"}, 200),
        ({"if-unmodified-since": "soon"}, 200),
        ({"if-match": "{etag}", "if-unmodified-since": "{before}"}, 200),
        ({"if-none-match": "{etag}", "if-modified-since": "{before}"}, 304),
        ({"if-none-match": '"other"', "if-modified-since": "{after}"}, 200),
        ({"if-match": '"other"', "if-none-match": "{etag}"}, 412),
    ],
)
def test_conditions_decide(
    wire: Wire, home: str, facts: dict[str, str], method: str, conditions: dict[str, str], status: int
) -> None:
    headers = {name: value.format(**facts) for name, value in conditions.items()}
    answer = get(wire, home, headers, method=method)
    assert answer.status == status
    assert answer.body == (BODY if (method, status) == ("GET", 200) else answer.body)
    if status == 304 or method == "HEAD":
        assert answer.body == b""
    if status == 412 and method == "GET":
        assert answer.code == "PreconditionFailed"


def test_an_etag_without_quotes_matches(wire: Wire, home: str, facts: dict[str, str]) -> None:
    assert get(wire, home, {"if-match": facts["etag"].strip('"')}).status == 200


def test_a_condition_is_judged_before_the_range(wire: Wire, home: str, facts: dict[str, str]) -> None:
    assert get(wire, home, {"if-none-match": facts["etag"], "range": "bytes=99999-"}).status == 304
    assert get(wire, home, {"if-match": facts["etag"], "range": "bytes=1-2"}).body == BODY[1:3]


def test_a_range_of_what_has_changed_since_is_not_served(wire: Wire, home: str, facts: dict[str, str]) -> None:
    modified = wire.send("HEAD", f"/{home}/k").headers["last-modified"]
    for if_range, status in (
        (facts["etag"], 206),
        (modified, 206),
        ('"other"', 200),
        (f"W/{facts['etag']}", 200),
        (facts["before"], 200),
        ("nonsense", 200),
    ):
        assert get(wire, home, {"range": "bytes=1-2", "if-range": if_range}).status == status, if_range


def test_not_modified_still_names_the_etag(wire: Wire, home: str, facts: dict[str, str]) -> None:
    answer = get(wire, home, {"if-none-match": facts["etag"]})
    assert answer.headers.get("etag") == facts["etag"]
    assert "last-modified" in answer.headers


def test_last_modified_is_now_in_whole_seconds(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k")
    modified_at = owner.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert modified_at.microsecond == 0
    assert abs(datetime.now(UTC) - modified_at) < timedelta(seconds=10)


# response-*


def test_response_parameters_replace_headers(owner: Any, home: str) -> None:
    overrides = {
        "CacheControl": "no-cache",
        "ContentDisposition": "attachment; filename=x.txt",
        "ContentEncoding": "br",
        "ContentLanguage": "fr",
        "ContentType": "application/json",
    }
    arguments = {f"Response{name}": value for name, value in overrides.items()}
    for call in (owner.get_object, owner.head_object):
        answer = call(Bucket=home, Key="k", **arguments)
        assert {name: answer[name] for name in overrides} == overrides
    assert owner.head_object(Bucket=home, Key="k")["ContentType"] == "text/plain"


def test_a_response_parameter_cannot_smuggle_a_header(wire: Wire, home: str) -> None:
    query = [("response-content-type", "text/plain\r\nset-cookie: a=b")]
    answer = wire.send("GET", f"/{home}/k", query=query)
    assert answer.refusal == (400, "InvalidArgument")
    assert "set-cookie" not in answer.headers


# GetObjectAttributes


def test_attributes_are_those_asked_for(owner: Any, home: str) -> None:
    got = owner.get_object_attributes(
        Bucket=home, Key="k", ObjectAttributes=["ETag", "ObjectSize", "StorageClass", "Checksum", "ObjectParts"]
    )
    etag = owner.head_object(Bucket=home, Key="k")["ETag"].strip('"')
    assert (got["ETag"], got["ObjectSize"], got["StorageClass"]) == (etag, len(BODY), "STANDARD")
    assert got["Checksum"]["ChecksumType"] == "FULL_OBJECT"
    assert "ObjectParts" not in got
    assert "ETag" not in owner.get_object_attributes(Bucket=home, Key="k", ObjectAttributes=["ObjectSize"])


def test_an_unknown_attribute_is_refused(wire: Wire, home: str) -> None:
    answer = wire.send("GET", f"/{home}/k", query=[("attributes", "")], headers={"x-amz-object-attributes": "Colour"})
    assert answer.refusal == (400, "InvalidArgument")


def test_attributes_of_a_missing_key_are_refused(owner: Any, home: str) -> None:
    with refused("NoSuchKey", 404):
        owner.get_object_attributes(Bucket=home, Key="missing", ObjectAttributes=["ETag"])
