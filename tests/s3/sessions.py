"""Credentials that no longer hold: a session that has ended, a key that was switched off."""

from __future__ import annotations

import time
from typing import Any

from django.test import override_settings

from accesscontrol.principal import SessionKind
from accesscontrol.session_tokens import SessionSeal, seal_session
from tests.live.system import LiveSystem
from tests.s3.iam import Keys, allow, make_user


def expired_session(live: LiveSystem, role_arn: str) -> Keys:
    """Return a session of a role that ended a second ago, sealed as the live system seals its own."""
    role = live.client("iam").get_role(RoleName=role_arn.rpartition("/")[2])["Role"]
    now = int(time.time())
    seal = SessionSeal(
        access_key_id="ASIAEXPIREDEXPIRED00",
        secret_key="s" * 40,
        kind=SessionKind.ROLE,
        account_id=role_arn.split(":")[4],
        issuer_id=role["RoleId"],
        name="expired",
        issued_at_seconds=now - 901,
        expires_at_seconds=now - 1,
    )
    with override_settings(SECRET_KEY=(live.data_dir / "secret-key").read_text().strip(), SECRET_KEY_FALLBACKS=[]):
        return Keys(seal.access_key_id, seal.secret_key, seal_session(seal))


def revoked_keys(iam: Any) -> Keys:
    """Return the keys of a user who may do everything, switched off before they were ever used."""
    user = make_user(iam, allow("*"))
    iam.update_access_key(UserName=user.name, AccessKeyId=user.keys.aws_access_key_id, Status="Inactive")
    return user.keys
