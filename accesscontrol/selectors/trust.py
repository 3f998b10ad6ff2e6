"""Roles as those meet them who want to become one: by ARN, with what decides about that, and why not."""

from __future__ import annotations

from dataclasses import replace

from accesscontrol.arns import EntityArn, entity_arn, read_arn
from accesscontrol.authorization import TRUST_POLICY, RoleAccess
from accesscontrol.explanation import Change, Explanation, Question, explain
from accesscontrol.models import Role
from accesscontrol.policy import Outcome, PolicyKind, normalized_key, parse_policy
from accesscontrol.selectors.iam import find_provider
from accesscontrol.selectors.subjects import UnknownSubject

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
BECOMING = frozenset({"sts:AssumeRole", WEB_IDENTITY})
_NAMES = {name.lower(): name for name in (*BECOMING, "sts:TagSession", "sts:SetSourceIdentity")}


def find_role_by_arn(read: EntityArn) -> Role | None:
    """Return the role that an ARN names, with its account, or None. One statement."""
    rows = Role.objects.filter(account_id=read.account_id, name__iexact=read.name, path=read.path)
    return rows.select_related("account").first()


def role_access(role: Role) -> RoleAccess:
    """Return what of a role decides about becoming it."""
    arn = entity_arn(role.account_id, "role", role.path, role.name)
    return RoleAccess(arn, role.account_id, role.trust_policy, role.tags)


def is_audience_named(trust_policy: str, url: str) -> bool:
    """Say whether a trust policy itself says whose tokens it takes, in every statement that takes a web identity's.

    Anybody else who has users sign in at the provider could hand in their tokens otherwise. `url` is the provider's.
    """
    keys = {normalized_key(f"{url.removeprefix('http://')}:{claim}") for claim in ("aud", "app_id", "azp")}
    trust = parse_policy(trust_policy, PolicyKind.TRUST)
    return all(
        any(test.key in keys for test in statement.conditions)
        for statement in trust.statements_about("sts:AssumeRoleWithWebIdentity")
        if statement.is_allow
    )


def is_about_trust(action: str, resource: str) -> bool:
    """Say whether a question is about becoming a role. Actions have no case."""
    name = _NAMES.get(action.lower())
    return name in BECOMING or (name is not None and ":role/" in resource)


def explain_trust(question: Question) -> Explanation:
    """Explain whether a principal may become the role that the question names by its ARN: the trust policy and its own.

    Raises UnknownSubject. Cost: up to two statements, and the trials.
    """
    read = read_arn(question.entity or "")
    if read is None or read.kind != "role":
        raise UnknownSubject(f"{question.action} is about a role: give its ARN")
    row = find_role_by_arn(read)
    if row is None:
        raise UnknownSubject(f"there is no {question.entity}")
    question = replace(question, action=_NAMES[question.action.lower()])
    role, provider_arn = role_access(row), question.principal.federated_arn
    if question.action in BECOMING and (question.action == WEB_IDENTITY) != (provider_arn is not None):
        raise UnknownSubject(f"identity providers, and nobody else, ask for {WEB_IDENTITY}: give one's ARN")
    if provider_arn is None:
        return _with_unknown_keys(explain(replace(question, role=role)), role)
    if not provider_arn.startswith(f"arn:aws:iam::{role.account_id}:"):
        raise UnknownSubject("a role takes the tokens of providers that its own account has registered")
    stated = {"aws:federatedprovider": provider_arn, **question.stated}
    explanation = _with_unknown_keys(explain(replace(question, role=role, stated=stated)), role)
    provider = find_provider(role.account_id, provider_arn)
    if not explanation.decision.is_allowed or provider.client_ids or is_audience_named(role.trust_policy, provider.url):
        return explanation
    return _without_audience(explanation, provider.url)


def _with_unknown_keys(explanation: Explanation, role: RoleAccess) -> Explanation:
    """Remark which condition keys the trust policy asks for that the question says nothing of."""
    request = explanation.decision.request
    assert request is not None
    asked = {
        test.key
        for statement in parse_policy(role.trust_policy, PolicyKind.TRUST).statements_about(explanation.action)
        for test in statement.conditions
    }
    unknown = sorted(asked - request.context.keys())
    if not unknown:
        return explanation
    remark = f"The trust policy asks for what the question does not tell: {', '.join(unknown)}."
    return replace(explanation, remarks=(*explanation.remarks, remark))


def _without_audience(explanation: Explanation, url: str) -> Explanation:
    """Say that a token is refused whatever the trust policy allows, as anybody's would be taken."""
    change = Change(
        TRUST_POLICY, f"have every statement ask for {url.removeprefix('http://')}:aud, or give the provider client ids"
    )
    decision = replace(
        explanation.decision,
        outcome=Outcome.IMPLICIT_DENY,
        reason="the provider has no client ids, and the trust policy names no audience",
    )
    return replace(explanation, decision=decision, changes=(change,))
