"""Policies of forms: read, refused, and compared with what a form holds."""

import base64
import contextlib
import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3protocol import errors
from s3protocol.post_policy import check_policy, parse_policy
from s3protocol.signatures.post import read_post_signature, verify_post_signature

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = "2026-01-03T00:00:00Z"
FIELDS = {
    "bucket": "b",
    "key": "foo/x",
    "policy": "…",
    "x-amz-signature": "…",
    "x-ignore-me": "1",
    "x-amz-checksum-crc32": "…",
}


def encoded(document):
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.b64encode(text.encode()).decode()


def policy(*conditions, expiration=LATER):
    return parse_policy(encoded({"expiration": expiration, "conditions": list(conditions)}))


BUCKET, KEY = {"bucket": "b"}, ["starts-with", "$key", "foo/"]


def test_a_form_that_its_policy_covers_passes():
    check_policy(policy(BUCKET, KEY), FIELDS, now=NOW)
    check_policy(policy({"bUcKeT": "b"}, ["EQ", "$KEY", "foo/x"]), FIELDS, now=NOW)
    check_policy(policy(BUCKET, KEY, ["starts-with", "$tagging", ""]), FIELDS, now=NOW)


@pytest.mark.parametrize(
    "conditions",
    [
        [BUCKET],
        [KEY],
        [BUCKET, KEY, {"acl": "private"}],
        [{"bucket": "B"}, KEY],
        [BUCKET, ["starts-with", "$key", "Foo"]],
        [BUCKET, KEY, ["starts-with", "$x-amz-meta-a", "b"]],
    ],
)
def test_a_condition_that_fails_or_a_field_without_one_is_denied(conditions):
    with pytest.raises(errors.AccessDenied):
        check_policy(policy(*conditions), FIELDS, now=NOW)


def test_a_policy_ends():
    with pytest.raises(errors.AccessDenied):
        check_policy(policy(BUCKET, KEY), FIELDS, now=NOW + timedelta(days=1))


def test_each_content_type_of_a_list_must_do():
    condition = ["starts-with", "$Content-Type", "image/"]
    fields = {**FIELDS, "content-type": "image/png,image/gif"}
    check_policy(policy(BUCKET, KEY, condition), fields, now=NOW)
    with pytest.raises(errors.AccessDenied):
        check_policy(policy(BUCKET, KEY, condition), {**fields, "content-type": "image/png,text/html"}, now=NOW)


def test_a_size_range_is_read():
    read = policy(["content-length-range", 1, "10"])
    assert (read.size_bytes_min, read.size_bytes_max) == (1, 10)


def test_a_dollar_sign_may_be_escaped():
    document = '{"expiration": "2026-01-03T00:00:00Z", "conditions": [{"bucket": "b"}, ["eq", "$key", "\\$5 \\\\$"]]}'
    assert parse_policy(encoded(document)).conditions[1].value == "$5 \\$"


@pytest.mark.parametrize(
    "document",
    [
        "no base64!",
        encoded("no json"),
        encoded([]),
        encoded({"conditions": []}),
        encoded({"expiration": LATER}),
        encoded({"EXPIRATION": LATER, "conditions": []}),
        encoded({"expiration": "tomorrow", "conditions": []}),
        encoded({"expiration": "2026-01-03", "conditions": []}),
        encoded({"expiration": 5, "conditions": []}),
        *(
            encoded({"expiration": LATER, "conditions": [condition]})
            for condition in (
                {},
                {"a": "1", "b": "2"},
                {"a": 1},
                "a",
                [],
                ["eq", "$key"],
                ["eq", "key", "x"],
                ["like", "$key", "x"],
                ["eq", "$", "x"],
                ["content-length-range", 0],
                ["content-length-range", -1, 0],
                ["content-length-range", 2, 1],
                ["content-length-range", "a", 1],
                ["content-length-range", True, 1],
            )
        ),
    ],
)
def test_what_is_no_policy_is_refused(document):
    with pytest.raises(errors.InvalidPolicyDocument):
        parse_policy(document)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_a_policy_or_refused(document):
    for stated in (document, {"expiration": LATER, "conditions": [document]}):
        with contextlib.suppress(errors.InvalidPolicyDocument):
            parse_policy(encoded(stated))


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_botos_signatures_are_good_and_damaged_ones_are_not(version):
    from botocore.config import Config

    client = boto3.client(
        "s3", "us-east-1", aws_access_key_id="AK", aws_secret_access_key="SK", config=Config(signature_version=version)
    )
    fields = {name.lower(): value for name, value in client.generate_presigned_post("b", "k")["fields"].items()}
    presented = read_post_signature(fields, region="us-east-1")
    assert presented is not None
    assert presented.access_key_id == "AK"
    verify_post_signature(presented, secret_key="SK")
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify_post_signature(presented, secret_key="sk")
    check_policy(parse_policy(fields["policy"]), {**fields, "bucket": "b"}, now=datetime.now(UTC))
    for name in {"policy", "signature", "awsaccesskeyid", "x-amz-signature", "x-amz-date"} & fields.keys():
        with pytest.raises(errors.InvalidArgument):
            read_post_signature({one: value for one, value in fields.items() if one != name}, region="us-east-1")
    for signature in ("", "é", "!!", "AAAA"):
        damaged = {**fields, "signature" if version == "s3" else "x-amz-signature": signature or "0"}
        again = read_post_signature(damaged, region="us-east-1")
        assert again is not None
        with pytest.raises(errors.SignatureDoesNotMatch):
            verify_post_signature(again, secret_key="SK")


def test_a_form_without_policy_and_signature_is_anonymous():
    assert read_post_signature({"key": "k"}, region="us-east-1") is None
