"""Requests as the wire brings them, good and bad: the cases are data, the properties are Hypothesis's."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3protocol import errors
from s3protocol.codec import codec_for
from s3protocol.codec.xml_tree import DEPTH_MAX, ELEMENT_COUNT_MAX
from s3protocol.model import operation_names

DATA = Path(__file__).parents[2] / "data/protocol"
BODIES = json.loads((DATA / "bodies.json").read_text())
PARAMETERS = json.loads((DATA / "parameters.json").read_text())
QUERY_OF = {"CompleteMultipartUpload": {"uploadId": "u"}}


def parse(operation_name, *, query=None, headers=None, body=b""):
    """Parse and leave out what the address gave."""
    codec = codec_for(operation_name)
    parsed = codec.parse(bucket="b", key="k", query=query or {}, headers=headers or {}, body=body)
    return {name: value for name, value in parsed.items() if name not in {"bucket", "key"}}


@pytest.mark.parametrize("case", BODIES, ids=[f"{case['operation']}: {case['is']}" for case in BODIES])
def test_a_body_means(case):
    query = QUERY_OF.get(case["operation"], {})
    if "error" in case:
        with pytest.raises(errors.by_code[case["error"]]):
            parse(case["operation"], query=query, body=case["body"].encode())
    else:
        parsed = parse(case["operation"], query=query, body=case["body"].encode())
        assert {name: value for name, value in parsed.items() if name != "upload_id"} == case["value"]


@pytest.mark.parametrize("case", PARAMETERS, ids=[f"{case['operation']}: {case['is']}" for case in PARAMETERS])
def test_parameters_mean(case):
    request = {"query": case.get("query"), "headers": case.get("headers")}
    if "error" in case:
        with pytest.raises(errors.by_code[case["error"]]) as caught:
            parse(case["operation"], **request)
        assert caught.value.message == case.get("message", caught.value.message)
    else:
        assert parse(case["operation"], **request) == case["value"]


def test_a_refused_parameter_is_named_with_its_value():
    with pytest.raises(errors.InvalidArgument) as caught:
        parse("ListObjects", query={"max-keys": "blah"})
    assert caught.value.members == {"ArgumentName": "max-keys", "ArgumentValue": "blah"}


@pytest.mark.parametrize(
    "text", ["Fri, 02 Jan 2026 03:04:05 GMT", "Friday, 02-Jan-26 03:04:05 GMT", "2026-01-02T03:04:05.000Z"]
)
def test_a_condition_is_read_in_every_form(text):
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert parse("GetObject", headers={"if-modified-since": text}) == {"if_modified_since": moment}


@pytest.mark.parametrize(
    "body",
    [
        b"<Tagging><TagSet><Tag><Key>\xff\xfe</Key><Value/></Tag></TagSet></Tagging>",
        b"\xff\xfe<\x00T\x00",
        b"\x00",
        b"<Tagging\x00/>",
        b"<a>" * (DEPTH_MAX + 2),
        b"<a>" * 1_000_000,
        b"<Tagging>" + b"<a/>" * (ELEMENT_COUNT_MAX + 1),
    ],
    ids=["bad UTF-8", "half UTF-16", "NUL", "NUL in a tag", "too deep", "far too deep", "too many"],
)
def test_bytes_that_are_no_document_are_malformed(body):
    with pytest.raises(errors.MalformedXML):
        parse("PutBucketTagging", body=body)


def test_the_refusal_quotes_little_of_the_document():
    with pytest.raises(errors.MalformedXML) as caught:
        parse("PutBucketTagging", body=b"<" + b"a" * 10_000 + b"/>")
    assert len(caught.value.message) < 400


def test_other_encodings_are_read():
    document = '<?xml version="1.0" encoding="{}"?><Tagging><TagSet><Tag><Key>é</Key><Value/></Tag></TagSet></Tagging>'
    for encoding in ["utf-8", "iso-8859-1", "utf-16", "windows-1252"]:
        body = document.format(encoding).encode(encoding)
        assert parse("PutBucketTagging", body=body) == {"tagging": {"TagSet": [{"Key": "é", "Value": ""}]}}


def test_a_policy_is_text():
    with pytest.raises(errors.MalformedPolicy):
        parse("PutBucketPolicy", body=b'{"Version": "\xff"}')


def test_the_body_of_an_operation_that_needs_none_is_not_looked_at():
    assert parse("GetObject", body=b"<") == {}
    assert parse("PutObject", body=b"<") == {}


XML_OPERATIONS = sorted(name for name in operation_names() if codec_for(name).needs_body)
FRAGMENTS = st.sampled_from(
    [
        "<Tagging>",
        "</Tagging>",
        "<TagSet>",
        "</TagSet>",
        "<Tag/>",
        "<!DOCTYPE x>",
        "&a;",
        "&#1;",
        "<![CDATA[",
        "]]>",
        "x",
    ]
)


@given(
    operation_name=st.sampled_from(XML_OPERATIONS),
    body=st.binary() | st.lists(FRAGMENTS).map("".join).map(str.encode),
    values=st.text(),
)
def test_only_s3_errors_are_raised(operation_name, body, values):
    query = {"id": values, "uploadId": values, "versionId": values, "encoding-type": values, "max-keys": values}
    headers = {"x-amz-acl": values, "x-amz-request-payer": values, "x-amz-expected-bucket-owner": values}
    with suppress(errors.S3Error):
        parse(operation_name, query=query, headers=headers, body=body)


@given(st.text())
def test_no_integer_beyond_the_protocol_gets_through(text):
    try:
        value = parse("ListObjects", query={"max-keys": text}).get("max_keys", 0)
    except errors.InvalidArgument:
        return
    assert 0 <= value < 2**31
