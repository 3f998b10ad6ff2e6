"""The order of evaluation: AWS's tables within and across accounts, its documented examples, and what always holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accesscontrol.policy import Decision, Grant, Outcome, PrincipalPolicies, Reach, evaluate, parse_policy
from accesscontrol.principal import ANONYMOUS, Principal
from tests.unit.accesscontrol.cast import (
    ALICE,
    EVERYBODY,
    OTHER_ID,
    OWNER_ID,
    ROOT,
    STRANGE_USER,
    STRANGER,
    decided,
    identity,
    policy,
    request,
    statement,
    text,
)

ALICE_ALONE = {"AWS": f"arn:aws:iam::{OWNER_ID}:user/alice"}
OWNER_ACCOUNT, OTHER_ACCOUNT = {"AWS": OWNER_ID}, {"AWS": f"arn:aws:iam::{OTHER_ID}:root"}
OWN = PrincipalPolicies((identity(Action="s3:*"),))


@pytest.mark.parametrize(
    ("caller", "named", "own", "is_allowed"),
    [
        (ROOT, None, PrincipalPolicies(), True),
        (ALICE, None, PrincipalPolicies(), False),
        (ALICE, None, OWN, True),
        (ALICE, "*", PrincipalPolicies(), True),
        (ALICE, ALICE_ALONE, PrincipalPolicies(), True),
        (ALICE, OWNER_ACCOUNT, PrincipalPolicies(), False),  # hands over to the account, whose policies say nothing
        (ALICE, OWNER_ACCOUNT, OWN, True),
        (STRANGER, None, PrincipalPolicies(), False),
        (STRANGER, "*", PrincipalPolicies(), True),
        (STRANGER, OTHER_ACCOUNT, PrincipalPolicies(), True),
        (STRANGER, OWNER_ACCOUNT, PrincipalPolicies(), False),
        (STRANGER, {"CanonicalUser": OTHER_ID[0] * 64}, PrincipalPolicies(), True),
        (STRANGE_USER, None, OWN, False),
        (STRANGE_USER, OTHER_ACCOUNT, PrincipalPolicies(), False),  # across accounts, both sides must allow
        (STRANGE_USER, "*", PrincipalPolicies(), False),
        (STRANGE_USER, {"AWS": STRANGE_USER.arn}, PrincipalPolicies(), False),
        (STRANGE_USER, OTHER_ACCOUNT, OWN, True),
        (ANONYMOUS, None, PrincipalPolicies(), False),
        (ANONYMOUS, "*", PrincipalPolicies(), True),
        (ANONYMOUS, {"AWS": "*"}, PrincipalPolicies(), True),
        (ANONYMOUS, OWNER_ACCOUNT, PrincipalPolicies(), False),
        (ANONYMOUS, {"Service": "logging.s3.amazonaws.com"}, PrincipalPolicies(), False),
    ],
)
def test_who_must_allow(*, caller: Principal, named: Any, own: PrincipalPolicies, is_allowed: bool) -> None:
    statements = [] if named is None else [statement(Principal=named)]
    assert decided(request(caller), *statements, principal_policies=own).is_allowed is is_allowed


def test_a_service_is_allowed_by_its_name_alone() -> None:
    logging = replace(ANONYMOUS, user_name="logging")
    service = type(
        "Service", (), {"account_id": None, "canonical_id": "", "is_root": False, "arn": "logging.s3.amazonaws.com"}
    )()
    named = statement(Principal={"Service": "logging.s3.amazonaws.com"}, Action="s3:PutObject")
    assert decided(request(service, "s3:PutObject"), named).is_allowed
    assert not decided(request(logging, "s3:PutObject"), named).is_allowed


def test_a_boundary_limits_what_policies_allow() -> None:
    bounded = PrincipalPolicies(OWN.identity, boundary=identity(Action="s3:PutObject"))
    assert not decided(request(ALICE), principal_policies=bounded).is_allowed
    assert decided(request(ALICE, "s3:PutObject"), principal_policies=bounded).is_allowed
    assert not decided(request(ALICE), statement(), principal_policies=bounded).is_allowed
    assert decided(request(ALICE), statement(Principal=ALICE_ALONE), principal_policies=bounded).is_allowed


def test_a_boundary_gives_nothing() -> None:
    assert not decided(request(ALICE), principal_policies=PrincipalPolicies(boundary=identity())).is_allowed


def test_session_policies_limit_even_root_users() -> None:
    for caller in (ROOT, ALICE):
        limited = PrincipalPolicies(OWN.identity, session=(identity(Action="s3:PutObject"),))
        assert not decided(request(caller), principal_policies=limited).is_allowed
        assert decided(request(caller, "s3:PutObject"), principal_policies=limited).is_allowed
        assert not decided(request(caller), principal_policies=PrincipalPolicies(OWN.identity, session=())).is_allowed


@pytest.mark.parametrize(
    "denying",
    [
        PrincipalPolicies((*OWN.identity, identity(Effect="Deny"))),
        PrincipalPolicies(
            OWN.identity,
            boundary=parse_policy(text(statement(kind="i", Effect="Deny"), statement(kind="i")), "identity"),
        ),  # type: ignore[arg-type]
        PrincipalPolicies(OWN.identity, session=(identity(), identity(Effect="Deny"))),
    ],
)
def test_a_deny_decides_wherever_it_stands(denying: PrincipalPolicies) -> None:
    decision = decided(request(ALICE), statement(Principal=ALICE_ALONE), principal_policies=denying)
    assert decision.outcome == Outcome.EXPLICIT_DENY


def test_a_deny_of_the_bucket_policy_is_for_the_owner_s_root_user_too() -> None:
    assert decided(request(ROOT), statement(Effect="Deny")).outcome == Outcome.EXPLICIT_DENY


@pytest.mark.parametrize(
    ("excepted", "caller", "is_denied"),
    [
        (ALICE_ALONE, ALICE, False),
        (ALICE_ALONE, ROOT, True),
        (OWNER_ACCOUNT, ROOT, False),
        (OWNER_ACCOUNT, ALICE, True),  # naming the account alone does not except its users
        (OWNER_ACCOUNT, STRANGER, True),
        (OWNER_ACCOUNT, ANONYMOUS, True),
    ],
)
def test_a_deny_may_except_principals(*, excepted: Any, caller: Principal, is_denied: bool) -> None:
    decision = decided(request(caller), statement(Effect="Deny", NotPrincipal=excepted))
    assert (decision.outcome == Outcome.EXPLICIT_DENY) is is_denied


def test_the_service_itself_is_open_to_root_users_and_to_whom_policies_allow() -> None:
    for caller, own, is_allowed in [
        (ROOT, PrincipalPolicies(), True),
        (ALICE, PrincipalPolicies(), False),
        (ALICE, PrincipalPolicies((identity(Action="s3:ListAllMyBuckets", Resource="*"),)), True),
        (ANONYMOUS, PrincipalPolicies(), False),
    ]:
        asked = request(caller, "s3:ListAllMyBuckets", "arn:aws:s3:::*")
        assert evaluate(asked, owner_account_id=None, principal_policies=own).is_allowed is is_allowed


def test_grants_of_a_list_work_like_statements() -> None:
    to_account, to_all = Grant("READ to 4", Reach.ACCOUNT), Grant("READ to AllUsers", Reach.EVERYONE)
    assert decided(request(STRANGER), grants=[to_account]).is_allowed
    assert not decided(request(STRANGE_USER), grants=[to_account]).is_allowed
    assert decided(request(STRANGE_USER), grants=[to_account], principal_policies=OWN).is_allowed
    assert not decided(request(ANONYMOUS), grants=[to_account]).is_allowed
    assert decided(request(ANONYMOUS), grants=[to_all]).is_allowed
    assert not decided(request(ANONYMOUS), statement(Effect="Deny"), grants=[to_all]).is_allowed


def test_a_policy_may_be_left_its_denials_only() -> None:
    assert not decided(request(STRANGER), statement(), is_resource_policy_granting=False).is_allowed


def test_the_trace_names_all_that_matched() -> None:
    decision = decided(
        request(STRANGER),
        statement(Sid="all"),
        statement(Sid="put", Action="s3:PutObject"),
        statement(Sid="no", Effect="Deny"),
    )
    assert [(match.name, match.is_allow) for match in decision.trace] == [("all", True), ("no", False)]
    assert decision.reason == "Deny 'no' of the bucket policy"


# The examples of https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html and of the pages on
# condition keys, each with requests that it is to allow and to refuse beside what the owner may anyway.
EXAMPLES: list[tuple[str, list[dict[str, Any]], list[Any], list[Any]]] = [
    (
        "require encryption in transit",
        [
            statement(),
            statement(
                Effect="Deny",
                Action="s3:*",
                Resource=["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
                Condition={"Bool": {"aws:SecureTransport": "false"}},
            ),
        ],
        [request(STRANGER, aws__SecureTransport="true")],
        [request(STRANGER, aws__SecureTransport="false"), request(ROOT, aws__SecureTransport="false")],
    ),
    (
        "require that the bucket owner gets full control",
        [
            statement(
                Action="s3:PutObject",
                Principal=OTHER_ACCOUNT,
                Condition={"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
            )
        ],
        [request(STRANGER, "s3:PutObject", **{"s3__x-amz-acl": "bucket-owner-full-control"})],
        [request(STRANGER, "s3:PutObject"), request(STRANGER, "s3:PutObject", **{"s3__x-amz-acl": "private"})],
    ),
    (
        "a tag decides",
        [
            statement(
                Action=["s3:GetObject", "s3:GetObjectVersion"],
                Condition={"StringEquals": {"s3:ExistingObjectTag/environment": "production"}},
            )
        ],
        [request(STRANGER, **{"s3__ExistingObjectTag/environment": "production"})],
        [request(STRANGER), request(STRANGER, **{"s3__ExistingObjectTag/environment": "test"})],
    ),
    (
        "only these tag keys",
        [
            statement(
                Action="s3:PutObjectTagging",
                Principal=OTHER_ACCOUNT,
                Condition={"ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": ["Owner", "CreationDate"]}},
            )
        ],
        [request(STRANGER, "s3:PutObjectTagging", s3__RequestObjectTagKeys=["Owner", "x"])],
        [
            request(STRANGER, "s3:PutObjectTagging", s3__RequestObjectTagKeys=["x"]),
            request(STRANGER, "s3:PutObjectTagging"),
        ],
    ),
    (
        "addresses, but for some",
        [
            statement(
                Action="s3:*",
                Condition={
                    "IpAddress": {"aws:SourceIp": "192.0.2.0/24"},
                    "NotIpAddress": {"aws:SourceIp": "192.0.2.188/32"},
                },
            )
        ],
        [request(ANONYMOUS, aws__SourceIp="192.0.2.1")],
        [
            request(ANONYMOUS, aws__SourceIp="192.0.2.188"),
            request(ANONYMOUS, aws__SourceIp="198.51.100.1"),
            request(ANONYMOUS),
        ],
    ),
    (
        "a web site's pages",
        [statement(Condition={"StringLike": {"aws:Referer": ["http://www.example.com/*", "http://example.com/*"]}})],
        [request(ANONYMOUS, aws__Referer="http://example.com/index.html")],
        [request(ANONYMOUS, aws__Referer="http://evil.example/"), request(ANONYMOUS)],
    ),
    (
        "a home folder for each user",
        [
            statement(
                Action="s3:ListBucket",
                Resource="arn:aws:s3:::b",
                Condition={"StringLike": {"s3:prefix": ["home/${aws:username}/*"]}},
            ),
            statement(Action="s3:*", Resource="arn:aws:s3:::b/home/${aws:username}/*"),
        ],
        [
            request(ALICE, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix="home/alice/x", aws__username="alice"),
            request(ALICE, "s3:PutObject", "arn:aws:s3:::b/home/alice/x", aws__username="alice"),
        ],
        [
            request(ALICE, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix="home/bob/x", aws__username="alice"),
            request(ALICE, "s3:PutObject", "arn:aws:s3:::b/home/bob/x", aws__username="alice"),
            request(STRANGER, "s3:PutObject", "arn:aws:s3:::b/home//x"),
        ],
    ),
    (
        "at most ten keys",
        [
            statement(Action="s3:ListBucket", Resource="arn:aws:s3:::b", Principal=OTHER_ACCOUNT),
            statement(
                Effect="Deny",
                Action="s3:ListBucket",
                Resource="arn:aws:s3:::b",
                Condition={"NumericGreaterThan": {"s3:max-keys": "10"}},
            ),
        ],
        [request(STRANGER, "s3:ListBucket", "arn:aws:s3:::b", **{"s3__max-keys": "10"})],
        [request(STRANGER, "s3:ListBucket", "arn:aws:s3:::b", **{"s3__max-keys": "11"})],
    ),
    (
        "only encrypted uploads",
        [
            statement(Action="s3:PutObject"),
            statement(
                Effect="Deny", Action="s3:PutObject", Condition={"Null": {"s3:x-amz-server-side-encryption": "true"}}
            ),
        ],
        [request(STRANGER, "s3:PutObject", **{"s3__x-amz-server-side-encryption": "AES256"})],
        [request(STRANGER, "s3:PutObject")],
    ),
    (
        "signatures that are young",
        [
            statement(),
            statement(Effect="Deny", Action="s3:*", Condition={"NumericGreaterThan": {"s3:signatureAge": 600000}}),
        ],
        [request(STRANGER, s3__signatureAge="1000")],
        [request(STRANGER, s3__signatureAge="600001")],
    ),
    (
        "everything but deleting, everywhere but in one folder",
        [statement(NotAction="s3:Delete*", NotResource=["arn:aws:s3:::b/secret/*", "arn:aws:s3:::b"])],
        [request(STRANGER), request(STRANGER, "s3:PutObject")],
        [request(STRANGER, "s3:DeleteObject"), request(STRANGER, resource="arn:aws:s3:::b/secret/x")],
    ),
]


@pytest.mark.parametrize(
    ("statements", "allowed", "refused"), [row[1:] for row in EXAMPLES], ids=[row[0] for row in EXAMPLES]
)
def test_documented_examples_do_what_they_say(
    statements: list[dict[str, Any]], allowed: list[Any], refused: list[Any]
) -> None:
    assert [decided(asked, *statements).is_allowed for asked in allowed] == [True] * len(allowed)
    assert [decided(asked, *statements).is_allowed for asked in refused] == [False] * len(refused)


NAMES = st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*", "*"])
PLACES = st.sampled_from(["arn:aws:s3:::b/k", "arn:aws:s3:::b/*", "arn:aws:s3:::b/x*", "*"])
WHOM = st.sampled_from(["*", ALICE_ALONE, OWNER_ACCOUNT, OTHER_ACCOUNT, {"AWS": STRANGE_USER.arn}])
STATEMENTS = st.builds(
    lambda effect, action, resource, whom: statement(Effect=effect, Action=action, Resource=resource, Principal=whom),
    st.sampled_from(["Allow", "Deny"]),
    NAMES,
    PLACES,
    WHOM,
)
ASKED = st.builds(request, st.sampled_from(EVERYBODY), st.sampled_from(["s3:GetObject", "s3:PutObject"]))
OWN_POLICIES = st.sampled_from([PrincipalPolicies(), OWN])


def decide(asked: Any, statements: list[dict[str, Any]], own: PrincipalPolicies) -> Decision:
    return evaluate(
        asked,
        owner_account_id=OWNER_ID,
        principal_policies=own,
        resource_policy=policy(*statements) if statements else None,
    )


@settings(max_examples=200, deadline=None)
@given(ASKED, st.lists(STATEMENTS, max_size=4), OWN_POLICIES)
def test_a_deny_of_all_wins(asked: Any, statements: list[dict[str, Any]], own: PrincipalPolicies) -> None:
    denied = [*statements, statement(Effect="Deny", Action="*", Resource="*")]
    assert decide(asked, denied, own).outcome == Outcome.EXPLICIT_DENY


@settings(max_examples=200, deadline=None)
@given(ASKED, st.lists(STATEMENTS, max_size=4), OWN_POLICIES, st.sampled_from(["Allow", "Deny"]))
def test_a_statement_that_does_not_match_changes_nothing(
    asked: Any, statements: list[dict[str, Any]], own: PrincipalPolicies, effect: str
) -> None:
    elsewhere = statement(Effect=effect, Action="*", Resource="arn:aws:s3:::b/elsewhere")
    assert decide(asked, [*statements, elsewhere], own) == decide(asked, statements, own)


@settings(max_examples=200, deadline=None)
@given(ASKED, st.lists(STATEMENTS, max_size=4), OWN_POLICIES)
def test_the_order_of_statements_is_no_matter(
    asked: Any, statements: list[dict[str, Any]], own: PrincipalPolicies
) -> None:
    assert decide(asked, statements[::-1], own).outcome == decide(asked, statements, own).outcome


@settings(max_examples=200, deadline=None)
@given(ASKED, st.lists(STATEMENTS, max_size=4), OWN_POLICIES, STATEMENTS)
def test_another_allow_never_takes_away(
    asked: Any, statements: list[dict[str, Any]], own: PrincipalPolicies, added: dict[str, Any]
) -> None:
    more = [*statements, {**added, "Effect": "Allow"}]
    assert decide(asked, more, own).is_allowed or not decide(asked, statements, own).is_allowed


@settings(max_examples=200, deadline=None)
@given(ASKED, st.lists(STATEMENTS, max_size=4))
def test_nothing_allows_without_an_allow(asked: Any, statements: list[dict[str, Any]]) -> None:
    silent = [one for one in statements if one["Effect"] == "Deny"]
    if asked.caller != ROOT:
        assert not decide(asked, silent, PrincipalPolicies()).is_allowed
