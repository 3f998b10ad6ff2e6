"""The codec against botocore's own client: what it sends we read, what we send it reads, for every operation."""

from urllib.parse import parse_qsl, unquote

import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from s3protocol import quirks
from s3protocol.codec import codec_for
from s3protocol.model import CONTROL_OPERATIONS, operation_model, operation_names, snake_case
from s3protocol.routes import SUPERSEDED, UNREACHABLE, Level, resolve
from s3protocol.timestamps import format_http_date
from tests.unit.s3protocol.shape_values import MOMENT, sample, sample_structure

OPERATIONS = sorted(operation_names() | CONTROL_OPERATIONS.keys())
CURRENT_OPERATIONS = [name for name in OPERATIONS if name not in SUPERSEDED]


def request_parts(operation_name, params):
    """Serialize as the client does and take apart as the endpoint does: method, level, query, headers, body."""
    request = create_serializer("rest-xml").serialize_to_request(params, operation_model(operation_name))
    if operation_name != "PutBucketPolicy" and isinstance(request["body"], bytes):
        # The client does this in a handler (botocore.handlers.escape_xml_payload), outside of its serializer.
        request["body"] = request["body"].replace(b"\r", b"&#13;")
    path, _, static_query = request["url_path"].partition("?")
    query = dict(parse_qsl(static_query, keep_blank_values=True))
    query |= {name: str(value) for name, value in request["query_string"].items()}
    headers = {name.lower(): str(value) for name, value in request["headers"].items()}
    body = request["body"].encode() if isinstance(request["body"], str) else request["body"] or b""
    segments = unquote(path).lstrip("/").split("/", 1)
    level = Level.SERVICE if not segments[0] else Level.BUCKET if len(segments) == 1 else Level.OBJECT
    if operation_name in CONTROL_OPERATIONS:
        level = Level.ACCOUNT if "configuration" in path else Level.RESOURCE
    return request["method"], level, query, headers, body


def expected_arguments(shape, params):
    expected = {}
    for name, value in params.items():
        member = shape.members[name]
        if member.serialization.get("streaming") or name == "ResourceArn":
            continue
        expected[snake_case(name)] = format_http_date(value) if member.name in quirks.OPAQUE_TIMES else value
    return expected


@pytest.mark.parametrize("is_minimal", [False, True], ids=["full", "minimal"])
@pytest.mark.parametrize("operation_name", CURRENT_OPERATIONS)
def test_reads_what_botocore_sends(operation_name, is_minimal):
    shape = operation_model(operation_name).input_shape
    params = {}
    if shape is not None:
        params = sample_structure(shape, is_minimal=is_minimal)
        params.update({name: value for name, value in {"Bucket": "bucket", "Key": "a/b c"}.items() if name in params})
        payload = shape.serialization.get("payload")
        if payload is not None and payload not in params:
            params[payload] = sample(shape.members[payload], is_minimal=operation_name != "CompleteMultipartUpload")
    _, _, query, headers, body = request_parts(operation_name, params)
    codec = codec_for(operation_name)
    if not codec.needs_body:
        body = b""
    lists = {"tagKeys": params["TagKeys"]} if codec.has_query_lists else None
    parsed = codec.parse(bucket="bucket", key="a/b c", query=query, headers=headers, body=body, query_lists=lists)
    expected = {} if shape is None else expected_arguments(shape, params)
    assert parsed == expected


@pytest.mark.parametrize("operation_name", OPERATIONS)
def test_routes_what_botocore_sends(operation_name):
    shape = operation_model(operation_name).input_shape
    if operation_name in UNREACHABLE:
        pytest.skip(UNREACHABLE[operation_name])
    params = {} if shape is None else sample_structure(shape, is_minimal=True)
    params.update({name: value for name, value in {"Bucket": "bucket", "Key": "key"}.items() if name in params})
    method, level, query, headers, _ = request_parts(operation_name, params)
    assert resolve(method, level, query, headers) == SUPERSEDED.get(operation_name, operation_name)


