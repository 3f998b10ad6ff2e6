"""Session tokens, encoded messages, and the reach of roles: what holds without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings

from accesscontrol.denials import UnreadableMessage, access_denied, decode_message, encode_decision
from accesscontrol.policy import PolicyError, PolicyKind, PrincipalPolicies, parse_policy
from accesscontrol.principal import Principal, PrincipalKind, Session, SessionKind
from accesscontrol.session_tokens import SessionSeal, open_session, seal_session
from accesscontrol.simulation import statement_positions
from tests.unit.accesscontrol.cast import ALICE, OTHER_ID, OWNER_ID, decided, identity, request, statement

NOW = datetime.now(UTC)
SEAL = SessionSeal("ASIA1", "secret", SessionKind.ROLE, OWNER_ID, "AROA1", "name", 1_000, 2_000)
ROLE_ARN = f"arn:aws:iam::{OWNER_ID}:role/team/reader"
SESSION_ARN = f"arn:aws:sts::{OWNER_ID}:assumed-role/reader/name"


def role_session(policies: PrincipalPolicies) -> Principal:
    session = Session(SessionKind.ROLE, "name", NOW, NOW + timedelta(hours=1), ROLE_ARN, "AROA1")
    return Principal(OWNER_ID, "c", "d", None, "reader", False, "ASIA1", policies, "/team/", "AROA1", {}, session)


@pytest.mark.parametrize(
    "seal",
    [
        SEAL,
        replace(SEAL, policies=()),
        replace(SEAL, policies=("{}",), policy_ids=(1, 2), tags={"ä": ""}, transitive_tag_keys=("ä",)),
        replace(SEAL, kind=SessionKind.USER, source_identity="x", claims={"idp:sub": ("a", "b")}),
    ],
)
def test_a_token_opens_to_what_was_sealed(seal: SessionSeal) -> None:
    assert open_session(seal_session(seal)) == seal
    assert "secret" not in seal_session(seal)
    assert "secret" not in repr(seal)


def test_a_token_of_another_key_or_another_purpose_opens_to_nothing() -> None:
    token = seal_session(SEAL)
    with override_settings(SECRET_KEY="another one", SECRET_KEY_FALLBACKS=[]):
        assert open_session(token) is None
    message = encode_decision(decided(request(ALICE)))
    assert message is not None
    for text in ("", "a", "ä", "g" * 9_000, token[:-4], message):
        assert open_session(text) is None


def test_an_old_key_among_the_fallbacks_still_opens_tokens() -> None:
    with override_settings(SECRET_KEY="the old key"):
        token = seal_session(SEAL)
    with override_settings(SECRET_KEY="the new key", SECRET_KEY_FALLBACKS=["the old key"]):
        assert open_session(token) == SEAL


def test_a_session_of_a_role_has_the_names_that_policies_use() -> None:
    principal = role_session(PrincipalPolicies())
    assert (principal.kind, principal.arn) == (PrincipalKind.ASSUMED_ROLE, SESSION_ARN)
    assert principal.userid == "AROA1:name"
    assert principal.issuer_names == (ROLE_ARN, "AROA1")


@pytest.mark.parametrize(
    ("named", "limits", "is_allowed"),
    [
        (ROLE_ARN, PrincipalPolicies(), True),
        ("AROA1ABCDEFGH", PrincipalPolicies(), False),
        (SESSION_ARN, PrincipalPolicies(), True),
        (ROLE_ARN, PrincipalPolicies(session=()), False),
        (SESSION_ARN, PrincipalPolicies(session=()), True),
        (ROLE_ARN, PrincipalPolicies(boundary=identity(Action="s3:PutObject", Resource="*")), False),
        (f"arn:aws:iam::{OWNER_ID}:role/reader", PrincipalPolicies(), False),
    ],
)
def test_naming_a_role_reaches_its_sessions_within_their_limits(named, limits, is_allowed) -> None:
    caller = role_session(limits)
    found = decided(request(caller), statement(Principal={"AWS": named}), principal_policies=limits)
    assert found.is_allowed is is_allowed


def test_not_principal_excepts_a_session_by_its_own_name_alone() -> None:
    own = PrincipalPolicies((identity(Action="*", Resource="*"),))
    caller = role_session(own)
    for named, is_allowed in ((SESSION_ARN, True), (ROLE_ARN, False)):
        denial = statement(Effect="Deny", NotPrincipal={"AWS": [named]})
        assert decided(request(caller), denial, principal_policies=own).is_allowed is is_allowed


def test_a_message_is_for_the_owner_and_for_who_was_refused() -> None:
    own = PrincipalPolicies((identity(Sid="Mine", Effect="Deny", Action="s3:*", Resource="*").called("limits"),))
    caller = replace(ALICE, account_id=OTHER_ID, policies=own)
    hidden = statement(Sid="Hidden", Effect="Deny", Principal="*")
    message = encode_decision(decided(request(caller), hidden, principal_policies=own))
    assert message is not None
    names = {
        account: [
            one["statementId"]
            for one in decode_message(message, account_id=account, now=NOW)["matchedStatements"]["items"]
        ]
        for account in (OWNER_ID, OTHER_ID)
    }
    assert names == {OWNER_ID: ["Hidden", "Mine"], OTHER_ID: ["Mine"]}
    assert "Hidden" not in str(decode_message(message, account_id=OTHER_ID, now=NOW))
    for account, now in (("999999999999", NOW), (OWNER_ID, NOW + timedelta(days=8))):
        with pytest.raises(UnreadableMessage):
            decode_message(message, account_id=account, now=now)


def test_a_message_stays_short_whatever_the_request_says() -> None:
    long = {f"aws__PrincipalTag/{number}": f"{number}" * 300 for number in range(200)}
    refusal = access_denied(decided(request(ALICE, **long)))
    assert len(refusal.members["EncodedMessage"]) < 10_240
    assert all(len(value) <= 2_048 for value in refusal.headers.values())


def test_half_of_a_surrogate_pair_is_no_policy() -> None:
    text = (
        '{"Version": "2012-10-17", "Statement": {"Sid": "\\ud800", "Effect": "Deny", "Action": "*", "Resource": "*"}}'
    )
    with pytest.raises(PolicyError):
        parse_policy(text, PolicyKind.IDENTITY)
    parse_policy(text.replace("\\ud800", "\\ud83d\\ude00"), PolicyKind.IDENTITY)


def test_statements_are_found_in_their_document() -> None:
    text = '{\n "Statement": [\n  {"Sid": "A", "Effect": "Allow"},\n  {"Effect": "Deny"}\n ]\n}'
    assert statement_positions(text) == {"A": ((3, 3), (3, 34)), "2": ((4, 3), (4, 21))}
    assert statement_positions('{"Statement":{"Effect":"Deny"}}') == {"1": ((1, 14), (1, 31))}
    assert statement_positions("{") == {}
