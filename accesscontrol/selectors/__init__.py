"""Reads of accounts, and of the principals behind keys and session tokens."""

from accesscontrol.selectors.accounts import (
    Owner,
    find_account_by_canonical_id,
    find_account_by_email,
    find_owner,
    find_public_access_block,
)
from accesscontrol.selectors.principals import (
    KEY_CACHE_SECONDS,
    Credentials,
    find_credentials,
    find_role_policies,
    find_session_credentials,
    find_user_principal,
    forget_principals,
    principal_of_user,
)


def forget_cached_keys() -> None:
    """Drop this process's remembered keys, after a key, a policy or what it hangs on was changed here."""
    forget_principals()
    find_owner.cache_clear()


__all__ = [
    "KEY_CACHE_SECONDS",
    "Credentials",
    "Owner",
    "find_account_by_canonical_id",
    "find_account_by_email",
    "find_credentials",
    "find_owner",
    "find_public_access_block",
    "find_role_policies",
    "find_session_credentials",
    "find_user_principal",
    "forget_cached_keys",
    "forget_principals",
    "principal_of_user",
]