def sample_result(shape):
    result = sample_structure(shape)
    payload = shape.serialization.get("payload")
    if payload is not None and shape.members[payload].type_name == "blob":
        result[payload] = ""  # botocore hands streams over outside of its parser, which makes text of them
    return result


@pytest.mark.parametrize("operation_name", [name for name in CURRENT_OPERATIONS if operation_model(name).output_shape])
def test_botocore_reads_what_is_sent(operation_name):
    if operation_name in {"GetBucketLocation", "SelectObjectContent"}:
        pytest.skip("botocore parses it outside of its model")
    shape = operation_model(operation_name).output_shape
    result = sample_result(shape)
    response = codec_for(operation_name).serialize(result)
    parsed = create_parser("rest-xml").parse(
        {"status_code": response.status, "headers": HeadersDict(response.headers), "body": response.body}, shape
    )
    parsed.pop("ResponseMetadata")
    assert parsed == result


@pytest.mark.parametrize("operation_name", OPERATIONS)
def test_an_empty_result_renders(operation_name):
    result = {"Policy": ""} if operation_name == "GetBucketPolicy" else {}
    response = codec_for(operation_name).serialize(result)
    assert 200 <= response.status < 300
    assert isinstance(response.body, bytes)


def test_the_root_that_is_the_location_is_read_by_botocore():
    response = codec_for("GetBucketLocation").serialize({"LocationConstraint": "eu-<1>"})
    assert response.body.endswith(
        b'<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-&lt;1&gt;</LocationConstraint>'
    )
    assert codec_for("GetBucketLocation").serialize({}).body.endswith(b'2006-03-01/"></LocationConstraint>')


def test_times_in_xml_have_milliseconds_and_in_headers_are_http_dates():
    moment = MOMENT.replace(microsecond=678901)
    body = codec_for("ListObjects").serialize({"Contents": [{"Key": "k", "LastModified": moment}]}).body
    assert b"<LastModified>2026-01-02T03:04:05.678Z</LastModified>" in body
    headers = dict(codec_for("HeadObject").serialize({"LastModified": moment}).headers)
    assert headers == {"Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT"}


def test_the_result_may_override_the_status():
    assert codec_for("GetObject").serialize({"__status__": 206, "Body": b""}).status == 206


def test_a_stream_passes_through_untouched():
    stream = iter([b"a", b"b"])
    assert codec_for("GetObject").serialize({"Body": stream}).body is stream


@pytest.mark.parametrize("result", [{"Etag": "x"}, {"Contents": [{"Keyy": "x"}]}])
def test_an_unknown_member_in_a_result_is_our_mistake(result):
    with pytest.raises(KeyError):
        codec_for("ListObjects").serialize(result)


def test_a_member_that_is_none_is_absent():
    response = codec_for("ListObjects").serialize({"Name": None, "RequestCharged": None})
    assert response.body.endswith(b'2006-03-01/"></ListBucketResult>')
    assert response.headers == [("Content-Type", "application/xml")]


def test_header_values_cannot_break_out():
    headers = dict(codec_for("GetObject").serialize({"ContentDisposition": "a\r\nSet-Cookie: x", "Body": b""}).headers)
    assert headers == {"Content-Disposition": "a  Set-Cookie: x"}


@pytest.mark.parametrize("text", ["ä", "漢"])
def test_header_values_beyond_ascii_are_left_to_the_sender(text):
    assert codec_for("GetObject").serialize({"CacheControl": text, "Body": b""}).headers == [("Cache-Control", text)]


def test_the_codec_is_compiled_once():
    assert codec_for("GetObject") is codec_for("GetObject")


def test_streams_are_told_from_documents():
    streaming = {name for name in OPERATIONS if codec_for(name).has_streaming_input}
    assert streaming == {"PutObject", "PutObjectAnnotation", "UploadPart", "WriteGetObjectResponse"}
    assert not any(codec_for(name).needs_body for name in streaming)
    assert codec_for("DeleteObjects").needs_body
    assert codec_for("PutBucketPolicy").needs_body
    assert codec_for("SelectObjectContent").needs_body
    assert not codec_for("CopyObject").needs_body
