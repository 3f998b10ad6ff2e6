"""What conditions see of a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accesscontrol.principal import ANONYMOUS
from accesscontrol.request_facts import RequestFacts, context_values
from s3protocol.signatures import PayloadDeclaration, PayloadMode, PresentedSignature, SignatureKind
from tests.unit.accesscontrol.cast import ALICE, OWNER_ID, ROOT

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def signature(kind: SignatureKind) -> PresentedSignature:
    return PresentedSignature(
        kind,
        "AK",
        None,
        (),
        "",
        NOW - timedelta(seconds=5),
        "",
        None,
        None,
        PayloadDeclaration(PayloadMode.UNSIGNED),
        None,
    )


def test_headers_and_query_become_keys() -> None:
    facts = RequestFacts(
        headers={"x-amz-acl": "public-read", "user-agent": "test", "referer": "http://x/", "x-amz-copy-source": "/b/k"},
        query={"prefix": "", "max-keys": "5", "versionId": "v"},
        source_ip="192.0.2.1",
        is_secure=True,
        now=NOW,
        region="eu",
    )
    values = context_values(facts, ANONYMOUS, owner_id=OWNER_ID)
    expected = {
        "s3:x-amz-acl": "public-read",
        "aws:useragent": "test",
        "aws:referer": "http://x/",
        "s3:x-amz-copy-source": "b/k",
        "s3:prefix": "",
        "s3:max-keys": "5",
        "s3:versionid": "v",
        "aws:sourceip": "192.0.2.1",
        "aws:securetransport": "true",
        "aws:currenttime": "2026-01-01T00:00:00+00:00",
        "aws:epochtime": "1767225600",
        "aws:requestedregion": "eu",
        "s3:resourceaccount": OWNER_ID,
        "aws:principaltype": "Anonymous",
    }
    assert {key: values[key] for key in expected} == {key: (value,) for key, value in expected.items()}
    assert "s3:delimiter" not in values
    assert "aws:principalarn" not in values


def test_principals_are_named_as_iam_names_them() -> None:
    root = context_values(RequestFacts(), ROOT, owner_id=None)
    assert root["aws:principaltype"] == ("Account",)
    assert "aws:username" not in root
    user = context_values(RequestFacts(), ALICE, owner_id=None)
    assert user["aws:username"] == ("alice",)
    assert user["aws:principalarn"] == (f"arn:aws:iam::{OWNER_ID}:user/alice",)


def test_tags_come_from_the_object_the_header_and_the_body() -> None:
    facts = RequestFacts(headers={"x-amz-tagging": "a=1&b=2"})
    values = context_values(facts, ROOT, owner_id=OWNER_ID, existing_tags={"old": "x"})
    assert values["s3:existingobjecttag/old"] == ("x",)
    assert values["s3:requestobjecttag/a"] == ("1",)
    assert values["s3:requestobjecttagkeys"] == ("a", "b")
    values = context_values(facts, ROOT, owner_id=OWNER_ID, request_tags={"c": "3"})
    assert values["s3:requestobjecttagkeys"] == ("c",)


@pytest.mark.parametrize(
    ("kind", "version", "auth_type", "age"),
    [
        (SignatureKind.HEADER_V4, "AWS4-HMAC-SHA256", "REST-HEADER", ("5000",)),
        (SignatureKind.QUERY_V4, "AWS4-HMAC-SHA256", "REST-QUERY-STRING", ("5000",)),
        (SignatureKind.HEADER_V2, "AWS", "REST-HEADER", ("5000",)),
        (SignatureKind.QUERY_V2, "AWS", "REST-QUERY-STRING", None),
    ],
)
def test_signatures_tell_their_kind_and_age(
    kind: SignatureKind, version: str, auth_type: str, age: tuple[str] | None
) -> None:
    values = context_values(RequestFacts(now=NOW, signature=signature(kind)), ROOT, owner_id=OWNER_ID)
    assert values["s3:signatureversion"] == (version,)
    assert values["s3:authtype"] == (auth_type,)
    assert values.get("s3:signatureage") == age


def test_a_form_tells_what_its_fields_are_signed_by() -> None:
    values = context_values(RequestFacts(now=NOW, form_algorithm="AWS4-HMAC-SHA256"), ROOT, owner_id=OWNER_ID)
    assert values["s3:signatureversion"] == ("AWS4-HMAC-SHA256",)
    assert values["s3:authtype"] == ("POST",)


def test_tags_that_differ_in_case_alone_share_a_key() -> None:
    values = context_values(RequestFacts(), ROOT, owner_id=OWNER_ID, existing_tags={"Team": "a", "team": "b"})
    assert values["s3:existingobjecttag/team"] == ("a", "b")


@pytest.mark.parametrize(
    "header", ["b/secret/k", "/b/secret/k", "b/s%65cret/k", "%2Fb%2Fsecret%2Fk", "b/secret/k?versionId=v"]
)
def test_a_copy_s_source_is_named_in_one_way(header: str) -> None:
    values = context_values(RequestFacts(headers={"x-amz-copy-source": header}), ROOT, owner_id=OWNER_ID)
    assert values["s3:x-amz-copy-source"] == ("b/secret/k",)


@pytest.mark.parametrize(
    ("lasting", "days"), [(timedelta(days=10), "10"), (timedelta(days=9, seconds=1), "10"), (-timedelta(days=1), "-1")]
)
def test_begun_days_of_retention_count_whole(lasting: timedelta, days: str) -> None:
    headers = {"x-amz-object-lock-retain-until-date": (NOW + lasting).isoformat()}
    values = context_values(RequestFacts(headers=headers, now=NOW), ROOT, owner_id=OWNER_ID)
    assert values["s3:object-lock-remaining-retention-days"] == (days,)
