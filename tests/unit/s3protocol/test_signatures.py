"""Request signatures: AWS's worked examples, botocore's own signers, S3's refusals, and tampering."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from s3protocol import errors, presign, timestamps
from s3protocol.signatures import (
    PayloadMode,
    SignatureKind,
    canonical,
    read_payload_declaration,
    read_signature,
    verify_signature,
)

DATA = Path(__file__).parents[2] / "data" / "sigv4"
DOCUMENTATION = json.loads((DATA / "s3_documentation.json").read_text())
RULES = json.loads((DATA / "canonicalisation.json").read_text())
NOW = timestamps.parse_basic(DOCUMENTATION["now"])
ACCESS_KEY_ID, SECRET_KEY = DOCUMENTATION["access_key_id"], DOCUMENTATION["secret_key"]
CREDENTIALS = presign.SigningCredentials(ACCESS_KEY_ID, SECRET_KEY)
ENDPOINT = "http://127.0.0.1:9000"

KEYS = st.one_of(
    st.sampled_from(
        ["a b", "a+b", "a%20b", "100%", "//", "a//b", "../a", "a/./b", "a/..", "~", "ünï", "😀", "!*'()", "=&?#"]
    ),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
WORDS = st.one_of(
    st.sampled_from(["", "a b", "a+b", "100%", "a=b", "a&b", "ünï", "~", "/"]),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=10),
)
QUERIES = st.lists(st.tuples(WORDS.filter(bool), WORDS), max_size=4)
# Printable ASCII: header values of other kinds are not sent alike by all clients.
HEADER_VALUES = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20).filter(
    lambda value: value == value.strip()
)
METADATA = st.dictionaries(st.from_regex(r"x-amz-meta-[a-z]{1,5}", fullmatch=True), HEADER_VALUES, max_size=3)


def _signed(method="GET", path="/bucket/key", query=(), headers=None, now=NOW, **options):
    return presign.sign_request_v4(
        CREDENTIALS, method=method, endpoint=ENDPOINT, path=path, query=query, headers=headers, now=now, **options
    )


def _verify(headers, *, method="GET", path="/bucket/key", raw_query="", now=NOW, secret_key=SECRET_KEY, **options):
    presented = read_signature(headers, raw_query)
    assert presented is not None
    if presented.access_key_id not in {ACCESS_KEY_ID, "a"}:  # what the look-up of the secret would say
        raise errors.InvalidAccessKeyId
    return verify_signature(
        presented,
        secret_key=secret_key,
        method=method,
        path=path,
        raw_query=raw_query,
        headers=headers,
        now=now,
        **options,
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
    context = _verify(headers, method=case["method"], path=case["path"], raw_query=case["query"])
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
        assert _verify({"host": case["host"]}, path=case["path"], raw_query=raw_query, now=NOW + age)
    with pytest.raises(errors.AccessDenied, match="Request has expired") as caught:
        _verify({"host": case["host"]}, path=case["path"], raw_query=raw_query, now=NOW + timedelta(days=1, seconds=1))
    assert caught.value.members == {
        "X-Amz-Expires": "86400",
        "Expires": "2013-05-25T00:00:00Z",
        "ServerTime": "2013-05-25T00:00:01Z",
    }
    with pytest.raises(errors.AccessDenied, match="not valid yet"):
        _verify({"host": case["host"]}, path=case["path"], raw_query=raw_query, now=NOW - timedelta(minutes=16))


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
    assert _verify(headers, method=method, path=path, raw_query=raw_query, now=datetime.now(UTC))


@given(st.sampled_from(["GET", "PUT"]), KEYS, st.sampled_from([None, "token/+="]), METADATA)
@settings(max_examples=100, deadline=None)
def test_what_botocore_presigns_verifies(method, key, token, metadata):
    request = _botocore_request(method, key, [("versionId", "a+b/c")], metadata)
    S3SigV4QueryAuth(Credentials(ACCESS_KEY_ID, SECRET_KEY, token), "s3", "us-east-1", expires=60).add_auth(request)
    headers, path, _, raw_query = _received(request)
    presented = read_signature(headers, raw_query)
    assert presented is not None
    assert (presented.kind, presented.session_token, presented.expires_seconds) == (SignatureKind.QUERY_V4, token, 60)
    assert _verify(headers, method=method, path=path, raw_query=raw_query, now=datetime.now(UTC))


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
    assert _verify(headers, method=method, path=path, raw_query=raw_query, raw_path=raw_path, now=now) is None
    with pytest.raises(errors.SignatureDoesNotMatch):
        _verify(headers, method=method, path=path + "x", raw_query=raw_query, now=now)


@given(KEYS, SUBRESOURCES, st.sampled_from([None, "token/+="]))
@settings(max_examples=100, deadline=None)
def test_what_botocore_presigns_in_version_2_verifies_until_it_expires(key, query, token):
    request = _botocore_request("GET", key, query, {})
    HmacV1QueryAuth(Credentials(ACCESS_KEY_ID, SECRET_KEY, token), expires=60).add_auth(request)
    headers, path, raw_path, raw_query = _received(request)
    received = {name: value for name, value in headers.items() if name == "host"}
    now = datetime.now(UTC)
    arguments = {"path": path, "raw_query": raw_query, "raw_path": raw_path}
    assert _verify(received, now=now, **arguments) is None
    with pytest.raises(errors.AccessDenied, match="Request has expired"):
        _verify(received, now=now + timedelta(seconds=70), **arguments)
    for tampered in (raw_query + "&uploads", raw_query + "&retention"):
        with pytest.raises(errors.SignatureDoesNotMatch):
            _verify(received, now=now, **arguments | {"raw_query": tampered})


def test_version_2_signs_the_bucket_of_a_virtual_host():
    text = f"GET\n\n\n{timestamps.format_http_date(NOW)}\n/bucket/key?acl"
    signature = base64.b64encode(hmac.digest(SECRET_KEY.encode(), text.encode(), "sha1")).decode()
    headers = {
        "host": "bucket.s3.example.org",
        "date": timestamps.format_http_date(NOW),
        "authorization": f"AWS {ACCESS_KEY_ID}:{signature}",
    }
    for raw_query in ("acl", "acl="):
        assert _verify(headers, path="/key", raw_query=raw_query, virtual_host_bucket="bucket") is None
    with pytest.raises(errors.SignatureDoesNotMatch):
        _verify(headers, path="/key", raw_query="acl", virtual_host_bucket="other")


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
        assert _verify(headers, method="PUT", path=path) is None
    else:
        with pytest.raises(errors.SignatureDoesNotMatch):
            _verify(headers, method="PUT", path=path)


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
    headers = _signed(path="/bucket/a+b")
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
    assert _verify(headers, path="/bucket/a+b/c", raw_path="/bucket/a+b%2fc")
    with pytest.raises(errors.SignatureDoesNotMatch):
        _verify(headers, path="/bucket/a+b/c")


def test_header_values_are_signed_as_the_bytes_that_were_sent():
    value = "grün ☃"
    headers = _signed(headers={"x-amz-meta-a": value.encode().decode("latin-1")})
    assert "x-amz-meta-a" in headers["authorization"]
    assert _verify(headers)


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
    assert _verify(headers)


# Refusals


def test_a_request_without_a_signature_is_anonymous():
    for headers, raw_query in (
        ({}, ""),
        ({"authorization": ""}, "prefix=a"),
        ({"host": "h", "x-amz-date": "x"}, "X-Amz-Date=1&Expires=2&X-Amz-Expires=3"),
    ):
        assert read_signature(headers, raw_query) is None


def test_a_mismatch_shows_what_was_signed_here():
    headers = _signed()
    with pytest.raises(errors.SignatureDoesNotMatch) as caught:
        _verify(headers, secret_key="other")
    members = caught.value.members
    assert members["AWSAccessKeyId"] == ACCESS_KEY_ID
    assert members["SignatureProvided"] == headers["authorization"][-64:]
    assert bytes.fromhex(members["StringToSignBytes"]).decode() == members["StringToSign"]
    assert bytes.fromhex(members["CanonicalRequestBytes"]).decode() == members["CanonicalRequest"]
    assert members["StringToSign"].endswith(hashlib.sha256(members["CanonicalRequest"].encode()).hexdigest())
    assert members["CanonicalRequest"].startswith("GET\n/bucket/key\n\nhost:127.0.0.1:9000\n")


@pytest.mark.parametrize("age", [timedelta(minutes=15, seconds=1), timedelta(minutes=-15, seconds=-1)])
def test_a_skewed_clock_is_refused_with_both_times(age):
    with pytest.raises(errors.RequestTimeTooSkewed) as caught:
        _verify(_signed(), now=NOW + age)
    assert caught.value.members == {
        "RequestTime": "20130524T000000Z",
        "ServerTime": timestamps.format_iso8601_seconds(NOW + age),
        "MaxAllowedSkewMilliseconds": "900000",
    }
    assert _verify(_signed(), now=NOW + age * 0.99)


def test_headers_of_amazon_must_be_signed():
    headers = _signed() | {"x-amz-meta-b": "1", "x-amz-acl": "public-read", "content-type": "a/b", "range": "bytes=0-"}
    with pytest.raises(errors.AccessDenied, match="which were not signed") as caught:
        _verify(headers)
    assert caught.value.members == {"HeadersNotSigned": "x-amz-meta-b, x-amz-acl"}


def test_the_host_must_be_signed():
    headers = _signed()
    headers["authorization"] = headers["authorization"].replace("SignedHeaders=host;", "SignedHeaders=")
    with pytest.raises(errors.AccessDenied) as caught:
        _verify(headers)
    assert caught.value.members == {"HeadersNotSigned": "host"}


def test_presigned_urls_cover_amazon_s_headers_but_for_the_payload_s_hash():
    url = presign.presign_v4(CREDENTIALS, method="PUT", endpoint=ENDPOINT, path="/bucket/key", now=NOW)
    raw_query = urlsplit(url).query
    headers = {"host": "127.0.0.1:9000", "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    presented = read_signature(headers, raw_query)
    assert presented is not None
    assert presented.payload.mode is PayloadMode.STREAMING_UNSIGNED_TRAILER
    assert _verify(headers, method="PUT", raw_query=raw_query)
    with pytest.raises(errors.AccessDenied) as caught:
        _verify(headers | {"x-amz-acl": "public-read"}, method="PUT", raw_query=raw_query)
    assert caught.value.members == {"HeadersNotSigned": "x-amz-acl"}


SCOPE = f"{ACCESS_KEY_ID}/20130524/us-east-1/s3/aws4_request"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("Credential=", "Cred=", "requires three components"),
        ("SignedHeaders=", "X=", "requires three components"),
        (", Signature=", ", Sig=", "requires three components"),
        (SCOPE, "nonsense", "the Credential is mal-formed"),
        (SCOPE, SCOPE.removeprefix(ACCESS_KEY_ID), "the Credential is mal-formed"),
        ("/20130524/", "/2013052/", "incorrect date format"),
        ("/20130524/", "/20130525/", "Invalid credential date"),
        ("/s3/", "/ec2/", "incorrect service"),
        ("aws4_request", "aws4_reque", "incorrect terminal"),
        ("SignedHeaders=host;", "SignedHeaders=ho\nst;", "not a list of header names"),
    ],
)
def test_a_malformed_authorization_header_is_refused_in_s3_s_words(old, new, problem):
    headers = _signed()
    headers["authorization"] = headers["authorization"].replace(old, new)
    with pytest.raises(errors.AuthorizationHeaderMalformed, match=problem):
        read_signature(headers, "")


def test_a_wrong_region_names_the_right_one():
    arguments = {"region": "eu-1", "accepted_regions": frozenset({"eu-1", "eu-2"})}
    with pytest.raises(errors.AuthorizationHeaderMalformed, match="the region 'us-east-1' is wrong") as caught:
        read_signature(_signed(), "", **arguments)
    assert caught.value.members == {"Region": "eu-1"}
    url = presign.presign_v4(CREDENTIALS, method="GET", endpoint=ENDPOINT, path="/", now=NOW)
    with pytest.raises(errors.AuthorizationQueryParametersError, match="expecting 'eu-1'") as caught:
        read_signature({}, urlsplit(url).query, **arguments)
    assert caught.value.members == {"Region": "eu-1"}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("X-Amz-Date=20130524T000000Z&", "", "requires the X-Amz-Algorithm"),
        ("X-Amz-Algorithm=AWS4-HMAC-SHA256&", "", "requires the X-Amz-Algorithm"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512", "only supports"),
        ("20130524T000000Z", "yesterday", "ISO8601 Long Format"),
        ("Expires=60", "Expires=x", "should be a number"),
        ("Expires=60", "Expires=%D9%A3", "should be a number"),
        ("Expires=60", "Expires=-1", "non-negative"),
        ("Expires=60", "Expires=604801", "less than a week"),
        ("us-east-1%2Fs3", "us-east-1%2Fec2", "Error parsing the X-Amz-Credential parameter; incorrect service"),
        ("%2F20130524%2F", "%2F20130523%2F", "Invalid credential date"),
        ("SignedHeaders=host", "SignedHeaders=ho%0Ast", "not a list of header names"),
    ],
)
def test_malformed_query_parameters_are_refused_in_s3_s_words(old, new, problem):
    url = presign.presign_v4(CREDENTIALS, method="GET", endpoint=ENDPOINT, path="/b", expires_seconds=60, now=NOW)
    raw_query = urlsplit(url).query
    assert old in raw_query
    with pytest.raises(errors.AuthorizationQueryParametersError, match=problem):
        read_signature({"host": "127.0.0.1:9000"}, raw_query.replace(old, new))


def test_a_week_is_the_longest_life():
    url = presign.presign_v4(CREDENTIALS, method="GET", endpoint=ENDPOINT, path="/b", expires_seconds=604800, now=NOW)
    presented = read_signature({}, urlsplit(url).query)
    assert presented is not None
    assert presented.expires_seconds == 604800


def test_header_and_query_together_are_refused():
    url = presign.presign_v4(CREDENTIALS, method="GET", endpoint=ENDPOINT, path="/b", now=NOW)
    for raw_query in (urlsplit(url).query, "AWSAccessKeyId=a&Signature=b&Expires=1"):
        with pytest.raises(errors.InvalidArgument, match="Only one auth mechanism allowed"):
            read_signature(_signed(), raw_query)


@pytest.mark.parametrize("scheme", ["Bearer x", "Basic eDp5", "AWS4-HMAC-SHA512 Credential=x", "HAHAHA"])
def test_other_authorization_types_are_refused(scheme):
    with pytest.raises(errors.InvalidArgument, match="Unsupported Authorization Type") as caught:
        read_signature({"authorization": scheme}, "")
    assert caught.value.members["ArgumentName"] == "Authorization"


def test_version_4a_is_not_implemented():
    for headers, raw_query in (
        ({"authorization": "AWS4-ECDSA-P256-SHA256 Credential=x"}, ""),
        ({}, "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Signature=a"),
        (_signed() | {"x-amz-content-sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"}, ""),
    ):
        with pytest.raises(errors.NotImplemented):
            read_signature(headers, raw_query)


@pytest.mark.parametrize(
    "dates",
    [{}, {"date": "Bad Date"}, {"date": ""}, {"x-amz-date": "2013"}, {"date": "Tue, 07 Jul 1950 21:53:04 GMT"}],
)
def test_a_request_without_a_valid_date_is_refused(dates):
    with pytest.raises(errors.AccessDenied, match="valid Date or x-amz-date header"):
        read_signature({"host": "h", "authorization": f"AWS {ACCESS_KEY_ID}:c2ln"} | dates, "")


@pytest.mark.parametrize("year", [2010, 9999])
def test_version_2_clocks_must_agree_too(year):
    headers = {"date": f"Tue, 07 Jul {year} 21:53:04 GMT", "authorization": "AWS a:b"}
    with pytest.raises(errors.RequestTimeTooSkewed):
        _verify(headers)


@pytest.mark.parametrize("value", ["AWS HAHAHA", "AWS", "AWS :sig", "AWS key:"])
def test_a_malformed_version_2_header_is_refused(value):
    with pytest.raises(errors.InvalidArgument):
        read_signature({"authorization": value, "date": timestamps.format_http_date(NOW)}, "")


@pytest.mark.parametrize(
    ("raw_query", "problem"),
    [
        ("AWSAccessKeyId=a&Signature=b", "requires the Signature, Expires and AWSAccessKeyId"),
        ("AWSAccessKeyId=a&Signature=b&Expires=soon", "Invalid date"),
        ("AWSAccessKeyId=a&Signature=b&Expires=1369353600000000", "Invalid date"),
    ],
)
def test_a_malformed_version_2_query_is_refused(raw_query, problem):
    with pytest.raises(errors.AccessDenied, match=problem):
        read_signature({}, raw_query)


def test_version_2_believes_the_session_token_that_it_signs():
    raw_query = "AWSAccessKeyId=a&Signature=b&Expires=1&x-amz-security-token=unsigned"
    presented = read_signature({"x-amz-security-token": "signed"}, raw_query)
    assert presented is not None
    assert presented.session_token == "signed"


# The payload's declaration


@pytest.mark.parametrize("mode", [mode for mode in PayloadMode if mode is not PayloadMode.SIGNED])
def test_payload_modes_are_read_from_the_header(mode):
    presented = read_signature(_signed(payload_hash=mode.value), "")
    assert presented is not None
    assert presented.payload.mode is mode
    assert presented.payload.sha256_hex is None


def test_a_signed_payload_names_its_hash():
    presented = read_signature(_signed(payload=b"hello"), "")
    assert presented is not None
    assert presented.payload.sha256_hex == hashlib.sha256(b"hello").hexdigest()


def test_an_unknown_payload_value_is_refused_and_a_missing_one_asked_for():
    headers = _signed()
    with pytest.raises(errors.InvalidArgument, match="x-amz-content-sha256 must be"):
        read_signature(headers | {"x-amz-content-sha256": "invalid"}, "")
    del headers["x-amz-content-sha256"]
    with pytest.raises(errors.InvalidRequest, match="Missing required header for this request: x-amz-content-sha256"):
        read_signature(headers, "")


def test_unsigned_clients_announce_trailers_by_the_content_encoding():
    assert read_payload_declaration({}).mode is PayloadMode.UNSIGNED
    assert (
        read_payload_declaration({"content-encoding": "gzip,aws-chunked"}).mode
        is PayloadMode.STREAMING_UNSIGNED_TRAILER
    )


def test_version_2_cannot_sign_chunks():
    headers = {
        "authorization": "AWS a:b",
        "date": timestamps.format_http_date(NOW),
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    }
    with pytest.raises(errors.InvalidRequest):
        read_signature(headers, "")


# Tampering


def _flips(text):
    for position, character in enumerate(text):
        yield text[:position] + chr(ord(character) ^ 1) + text[position + 1 :]


def test_a_flipped_character_anywhere_in_a_signed_request_is_refused():
    raw_query = "prefix=a%20b&list-type=2"
    metadata = {"x-amz-meta-a": "some value", "range": "bytes=0-9"}
    headers = _signed(path="/bucket/ünï key", query=[("prefix", "a b"), ("list-type", "2")], headers=metadata)
    request = {"path": "/bucket/ünï key", "raw_query": raw_query}
    assert _verify(headers, **request)
    for name, original in headers.items():
        for value in _flips(original):
            with pytest.raises(errors.S3Error):
                _verify(headers | {name: value}, **request)
    for name, original in request.items():
        for value in _flips(original):
            with pytest.raises(errors.S3Error):
                _verify(headers, **request | {name: value})
    with pytest.raises(errors.SignatureDoesNotMatch):
        _verify(headers, method="PUT", **request)


def test_a_flipped_character_anywhere_in_a_presigned_query_is_refused():
    url = presign.presign_v4(
        CREDENTIALS, method="GET", endpoint=ENDPOINT, path="/bucket/key", query=[("versionId", "a b")], now=NOW
    )
    raw_query = urlsplit(url).query
    headers = {"host": "127.0.0.1:9000"}
    assert _verify(headers, raw_query=raw_query)
    for tampered in [*_flips(raw_query), raw_query + "&acl", "acl&" + raw_query, raw_query.replace("%20", "%2B")]:
        with pytest.raises(errors.S3Error):
            _verify(headers, raw_query=tampered)


def test_a_literal_plus_is_a_space_and_nothing_else():
    headers = _signed(query=[("prefix", "a+b")])
    assert _verify(headers, raw_query="prefix=a%2Bb")
    with pytest.raises(errors.SignatureDoesNotMatch):
        _verify(headers, raw_query="prefix=a+b")


AUTHORIZATION_TEXTS = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="AWS4-HMACS256 Credential=/,;:SignedHeaders0123us-t", max_size=120),
    st.builds("AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={}".format, WORDS, WORDS, WORDS),
    st.builds("AWS {}:{}".format, WORDS, WORDS),
)
V4_PARAMETERS = ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"]
QUERY_TEXTS = st.lists(
    st.builds(
        "{}={}".format,
        st.sampled_from(["x", "AWSAccessKeyId", "Signature", "Expires", *(f"X-Amz-{name}" for name in V4_PARAMETERS)]),
        st.one_of(st.text(max_size=20), st.sampled_from(["AWS4-HMAC-SHA256", SCOPE, "20130524T000000Z", "60", "host"])),
    ),
    max_size=9,
).map("&".join)


@given(AUTHORIZATION_TEXTS, QUERY_TEXTS, st.sampled_from(["20130524T000000Z", "", "99999999T999999Z"]), HEADER_VALUES)
@settings(max_examples=300, deadline=None)
def test_nonsense_raises_s3_errors_alone(authorization, raw_query, date, payload):
    headers = {"host": "h", "authorization": authorization, "x-amz-date": date, "x-amz-content-sha256": payload}
    for candidate in (headers, {"host": "h"}):
        try:
            presented = read_signature(candidate, raw_query)
        except errors.S3Error:
            continue
        if presented is not None:
            with pytest.raises(errors.S3Error):
                verify_signature(
                    presented,
                    secret_key=SECRET_KEY,
                    method="GET",
                    path="/",
                    raw_query=raw_query,
                    headers=candidate,
                    now=NOW,
                )
