"""Request signatures: AWS's worked examples, botocore's own signers, and what clients do differently."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote, urlsplit

import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from s3protocol import errors, timestamps
from s3protocol.signatures import (
    PayloadMode,
    SignatureKind,
    canonical,
    read_signature,
    verify_signature,
)
from tests.unit.s3protocol.signing import (
    ACCESS_KEY_ID,
    DOCUMENTATION,
    ENDPOINT,
    KEYS,
    METADATA,
    NOW,
    QUERIES,
    RULES,
    SECRET_KEY,
    signed,
    verify,
)

# AWS's worked examples


@pytest.mark.parametrize("case", DOCUMENTATION["header_requests"], ids=lambda case: case["name"])
def test_the_documentation_s_signed_requests_verify(case):
    headers = case["headers"] | {"host": case["host"], "x-amz-content-sha256": case["payload_hash"]}
    headers["x-amz-date"] = DOCUMENTATION["now"]
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20130524/us-east-1/s3/aws4_request,"
        f"SignedHeaders={';'.join(sorted(headers))},Signature={case['signature']}"
    )
    context = verify(headers, method=case["method"], path=case["path"], raw_query=case["query"])
    assert context is not None
    assert context.seed_signature == case["signature"]
    assert context.scope.text == "20130524/us-east-1/s3/aws4_request"
    assert SECRET_KEY not in repr(context)


def test_the_documentation_s_presigned_url_verifies_for_a_day():
    case = DOCUMENTATION["presigned"]
    raw_query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={ACCESS_KEY_ID}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        f"&X-Amz-Signature={case['signature']}"
    )
    for age in (timedelta(minutes=-14), timedelta(0), timedelta(days=1)):
        assert verify({"host": case["host"]}, path=case["path"], raw_query=raw_query, now=NOW + age)
    with pytest.raises(errors.AccessDenied, match="Request has expired") as caught:
        verify({"host": case["host"]}, path=case["path"], raw_query=raw_query, now=NOW + timedelta(days=1, seconds=1))
    assert caught.value.members == {
        "X-Amz-Expires": "86400",
        "Expires": "2013-05-25T00:00:00Z",
        "ServerTime": "2013-05-25T00:00:01Z",
    }
    with pytest.raises(errors.AccessDenied, match="not valid yet"):
        verify({"host": case["host"]}, path=case["path"], raw_query=raw_query, now=NOW - timedelta(minutes=16))


# The rules of the canonical request


@pytest.mark.parametrize(("path", "expected"), RULES["paths"])
def test_paths_are_encoded_once_and_never_normalised(path, expected):
    assert canonical.canonical_path(path) == expected


@pytest.mark.parametrize(("raw_query", "expected"), RULES["queries"])
def test_queries_are_re_encoded_and_sorted(raw_query, expected):
    assert canonical.canonical_query(raw_query) == expected


@pytest.mark.parametrize(("value", "expected"), RULES["header_values"])
def test_header_values_are_trimmed_and_collapsed(value, expected):
    assert canonical.canonical_headers(["a"], {"a": value}) == f"a:{expected}\n"


def test_an_absent_signed_header_is_empty_but_expect_has_its_only_value():
    assert canonical.canonical_headers(["range", "expect"], {}) == "range:\nexpect:100-continue\n"


@given(st.text(alphabet=st.characters(max_codepoint=0x7F), max_size=30))
def test_encoding_a_word_twice_changes_nothing(word):
    once = canonical.encode_word(word)
    assert canonical.encode_word(once) == once


# Round trips with botocore's signers


def _botocore_request(method, key, query, headers):
    raw_query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query)
    url = f"{ENDPOINT}/bucket/{quote(key, safe='/~')}" + (f"?{raw_query}" if raw_query else "")
    return AWSRequest(method=method, url=url, headers=dict(headers), data=b"")


def _received(request):
    """See a request as a WSGI server hands it over."""
    parts = urlsplit(request.prepare().url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers.setdefault("host", parts.netloc)
    path = unquote(parts.path, errors="surrogateescape")
    return headers, path, parts.path, parts.query


@given(st.sampled_from(["GET", "PUT", "DELETE"]), KEYS, QUERIES, METADATA, st.sampled_from([None, "token/+="]))
@settings(max_examples=150, deadline=None)
def test_what_botocore_signs_in_the_header_verifies(method, key, query, metadata, token):
    request = _botocore_request(method, key, query, metadata)
    S3SigV4Auth(Credentials(ACCESS_KEY_ID, SECRET_KEY, token), "s3", "eu-west-9").add_auth(request)
    headers, path, _, raw_query = _received(request)
    presented = read_signature(headers, raw_query)
    assert presented is not None
    assert (presented.kind, presented.session_token) == (SignatureKind.HEADER_V4, token)
    assert verify(headers, method=method, path=path, raw_query=raw_query, now=datetime.now(UTC))


@given(st.sampled_from(["GET", "PUT"]), KEYS, st.sampled_from([None, "token/+="]), METADATA)
@settings(max_examples=100, deadline=None)
def test_what_botocore_presigns_verifies(method, key, token, metadata):
    request = _botocore_request(method, key, [("versionId", "a+b/c")], metadata)
    S3SigV4QueryAuth(Credentials(ACCESS_KEY_ID, SECRET_KEY, token), "s3", "us-east-1", expires=60).add_auth(request)
    headers, path, _, raw_query = _received(request)
    presented = read_signature(headers, raw_query)
    assert presented is not None
    assert (presented.kind, presented.session_token, presented.expires_seconds) == (SignatureKind.QUERY_V4, token, 60)
    assert verify(headers, method=method, path=path, raw_query=raw_query, now=datetime.now(UTC))


SUBRESOURCES = st.lists(
    st.sampled_from(
        [("acl", ""), ("versionId", "a+b/c"), ("response-content-disposition", 'a; b="ü"'), ("prefix", "a b")]
    ),
    max_size=3,
    unique=True,
)


@given(st.sampled_from(["GET", "PUT"]), KEYS, SUBRESOURCES, METADATA, st.sampled_from([None, "token/+="]))
@settings(max_examples=100, deadline=None)
def test_what_botocore_signs_in_version_2_verifies(method, key, query, metadata, token):
    request = _botocore_request(method, key, query, metadata | {"Content-Type": "text/plain"})
    HmacV1Auth(Credentials(ACCESS_KEY_ID, SECRET_KEY, token)).add_auth(request)
    headers, path, raw_path, raw_query = _received(request)
    now = datetime.now(UTC)
    assert verify(headers, method=method, path=path, raw_query=raw_query, raw_path=raw_path, now=now) is None
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(headers, method=method, path=path + "x", raw_query=raw_query, now=now)


@given(KEYS, SUBRESOURCES, st.sampled_from([None, "token/+="]))
@settings(max_examples=100, deadline=None)
def test_what_botocore_presigns_in_version_2_verifies_until_it_expires(key, query, token):
    request = _botocore_request("GET", key, query, {})
    HmacV1QueryAuth(Credentials(ACCESS_KEY_ID, SECRET_KEY, token), expires=60).add_auth(request)
    headers, path, raw_path, raw_query = _received(request)
    received = {name: value for name, value in headers.items() if name == "host"}
    now = datetime.now(UTC)
    arguments = {"path": path, "raw_query": raw_query, "raw_path": raw_path}
    assert verify(received, now=now, **arguments) is None
    with pytest.raises(errors.AccessDenied, match="Request has expired"):
        verify(received, now=now + timedelta(seconds=70), **arguments)
    for tampered in (raw_query + "&uploads", raw_query + "&retention"):
        with pytest.raises(errors.SignatureDoesNotMatch):
            verify(received, now=now, **arguments | {"raw_query": tampered})


def test_version_2_signs_the_bucket_of_a_virtual_host():
    text = f"GET\n\n\n{timestamps.format_http_date(NOW)}\n/bucket/key?acl"
    signature = base64.b64encode(hmac.digest(SECRET_KEY.encode(), text.encode(), "sha1")).decode()
    headers = {
        "host": "bucket.s3.example.org",
        "date": timestamps.format_http_date(NOW),
        "authorization": f"AWS {ACCESS_KEY_ID}:{signature}",
    }
    for raw_query in ("acl", "acl="):
        assert verify(headers, path="/key", raw_query=raw_query, virtual_host_bucket="bucket") is None
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(headers, path="/key", raw_query="acl", virtual_host_bucket="other")


@pytest.mark.parametrize(
    ("signed", "path", "is_same"),
    [
        ("/bucket/", "/bucket", True),
        ("/bucket", "/bucket", True),
        ("/bucket", "/bucket/", False),
        ("/b/k/", "/b/k", False),
    ],
)
def test_version_2_may_sign_a_slash_behind_a_bucket(signed, path, is_same):
    text = f"PUT\n\n\n{timestamps.format_http_date(NOW)}\n{signed}"
    signature = base64.b64encode(hmac.digest(SECRET_KEY.encode(), text.encode(), "sha1")).decode()
    date = timestamps.format_http_date(NOW)
    headers = {"host": "s3.example.org", "date": date, "authorization": f"AWS {ACCESS_KEY_ID}:{signature}"}
    if is_same:
        assert verify(headers, method="PUT", path=path) is None
    else:
        with pytest.raises(errors.SignatureDoesNotMatch):
            verify(headers, method="PUT", path=path)


def test_other_services_sign_the_hash_of_the_body_without_a_header():
    body = b"Action=ListUsers&Version=2010-05-08"
    request = AWSRequest(method="POST", url=f"{ENDPOINT}/", headers={"Content-Type": "x"}, data=body)
    SigV4Auth(Credentials(ACCESS_KEY_ID, SECRET_KEY), "iam", "us-east-1").add_auth(request)
    headers, path, _, raw_query = _received(request)
    presented = read_signature(headers, raw_query, service="iam")
    assert presented is not None
    assert presented.payload.mode is PayloadMode.SIGNED
    assert presented.payload.sha256_hex is None

    def verify(sent):
        return verify_signature(
            presented,
            secret_key=SECRET_KEY,
            method="POST",
            path=path,
            raw_query=raw_query,
            headers=headers,
            now=datetime.now(UTC),
            body_sha256_hex=hashlib.sha256(sent).hexdigest(),
        )

    assert verify(body)
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(body + b"!")
    with pytest.raises(errors.AuthorizationHeaderMalformed, match="incorrect service"):
        read_signature(headers, raw_query)


# What clients do differently


def test_a_path_signed_as_it_was_sent_verifies():
    headers = signed(path="/bucket/a+b")
    raw_text = canonical.canonical_request(
        "GET",
        "/bucket/a+b%2fc",
        "",
        names=("host", "x-amz-content-sha256", "x-amz-date"),
        headers=headers,
        payload_hash=headers["x-amz-content-sha256"],
    )
    key = canonical.signing_key(SECRET_KEY, "20130524", "us-east-1", "s3")
    text = canonical.string_to_sign("20130524T000000Z", "20130524/us-east-1/s3/aws4_request", raw_text)
    headers["authorization"] = headers["authorization"][:-64] + canonical.sign(key, text)
    assert verify(headers, path="/bucket/a+b/c", raw_path="/bucket/a+b%2fc")
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(headers, path="/bucket/a+b/c")


def test_header_values_are_signed_as_the_bytes_that_were_sent():
    value = "grün ☃"
    headers = signed(headers={"x-amz-meta-a": value.encode().decode("latin-1")})
    assert "x-amz-meta-a" in headers["authorization"]
    assert verify(headers)


def test_the_date_header_stands_in_for_x_amz_date():
    headers = {
        "host": "127.0.0.1:9000",
        "date": timestamps.format_http_date(NOW),
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    }
    names = tuple(sorted(headers))
    request_text = canonical.canonical_request(
        "GET", "/bucket/key", "", names=names, headers=headers, payload_hash="UNSIGNED-PAYLOAD"
    )
    scope_text = "20130524/us-east-1/s3/aws4_request"
    key = canonical.signing_key(SECRET_KEY, "20130524", "us-east-1", "s3")
    signature = canonical.sign(key, canonical.string_to_sign("20130524T000000Z", scope_text, request_text))
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/{scope_text}, SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    assert verify(headers)
