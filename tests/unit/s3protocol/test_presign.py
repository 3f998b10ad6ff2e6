"""Making signatures: what is signed here equals AWS's worked examples and botocore's own, and verifies."""

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from s3protocol import errors, timestamps
from s3protocol.presign import SigningCredentials, encode_path, encode_query, presign_v4, sign_request_v4
from s3protocol.signatures import read_signature, verify_signature

DOCUMENTATION = json.loads((Path(__file__).parents[2] / "data" / "sigv4" / "s3_documentation.json").read_text())
NOW = timestamps.parse_basic(DOCUMENTATION["now"])
CREDENTIALS = SigningCredentials(DOCUMENTATION["access_key_id"], DOCUMENTATION["secret_key"])
ENDPOINT = "https://s3.example.org:9000"
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
# No names that the signature itself takes.
QUERIES = st.dictionaries(TEXTS.filter(lambda name: not name.lower().startswith("x-amz-")), TEXTS, max_size=3)


@pytest.mark.parametrize("case", DOCUMENTATION["header_requests"], ids=lambda case: case["name"])
def test_signed_headers_are_those_of_the_documentation(case):
    headers = sign_request_v4(
        CREDENTIALS,
        method=case["method"],
        endpoint=f"https://{case['host']}",
        path=case["path"],
        query=parse_qsl(case["query"], keep_blank_values=True),
        headers=case["headers"],
        payload_hash=case["payload_hash"],
        now=NOW,
    )
    assert headers["authorization"].endswith(f", Signature={case['signature']}")


def test_a_presigned_url_is_that_of_the_documentation():
    case = DOCUMENTATION["presigned"]
    url = presign_v4(
        CREDENTIALS,
        method=case["method"],
        endpoint=f"https://{case['host']}:443",
        path=case["path"],
        expires_seconds=case["expires_seconds"],
        now=NOW,
    )
    assert url.endswith(f"&X-Amz-Signature={case['signature']}")


@given(TEXTS, QUERIES, st.sampled_from([None, "token+/="]))
def test_presigned_urls_verify_and_equal_botocore_s(key, query, token):
    credentials = SigningCredentials("AKID", "secret", token, region="eu-west-9")
    path = f"/bucket/{key}"
    now = datetime.now(UTC)
    url = presign_v4(
        credentials, method="PUT", endpoint=ENDPOINT, path=path, query=query.items(), expires_seconds=60, now=now
    )
    parts = urlsplit(url)
    headers = {"host": parts.netloc}
    presented = read_signature(headers, parts.query)
    assert presented is not None
    assert presented.session_token == token
    assert verify_signature(
        presented,
        secret_key="secret",
        method="PUT",
        path=unquote(parts.path),
        raw_query=parts.query,
        headers=headers,
        now=now,
    )
    request = AWSRequest("PUT", f"{ENDPOINT}{quote(path, safe='/~')}?{encode_query(query.items())}")
    S3SigV4QueryAuth(Credentials("AKID", "secret", token), "s3", "eu-west-9", expires=60).add_auth(request)
    theirs = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
    if theirs["X-Amz-Date"] == presented.timestamp_text:  # botocore reads the clock itself
        assert theirs == dict(parse_qsl(parts.query, keep_blank_values=True))


@given(TEXTS, QUERIES, st.sampled_from([None, "token+/="]))
def test_signed_headers_equal_botocore_s(key, query, token):
    path = f"/bucket/{key}"
    url = f"{ENDPOINT}{encode_path(path)}?{encode_query(query.items())}"
    request = AWSRequest("GET", url, headers={"Range": "bytes=0-9"})
    S3SigV4Auth(Credentials("AKID", "secret", token), "s3", "eu-west-9").add_auth(request)
    ours = sign_request_v4(
        SigningCredentials("AKID", "secret", token, region="eu-west-9"),
        method="GET",
        endpoint=ENDPOINT,
        path=path,
        query=query.items(),
        headers={"Range": "bytes=0-9"},
        now=timestamps.parse_basic(request.headers["X-Amz-Date"]),
    )
    assert ours.pop("host") == "s3.example.org:9000"
    assert ours == {name.lower(): value for name, value in request.headers.items()}


def test_headers_named_in_a_presigned_url_must_be_sent():
    url = presign_v4(
        CREDENTIALS,
        method="PUT",
        endpoint=ENDPOINT,
        path="/b/k",
        headers={"Content-Type": "text/plain"},
        expires_seconds=60,
        now=NOW,
    )
    raw_query = urlsplit(url).query
    assert "X-Amz-SignedHeaders=content-type%3Bhost&" in raw_query
    arguments = {"method": "PUT", "path": "/b/k", "raw_query": raw_query, "now": NOW}
    for content_type, is_accepted in (("text/plain", True), ("text/html", False), (None, False)):
        headers = {"host": "s3.example.org:9000"} | ({"content-type": content_type} if content_type else {})
        presented = read_signature(headers, raw_query)
        assert presented is not None
        verify = partial(verify_signature, presented, secret_key=CREDENTIALS.secret_key, headers=headers, **arguments)
        if is_accepted:
            assert verify()
        else:
            with pytest.raises(errors.SignatureDoesNotMatch):
                verify()


@pytest.mark.parametrize("expires_seconds", [0, -1, 604801])
def test_a_life_beyond_a_week_is_our_mistake(expires_seconds):
    with pytest.raises(AssertionError):
        presign_v4(CREDENTIALS, method="GET", endpoint=ENDPOINT, path="/", expires_seconds=expires_seconds, now=NOW)


def test_secrets_stay_out_of_representations():
    credentials = SigningCredentials("AKID", "very secret", "very token")
    assert "very" not in repr(credentials)
