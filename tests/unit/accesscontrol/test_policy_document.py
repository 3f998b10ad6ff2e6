"""What is a policy, and what is said about what is none."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accesscontrol.policy import PolicyError, PolicyKind, parse_policy
from tests.unit.accesscontrol.cast import ROOT, policy, request, statement, text


def refusal(document: str, bucket: str | None = "b", kind: PolicyKind = PolicyKind.RESOURCE) -> str:
    with pytest.raises(PolicyError) as caught:
        parse_policy(document, kind, bucket)
    return str(caught.value)


@pytest.mark.parametrize("document", ["", "no json", "[]", '"x"', "null", "{" * 100_000, "[" * 100_000, '{"a":'])
def test_what_is_no_json_object_is_refused(document: str) -> None:
    assert refusal(document) == "Policies must be valid JSON and the first byte must be '{'"


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"Version": "2012-10-17"}, "Missing required field Statement"),
        ({"Version": "2012-10-17", "Statement": []}, "Missing required field Statement"),
        ({"Version": "2012-10-17", "Statement": ["x"]}, "Missing required field Statement"),
        ({"Version": "2013-10-17", "Statement": [statement()]}, "The policy must contain a valid version string"),
        ({"Version": "2012-10-17", "Statement": [statement()], "Foo": 1}, "Unknown field Foo"),
    ],
)
def test_a_document_has_just_its_members(document: dict[str, object], complaint: str) -> None:
    assert refusal(json.dumps(document)) == complaint


def test_a_member_that_is_there_twice_is_refused() -> None:
    assert refusal('{"Version": "2012-10-17", "Version": "2012-10-17"}') == "Duplicate field in the policy"


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"Effect": "allow"}, "Invalid effect: allow"),
        ({"Effect": None}, "Invalid effect: None"),
        ({"Effct": "Allow"}, "Unknown field Effct"),
        ({"Action": "s3:GetObjekt"}, "Policy has invalid action"),
        ({"Action": "GetObject"}, "Policy has invalid action"),
        ({"Action": []}, "Policy has invalid action"),
        ({"Action": "iam:CreateUser"}, "Policy has invalid action"),
        ({"Action": 3}, "Policy has invalid action"),
        ({"Resource": "arn:aws:s3:::other/*"}, "Policy has invalid resource"),
        ({"Resource": "arn:aws:s3:::b-side/*"}, "Policy has invalid resource"),
        ({"Resource": "arn:aws:s3:::bb"}, "Policy has invalid resource"),
        ({"Resource": "b/*"}, "Policy has invalid resource"),
        ({"Resource": "arn:aws:s3:::b/${nothing}"}, "Policy has invalid resource"),
        ({"Resource": []}, "Policy has invalid resource"),
        ({"Principal": "root"}, "Invalid principal in policy"),
        ({"Principal": {"AWS": "12345"}}, "Invalid principal in policy"),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:user/*"}}, "Invalid principal in policy"),
        ({"Principal": {"Other": "*"}}, "Invalid principal in policy"),
        ({"Principal": {}}, "Invalid principal in policy"),
        ({"Principal": {"CanonicalUser": "me"}}, "Invalid principal in policy"),
        ({"NotPrincipal": {"AWS": "111122223333"}}, "Allow with NotPrincipal is not allowed."),
        (
            {"Effect": "Deny", "Principal": "*", "NotPrincipal": "*"},
            "Statement must not contain both Principal and NotPrincipal",
        ),
        (
            {"NotResource": "arn:aws:s3:::b/x", "Resource": "*"},
            "Statement must not contain both Resource and NotResource",
        ),
        ({"Condition": {"StringSame": {"aws:Referer": "x"}}}, "Invalid Condition type : StringSame"),
        (
            {"Condition": {"ForSome:StringEquals": {"aws:Referer": "x"}}},
            "Invalid Condition type : ForSome:StringEquals",
        ),
        ({"Condition": {"NullIfExists": {"aws:Referer": "true"}}}, "Invalid Condition type : NullIfExists"),
        ({"Condition": {"StringEquals": {"Referer": "x"}}}, "Policy has an invalid condition key"),
        ({"Condition": {"StringEquals": {"aws:Refferer": "x"}}}, "Policy has an invalid condition key"),
        ({"Condition": {"StringEquals": {"s3:ExistingObjectTag": "x"}}}, "Policy has an invalid condition key"),
        (
            {"Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "arn:aws:s3:::b/*"},
            "Action does not apply to any resource(s) in statement",
        ),
        ({"Condition": {"StringEquals": {"aws:Referer": []}}}, "A condition needs a value"),
        ({"Condition": {"StringEquals": {"aws:Referer": {}}}}, "Invalid value in a condition"),
        (
            {"Condition": {"IpAddress": {"aws:SourceIp": "300.1.1.1"}}},
            "Invalid value in the condition IpAddress of aws:SourceIp",
        ),
        (
            {"Condition": {"NumericEquals": {"s3:max-keys": "ten"}}},
            "Invalid value in the condition NumericEquals of s3:max-keys",
        ),
        (
            {"Condition": {"DateLessThan": {"aws:CurrentTime": "soon"}}},
            "Invalid value in the condition DateLessThan of aws:CurrentTime",
        ),
        (
            {"Condition": {"DateLessThan": {"aws:EpochTime": 10**30}}},
            "Invalid value in the condition DateLessThan of aws:EpochTime",
        ),
        ({"Condition": []}, "Condition must be an object"),
        ({"Sid": 7}, "Invalid statement id"),
    ],
)
def test_a_statement_that_cannot_be_is_refused_with_the_reason(changed: dict[str, object], complaint: str) -> None:
    assert refusal(text(statement(**changed))) == complaint


@pytest.mark.parametrize("missing", ["Effect", "Action", "Resource", "Principal"])
def test_a_statement_needs_its_members(missing: str) -> None:
    incomplete = {name: value for name, value in statement().items() if name != missing}
    assert refusal(text(incomplete)) == f"Missing required field {missing}"


def test_ids_of_statements_are_unique_but_in_bucket_policies() -> None:
    twice = [statement(kind="identity", Sid="one"), statement(kind="identity", Sid="one")]
    assert "must be unique" in refusal(text(*twice), None, PolicyKind.IDENTITY)
    assert len(policy(statement(Sid="one"), statement(Sid="one")).statements) == 2


def test_an_identity_policy_names_no_principal() -> None:
    assert "principal" in refusal(text(statement()), None, PolicyKind.IDENTITY)


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": "*"},
        {"AWS": ["111122223333", "arn:aws:iam::444455556666:root"]},
        {"AWS": "arn:aws:iam::111122223333:user/team/alice"},
        {"AWS": "arn:aws:iam::111122223333:role/deploy"},
        {"AWS": "arn:aws:sts::111122223333:assumed-role/deploy/session"},
        {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
        {"Service": "logging.s3.amazonaws.com"},
        {"Federated": "cognito-identity.amazonaws.com", "AWS": "111122223333"},
    ],
)
def test_every_form_of_principal_is_taken(principal: object) -> None:
    assert len(policy(statement(Principal=principal)).statements) == 1


@pytest.mark.parametrize(
    "resource", ["*", "arn:aws:s3:::*", "arn:aws:s3:::b", "arn:aws:s3:::b*", "arn:aws:s3:::b/${aws:username}/*"]
)
def test_resources_may_be_patterns_that_reach_the_bucket(resource: str) -> None:
    assert len(policy(statement(Action="s3:*", Resource=resource)).statements) == 1


def test_actions_know_no_case() -> None:
    assert policy(statement(Action="S3:getobject")).statements_about("s3:GetObject")


def test_a_text_is_compiled_once() -> None:
    document = text(statement(Sid="once"))
    assert parse_policy(document) is parse_policy(document)


def test_variables_are_text_in_the_old_version() -> None:
    old = policy(statement(Resource="arn:aws:s3:::b/${aws:username}"), version="2008-10-17").statements[0]
    asked = request(ROOT, resource="arn:aws:s3:::b/${aws:username}")
    assert old.covers(asked)


ELEMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*statement(), "Sid", "Condition", "NotResource"]), ELEMENTS, max_size=4))
def test_no_document_does_anything_but_compile_or_be_refused(changed: dict[str, object]) -> None:
    with suppress(PolicyError):
        parse_policy(text({**statement(), **changed}), PolicyKind.RESOURCE, "b")


@given(
    st.sampled_from(["NumericEquals", "DateEquals", "IpAddress", "Bool", "BinaryEquals", "ArnLike", "StringLike"]),
    ELEMENTS,
)
def test_no_value_of_a_condition_does_either(operator: str, value: object) -> None:
    with suppress(PolicyError):
        parsed = parse_policy(text(statement(Condition={operator: {"aws:Key": value}})))
        for found in ("", "1", "9" * 40, "2026-01-01", "arn:aws:s3:::b", "::1", "1e9999999"):
            parsed.statements[0].covers(request(ROOT, aws__Key=found))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:*", "arn:aws:s3:::b"),
        ("s3:Get*", "arn:aws:s3:::b/*"),
        ("s3:ListBucket", "arn:aws:s3:::b*"),
        ("s3:GetObject", "*"),
        ("s3:GetObject", "arn:aws:s3:::b"),
    ],
)
def test_an_action_with_wildcards_or_such_a_resource_fits_somewhere(action: str, resource: str) -> None:
    assert parse_policy(text(statement(Action=action, Resource=resource)), bucket="b").statements


def test_keys_of_identity_providers_are_not_known_by_name() -> None:
    condition = {"StringEquals": {"login.example.org/realm:sub": "x"}}
    assert parse_policy(text(statement(Condition=condition)), bucket="b").statements
