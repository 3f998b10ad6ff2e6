"""STS: temporary credentials, who one is, and what a refusal meant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from accesscontrol.denials import UnreadableMessage, decode_message
from accesscontrol.models import AccessKey
from accesscontrol.query_context import QueryContext
from accesscontrol.services import sessions
from accesscontrol.services.sessions import NewSession, SessionRequest
from s3protocol.query import errors
from s3protocol.query.registry import Permission, query_operation

Tags = Sequence[Mapping[str, str]]
PolicyArns = Sequence[Mapping[str, str]]
ROLE_SECONDS_DEFAULT = 3_600
USER_SECONDS_DEFAULT = 43_200


def _credentials(session: NewSession) -> dict[str, Any]:
    return {
        "AccessKeyId": session.seal.access_key_id,
        "SecretAccessKey": session.seal.secret_key,
        "SessionToken": session.token,
        "Expiration": session.seal.expires_at,
    }


def _arns(policy_arns: PolicyArns) -> list[str]:
    return [policy["arn"] for policy in policy_arns if "arn" in policy]


@query_operation("AssumeRole", action="sts:AssumeRole", permission=Permission.HANDLER)
def assume_role(
    context: QueryContext,
    *,
    role_arn: str,
    role_session_name: str,
    policy_arns: PolicyArns = (),
    policy: str | None = None,
    duration_seconds: int = ROLE_SECONDS_DEFAULT,
    tags: Tags = (),
    transitive_tag_keys: Sequence[str] = (),
    external_id: str | None = None,
    source_identity: str | None = None,
) -> dict[str, Any]:
    """Become a role for a while."""
    asked = SessionRequest(
        role_session_name, duration_seconds, policy, _arns(policy_arns), tags, transitive_tag_keys, source_identity
    )
    session, role = sessions.assume_role(context, role_arn=role_arn, asked=asked, external_id=external_id)
    return {
        "Credentials": _credentials(session),
        "AssumedRoleUser": {
            "AssumedRoleId": f"{role.unique_id}:{role_session_name}",
            "Arn": sessions.role_session_arn(role, role_session_name),
        },
        "PackedPolicySize": session.size_percent if policy or policy_arns or tags else None,
        "SourceIdentity": session.seal.source_identity,
    }


@query_operation("AssumeRoleWithWebIdentity", action="sts:AssumeRoleWithWebIdentity", permission=Permission.UNSIGNED)
def assume_role_with_web_identity(
    context: QueryContext,
    *,
    role_arn: str,
    role_session_name: str,
    web_identity_token: str,
    policy_arns: PolicyArns = (),
    policy: str | None = None,
    duration_seconds: int = ROLE_SECONDS_DEFAULT,
) -> dict[str, Any]:
    """Become a role for a while, by the word of an identity provider."""
    asked = SessionRequest(role_session_name, duration_seconds, policy, _arns(policy_arns))
    session, role, identity = sessions.assume_role_with_web_identity(
        context, role_arn=role_arn, token=web_identity_token, asked=asked
    )
    return {
        "Credentials": _credentials(session),
        "SubjectFromWebIdentityToken": identity.subject,
        "AssumedRoleUser": {
            "AssumedRoleId": f"{role.unique_id}:{role_session_name}",
            "Arn": sessions.role_session_arn(role, role_session_name),
        },
        "PackedPolicySize": session.size_percent if policy or policy_arns else None,
        "Provider": session.seal.federated_provider,
        "Audience": identity.audience,
    }


@query_operation(
    "GetSessionToken",
    action="sts:GetSessionToken",
    permission=Permission.HANDLER,
)
def get_session_token(context: QueryContext, *, duration_seconds: int = USER_SECONDS_DEFAULT) -> dict[str, Any]:
    """Have temporary credentials for oneself."""
    return {"Credentials": _credentials(sessions.get_session_token(context, seconds=duration_seconds))}


@query_operation("GetFederationToken", action="sts:GetFederationToken", permission=Permission.HANDLER)
def get_federation_token(
    context: QueryContext,
    *,
    name: str,
    policy: str | None = None,
    policy_arns: PolicyArns = (),
    duration_seconds: int = USER_SECONDS_DEFAULT,
    tags: Tags = (),
) -> dict[str, Any]:
    """Have temporary credentials for somebody whom one vouches for."""
    asked = SessionRequest(name, duration_seconds, policy, _arns(policy_arns), tags)
    session = sessions.get_federation_token(context, asked)
    return {
        "Credentials": _credentials(session),
        "FederatedUser": {
            "FederatedUserId": f"{context.account_id}:{name}",
            "Arn": f"arn:aws:sts::{context.account_id}:federated-user/{name}",
        },
        "PackedPolicySize": session.size_percent if policy or policy_arns or tags else None,
    }


@query_operation("GetCallerIdentity", action="sts:GetCallerIdentity", permission=Permission.NONE)
def get_caller_identity(context: QueryContext) -> dict[str, Any]:
    """Tell who asks. Nobody can be forbidden to."""
    principal = context.principal
    return {"UserId": principal.userid, "Account": context.account_id, "Arn": principal.arn}


@query_operation("GetAccessKeyInfo", action="sts:GetAccessKeyInfo")
def get_access_key_info(context: QueryContext, *, access_key_id: str) -> dict[str, Any]:
    """Tell which account a key belongs to; of a session's key, that is known by its token alone."""
    keys = AccessKey.objects.filter(access_key_id=access_key_id)
    account_id = keys.values_list("user__account_id", flat=True).first()
    if account_id is None:
        raise errors.ValidationError(f"The access key {access_key_id} is not known.")
    return {"Account": account_id}


@query_operation("DecodeAuthorizationMessage", action="sts:DecodeAuthorizationMessage")
def decode_authorization_message(context: QueryContext, *, encoded_message: str) -> dict[str, Any]:
    """Tell what a refusal meant."""
    try:
        decoded = decode_message(encoded_message, account_id=context.account_id, now=context.now)
    except UnreadableMessage:
        raise errors.InvalidAuthorizationMessageException from None
    return {"DecodedMessage": json.dumps(decoded)}
