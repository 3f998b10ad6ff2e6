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
)
from accesscontrol.services.built_in import ensure_built_in_policies

__all__ = [
    "ROOT_ACCOUNT_NAME",
    "AccountKeys",
    "RootCredentials",
    "create_account",
    "ensure_built_in_policies",
    "ensure_root",
    "generate_access_key_id",
    "generate_secret_key",
    "generate_session_key_id",
]
