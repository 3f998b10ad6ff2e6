"""Roles that the store itself assumes when it works for an account: replication. No session is made, nothing written.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
"""

from __future__ import annotations

from datetime import timedelta

from accesscontrol.arns import read_arn
from accesscontrol.authorization import decide_trust
from accesscontrol.errors import RoleNotAssumable
from accesscontrol.principal import Principal, Session, SessionKind, service_principal
from accesscontrol.request_facts import RequestFacts
from accesscontrol.selectors.iam import holder_arn
from accesscontrol.selectors.principals import find_role_policies
from accesscontrol.selectors.trust import find_role_by_arn, role_access

SESSION_NAME = "s3-replication"


def is_role_of(role_arn: str, account_id: str) -> bool:
    """Say whether an ARN names a role of an account, whether or not there is one."""
    read = read_arn(role_arn)
    return read is not None and read.kind == "role" and read.account_id == account_id


def assume_for_service(
    service: str, *, role_arn: str, account_id: str, source_arn: str, facts: RequestFacts
) -> Principal:
    """Return the principal that a service acts as with a role of an account, with what the role may do now.

    Its trust policy must let the service (`s3.amazonaws.com`); it may ask for `aws:SourceArn` and `aws:SourceAccount`.
    Raises RoleNotAssumable. Cost: two or three statements.
    """
    read = read_arn(role_arn)
    if read is None or not is_role_of(role_arn, account_id):
        raise RoleNotAssumable(f"{role_arn or 'nothing'} is no role of the account of the bucket")
    role = find_role_by_arn(read)
    if role is None:
        raise RoleNotAssumable(f"there is no role {role_arn}")
    decision = decide_trust(
        service_principal(service),
        action="sts:AssumeRole",
        role=role_access(role),
        facts=facts,
        stated={"aws:sourcearn": source_arn, "aws:sourceaccount": account_id},
    )
    if not decision.is_allowed:
        raise RoleNotAssumable(f"the trust policy of {role_arn} does not let {service}")
    account = role.account
    return Principal(
        account_id=account_id,
        canonical_id=account.canonical_id,
        display_name=account.display_name or account.name,
        user_id=None,
        user_name=role.name,
        is_root=False,
        policies=find_role_policies(role.pk, role.boundary_id),
        path=role.path,
        unique_id=role.unique_id,
        tags=role.tags,
        session=Session(
            SessionKind.ROLE,
            SESSION_NAME,
            issued_at=facts.now,
            expires_at=facts.now + timedelta(hours=1),
            issuer_arn=holder_arn(role),
            issuer_id=role.unique_id,
        ),
    )
