"""Make sessions: temporary credentials of a role, a user or a federated user. Nothing is written.

Who may have one is decided here, as the policy of what is asked for has a say in it: the role's trust policy.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from accesscontrol.arns import provider_arn, read_arn
from accesscontrol.authorization import decide_trust
from accesscontrol.models import Role
from accesscontrol.policy import Outcome, PolicyError, PolicyKind, normalized_key, parse_policy
from accesscontrol.principal import Principal, PrincipalKind, SessionKind
from accesscontrol.query_context import QueryContext, access_denied
from accesscontrol.request_facts import StatedValues
from accesscontrol.selectors.iam import find_policy
from accesscontrol.selectors.trust import find_role_by_arn, is_audience_named, role_access
from accesscontrol.services.accounts import generate_secret_key, generate_session_key_id
from accesscontrol.session_tokens import SessionSeal, seal_session
from s3protocol.query import errors

if TYPE_CHECKING:
    from accesscontrol.web_identity import WebIdentity

SESSION_POLICY_SIZE_MAX = 2_048
SESSION_POLICIES_MAX = 10
TOKEN_LENGTH_MAX = 4_096
CHAINED_SECONDS_MAX = 3_600
ROOT_SECONDS_MAX = 3_600
TAGS_MAX = 50
NO_ACCOUNT = "unknown"  # owns the roles that are not there
TAGS_CLAIM = "https://aws.amazon.com/tags"
_KEPT_CLAIMS = ("aud", "sub", "azp", "amr", "email")

Tags = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session as it is shown once to whoever asked for it, and how much of its room it fills, in percent."""

    seal: SessionSeal
    token: str

    @property
    def size_percent(self) -> int:
        """How much of the longest token this one is."""
        return min(100, len(self.token) * 100 // TOKEN_LENGTH_MAX)


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What is asked of a session."""

    name: str
    seconds: int
    policy: str | None = None
    policy_arns: Sequence[str] = ()
    tags: Tags = ()
    transitive_tag_keys: Sequence[str] = ()
    source_identity: str | None = None


def assume_role(
    context: QueryContext, *, role_arn: str, asked: SessionRequest, external_id: str | None
) -> tuple[NewSession, Role]:
    """Make a session of a role, if its trust policy lets the principal. Raises AccessDenied, ValidationError and others."""
    principal = context.principal
    if principal.kind is PrincipalKind.ROOT:
        raise errors.AccessDenied("Roles may not be assumed by root accounts.")
    role = _find_role(role_arn)
    if role is None:
        decision = context.decide("sts:AssumeRole", role_arn, owner_account_id=NO_ACCOUNT)
        raise access_denied(principal, decision)
    tags, transitive = _chained_tags(principal, asked)
    stated = _stated(asked, tags) | ({"sts:externalid": external_id} if external_id is not None else {})
    _require_trust(context, principal, role, "sts:AssumeRole", stated)
    if asked.tags or asked.transitive_tag_keys:
        _require_trust(context, principal, role, "sts:TagSession", stated)
    if asked.source_identity is not None:
        _require_trust(context, principal, role, "sts:SetSourceIdentity", stated)
    is_chained = principal.session is not None and principal.session.kind is SessionKind.ROLE
    _check_seconds(
        asked.seconds, min(role.session_seconds_max, CHAINED_SECONDS_MAX) if is_chained else role.session_seconds_max
    )
    inherited = principal.session.source_identity if principal.session is not None else None
    if inherited is not None and asked.source_identity not in (None, inherited):
        raise errors.AccessDenied("The source identity of a chain of roles cannot be changed.")
    session = _make(
        context,
        SessionKind.ROLE,
        account_id=role.account_id,
        issuer_id=role.unique_id,
        asked=asked,
        tags=tags,
        transitive_tag_keys=transitive,
        source_identity=asked.source_identity or inherited,
    )
    return session, role


def assume_role_with_web_identity(
    context: QueryContext, *, role_arn: str, token: str, asked: SessionRequest
) -> tuple[NewSession, Role, WebIdentity]:
    """Make a session of a role for whom an identity provider vouches for. Raises as above, and for a bad token."""
    # Its library for tokens takes a quarter of the start of a process, and few processes ever meet one.
    from accesscontrol.web_identity import find_provider_of, read_issuer, verify_token

    role = _find_role(role_arn)
    if role is None:
        raise errors.AccessDenied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
    provider = find_provider_of(role.account_id, read_issuer(token))
    identity = verify_token(token, provider, now=context.now)
    arn = provider_arn(role.account_id, provider.url)
    claims = _claim_values(provider.url, identity)
    tags, transitive = _token_tags(identity.claims)
    asked = SessionRequest(asked.name, asked.seconds, asked.policy, asked.policy_arns, tags, transitive)
    stated = _stated(asked, {tag["Key"]: tag["Value"] for tag in tags}) | claims | {"aws:federatedprovider": arn}
    caller = Principal(None, "", "", None, "", False, federated_arn=arn)
    if not (provider.client_ids or is_audience_named(role.trust_policy, provider.url)):
        raise errors.InvalidIdentityToken(
            "Incorrect token audience: the provider has no client ids, and the trust policy names no audience."
        )
    for action in ("sts:AssumeRoleWithWebIdentity", *(("sts:TagSession",) if tags else ())):
        _require_trust(context, caller, role, action, stated)
    _check_seconds(asked.seconds, role.session_seconds_max)
    kept = {key: values for key, values in claims.items() if key.rpartition(":")[2] in (*_KEPT_CLAIMS, "app_id")}
    session = _make(
        context,
        SessionKind.ROLE,
        account_id=role.account_id,
        issuer_id=role.unique_id,
        asked=asked,
        tags={tag["Key"]: tag["Value"] for tag in tags},
        transitive_tag_keys=tuple(transitive),
        federated_provider=arn,
        claims=kept,
    )
    return session, role, identity


def get_session_token(context: QueryContext, *, seconds: int) -> NewSession:
    """Make a session of the user who asks. Raises AccessDenied for temporary credentials."""
    principal = context.principal
    if principal.session is not None or principal.kind not in (PrincipalKind.USER, PrincipalKind.ROOT):
        raise errors.AccessDenied("Cannot call GetSessionToken with session credentials")
    decision = context.decide("sts:GetSessionToken", "*")
    if decision.outcome is Outcome.EXPLICIT_DENY:  # no permission is needed, but it may be denied
        raise access_denied(principal, decision)
    return _make(
        context,
        SessionKind.USER,
        account_id=context.account_id,
        issuer_id=principal.unique_id,
        asked=SessionRequest(principal.user_name, _user_seconds(principal, seconds)),
    )


def get_federation_token(context: QueryContext, asked: SessionRequest) -> NewSession:
    """Make a session for somebody whom the user who asks vouches for. Raises AccessDenied and others."""
    principal = context.principal
    if principal.session is not None or principal.kind not in (PrincipalKind.USER, PrincipalKind.ROOT):
        raise errors.AccessDenied("Cannot call GetFederationToken with session credentials")
    arn = f"arn:aws:sts::{context.account_id}:federated-user/{asked.name}"
    tags = {tag["Key"]: tag["Value"] for tag in asked.tags}
    stated = {f"aws:requesttag/{key}": value for key, value in tags.items()} | (
        {"aws:tagkeys": tuple(tags)} if tags else {}
    )
    for action in ("sts:GetFederationToken", *(("sts:TagSession",) if tags else ())):
        decision = context.decide(action, arn, stated=stated)
        if not decision.is_allowed:
            raise access_denied(principal, decision)
    _check_tags(asked.tags)
    seconds = _user_seconds(principal, asked.seconds)
    return _make(
        context,
        SessionKind.FEDERATED,
        account_id=context.account_id,
        issuer_id=principal.unique_id,
        asked=SessionRequest(asked.name, seconds, asked.policy, asked.policy_arns),
        tags=tags,
    )


def _user_seconds(principal: Principal, seconds: int) -> int:
    return min(seconds, ROOT_SECONDS_MAX) if principal.kind is PrincipalKind.ROOT else seconds


def _find_role(arn: str) -> Role | None:
    read = read_arn(arn)
    if read is None or read.kind != "role":
        raise errors.ValidationError(f"{arn} is invalid")
    return find_role_by_arn(read)


def _require_trust(context: QueryContext, caller: Principal, role: Role, action: str, stated: StatedValues) -> None:
    """Raise AccessDenied unless the trust policy lets the caller; whatever else does is not enough."""
    decision = decide_trust(caller, action=action, role=role_access(role), facts=context.facts, stated=stated)
    context.note(action, None, decision)
    if not decision.is_allowed:
        raise access_denied(caller, decision)


def _stated(asked: SessionRequest, tags: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    stated: dict[str, str | tuple[str, ...]] = {"sts:rolesessionname": asked.name}
    stated |= {f"aws:requesttag/{key}": value for key, value in tags.items()}
    if tags:
        stated["aws:tagkeys"] = tuple(tags)
    if asked.transitive_tag_keys:
        stated["sts:transitivetagkeys"] = tuple(asked.transitive_tag_keys)
    if asked.source_identity is not None:
        stated["sts:sourceidentity"] = asked.source_identity
    return stated


def _chained_tags(principal: Principal, asked: SessionRequest) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the tags of a new session: those asked for, and those that its caller hands on."""
    _check_tags(asked.tags)
    tags = {tag["Key"]: tag["Value"] for tag in asked.tags}
    transitive = tuple(asked.transitive_tag_keys)
    if any(key not in tags for key in transitive):
        raise errors.ValidationError("Every transitive tag key must be among the tags.")
    session = principal.session
    if session is not None and session.transitive_tag_keys:
        if {key.lower() for key in tags} & {key.lower() for key in session.transitive_tag_keys}:
            raise errors.InvalidInput("A transitive tag of the calling session cannot be set anew.")
        tags |= {key: session.tags[key] for key in session.transitive_tag_keys if key in session.tags}
        transitive += session.transitive_tag_keys
    return tags, transitive


def _check_tags(tags: Tags) -> None:
    keys = [tag["Key"].lower() for tag in tags]
    if len(keys) > TAGS_MAX or len(set(keys)) != len(keys) or any(key.startswith("aws:") for key in keys):
        raise errors.ValidationError("Session tags are 50 at most, each once, and none of AWS's own.")


def _token_tags(claims: Mapping[str, Any]) -> tuple[list[dict[str, str]], list[str]]:
    """Read session tags from a token's claim. Raises InvalidIdentityToken for what is none."""
    claimed = claims.get(TAGS_CLAIM)
    if claimed is None:
        return [], []
    try:
        # Some providers wrap the object into a list of one.
        claimed = claimed[0] if isinstance(claimed, list) else claimed
        tags = [
            {"Key": key, "Value": str(values[0] if isinstance(values, list) else values)}
            for key, values in claimed["principal_tags"].items()
        ]
        transitive = [str(key) for key in claimed.get("transitive_tag_keys", [])]
    except (KeyError, IndexError, TypeError, AttributeError):
        raise errors.InvalidIdentityToken("The session tags of the token are malformed") from None
    _check_tags(tags)
    return tags, [key for key in transitive if any(tag["Key"] == key for tag in tags)]


def _claim_values(url: str, identity: WebIdentity) -> dict[str, tuple[str, ...]]:
    """Return a token's claims as values of condition keys: `issuer/path:sub`."""
    prefix = url.removeprefix("http://")
    named = {**identity.claims, "aud": identity.audience, "app_id": identity.audience}
    values = {normalized_key(f"{prefix}:{claim}"): _texts(value) for claim, value in named.items()}
    return {key: texts for key, texts in values.items() if texts}


def _texts(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(
        ("true" if one else "false") if isinstance(one, bool) else str(one)
        for one in listed
        if isinstance(one, str | int | float)
    )


def _check_seconds(seconds: int, limit: int) -> None:
    if seconds > limit:
        raise errors.ValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def _session_policies(account_id: str, asked: SessionRequest) -> tuple[tuple[str, ...] | None, tuple[int, ...]]:
    """Check the policies of a session. Raises MalformedPolicyDocument, PackedPolicyTooLarge, and for unknown ones."""
    if len(asked.policy_arns) > SESSION_POLICIES_MAX:
        raise errors.ValidationError(f"A session has {SESSION_POLICIES_MAX} managed policies at most.")
    ids = tuple(find_policy(account_id, arn).pk for arn in asked.policy_arns)
    if asked.policy is None:
        return None, ids
    if len(asked.policy) > SESSION_POLICY_SIZE_MAX:
        raise errors.PackedPolicyTooLarge
    try:
        parse_policy(asked.policy, PolicyKind.IDENTITY)
    except PolicyError as problem:
        raise errors.MalformedPolicyDocument(str(problem)) from None
    return (asked.policy,), ids


def _make(
    context: QueryContext, kind: SessionKind, *, account_id: str, issuer_id: str, asked: SessionRequest, **more: Any
) -> NewSession:
    policies, policy_ids = _session_policies(account_id, asked)
    issued = context.now.replace(microsecond=0)
    seal = SessionSeal(
        access_key_id=generate_session_key_id(),
        secret_key=generate_secret_key(),
        kind=kind,
        account_id=account_id,
        issuer_id=issuer_id,
        name=asked.name,
        issued_at_seconds=int(issued.timestamp()),
        expires_at_seconds=int((issued + timedelta(seconds=asked.seconds)).timestamp()),
        policies=policies,
        policy_ids=policy_ids,
        **more,
    )
    token = seal_session(seal)
    if len(token) > TOKEN_LENGTH_MAX:
        raise errors.PackedPolicyTooLarge
    return NewSession(seal, token)


def role_session_arn(role: Role, name: str) -> str:
    """Name a session of a role."""
    return f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/{name}"
