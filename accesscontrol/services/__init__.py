"""Writes of accounts, users, keys, groups, roles and policies."""

from accesscontrol.services.accounts import (
    ROOT_ACCOUNT_NAME,
    AccountKeys,
    RootCredentials,
    create_account,
    ensure_root,
    generate_access_key_id,
    generate_secret_key,
    generate_session_key_id,
    set_public_access_block,
)
from accesscontrol.services.built_in import ensure_built_in_policies
from accesscontrol.services.identities import end_sessions

__all__ = [
    "ROOT_ACCOUNT_NAME",
    "AccountKeys",
    "RootCredentials",
    "create_account",
    "end_sessions",
    "ensure_built_in_policies",
    "ensure_root",
    "generate_access_key_id",
    "generate_secret_key",
    "generate_session_key_id",
    "set_public_access_block",
]
