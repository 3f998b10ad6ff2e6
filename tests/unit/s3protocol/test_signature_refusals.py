"""Request signatures that are refused, in S3's words: malformed, late, of other kinds, or tampered with."""

import hashlib
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3protocol import errors, presign, timestamps
from s3protocol.signatures import (
    PayloadMode,
    read_payload_declaration,
    read_signature,
    verify_signature,
)
from tests.unit.s3protocol.signing import (
    ACCESS_KEY_ID,
    CREDENTIALS,
    ENDPOINT,
    HEADER_VALUES,
    NOW,
    SECRET_KEY,
    WORDS,
    signed,
    verify,
)

# Refusals


def test_a_request_without_a_signature_is_anonymous():
    for headers, raw_query in (
        ({}, ""),
        ({"authorization": ""}, "prefix=a"),
        ({"host": "h", "x-amz-date": "x"}, "X-Amz-Date=1&Expires=2&X-Amz-Expires=3"),
    ):
        assert read_signature(headers, raw_query) is None


def test_a_mismatch_shows_what_was_signed_here():
    headers = signed()
    with pytest.raises(errors.SignatureDoesNotMatch) as caught:
        verify(headers, secret_key="other")
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
        verify(signed(), now=NOW + age)
    assert caught.value.members == {
        "RequestTime": "20130524T000000Z",
        "ServerTime": timestamps.format_iso8601_seconds(NOW + age),
        "MaxAllowedSkewMilliseconds": "900000",
    }
    assert verify(signed(), now=NOW + age * 0.99)


def test_headers_of_amazon_must_be_signed():
    headers = signed() | {"x-amz-meta-b": "1", "x-amz-acl": "public-read", "content-type": "a/b", "range": "bytes=0-"}
    with pytest.raises(errors.AccessDenied, match="which were not signed") as caught:
        verify(headers)
    assert caught.value.members == {"HeadersNotSigned": "x-amz-meta-b, x-amz-acl"}


def test_the_host_must_be_signed():
    headers = signed()
    headers["authorization"] = headers["authorization"].replace("SignedHeaders=host;", "SignedHeaders=")
    with pytest.raises(errors.AccessDenied) as caught:
        verify(headers)
    assert caught.value.members == {"HeadersNotSigned": "host"}


def test_presigned_urls_cover_amazon_s_headers_but_for_the_payload_s_hash():
    url = presign.presign_v4(CREDENTIALS, method="PUT", endpoint=ENDPOINT, path="/bucket/key", now=NOW)
    raw_query = urlsplit(url).query
    headers = {"host": "127.0.0.1:9000", "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    presented = read_signature(headers, raw_query)
    assert presented is not None
    assert presented.payload.mode is PayloadMode.STREAMING_UNSIGNED_TRAILER
    assert verify(headers, method="PUT", raw_query=raw_query)
    with pytest.raises(errors.AccessDenied) as caught:
        verify(headers | {"x-amz-acl": "public-read"}, method="PUT", raw_query=raw_query)
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
    headers = signed()
    headers["authorization"] = headers["authorization"].replace(old, new)
    with pytest.raises(errors.AuthorizationHeaderMalformed, match=problem):
        read_signature(headers, "")


def test_a_wrong_region_names_the_right_one():
    arguments = {"region": "eu-1", "accepted_regions": frozenset({"eu-1", "eu-2"})}
    with pytest.raises(errors.AuthorizationHeaderMalformed, match="the region 'us-east-1' is wrong") as caught:
        read_signature(signed(), "", **arguments)
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
            read_signature(signed(), raw_query)


@pytest.mark.parametrize("scheme", ["Bearer x", "Basic eDp5", "AWS4-HMAC-SHA512 Credential=x", "HAHAHA"])
def test_other_authorization_types_are_refused(scheme):
    with pytest.raises(errors.InvalidArgument, match="Unsupported Authorization Type") as caught:
        read_signature({"authorization": scheme}, "")
    assert caught.value.members["ArgumentName"] == "Authorization"


def test_version_4a_is_not_implemented():
    for headers, raw_query in (
        ({"authorization": "AWS4-ECDSA-P256-SHA256 Credential=x"}, ""),
        ({}, "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Signature=a"),
        (signed() | {"x-amz-content-sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"}, ""),
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
        verify(headers)


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
    presented = read_signature(signed(payload_hash=mode.value), "")
    assert presented is not None
    assert presented.payload.mode is mode
    assert presented.payload.sha256_hex is None


def test_a_signed_payload_names_its_hash():
    presented = read_signature(signed(payload=b"hello"), "")
    assert presented is not None
    assert presented.payload.sha256_hex == hashlib.sha256(b"hello").hexdigest()


def test_an_unknown_payload_value_is_refused_and_a_missing_one_asked_for():
    headers = signed()
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
    headers = signed(path="/bucket/ünï key", query=[("prefix", "a b"), ("list-type", "2")], headers=metadata)
    request = {"path": "/bucket/ünï key", "raw_query": raw_query}
    assert verify(headers, **request)
    for name, original in headers.items():
        for value in _flips(original):
            with pytest.raises(errors.S3Error):
                verify(headers | {name: value}, **request)
    for name, original in request.items():
        for value in _flips(original):
            with pytest.raises(errors.S3Error):
                verify(headers, **request | {name: value})
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(headers, method="PUT", **request)


def test_a_flipped_character_anywhere_in_a_presigned_query_is_refused():
    url = presign.presign_v4(
        CREDENTIALS, method="GET", endpoint=ENDPOINT, path="/bucket/key", query=[("versionId", "a b")], now=NOW
    )
    raw_query = urlsplit(url).query
    headers = {"host": "127.0.0.1:9000"}
    assert verify(headers, raw_query=raw_query)
    for tampered in [*_flips(raw_query), raw_query + "&acl", "acl&" + raw_query, raw_query.replace("%20", "%2B")]:
        with pytest.raises(errors.S3Error):
            verify(headers, raw_query=tampered)


def test_a_literal_plus_is_a_space_and_nothing_else():
    headers = signed(query=[("prefix", "a+b")])
    assert verify(headers, raw_query="prefix=a%2Bb")
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(headers, raw_query="prefix=a+b")


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
