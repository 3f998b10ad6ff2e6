"""Accounts, their users, groups and roles, access keys, policies, and the identity providers that are trusted.

Not for: rules about who may do what (`authorization`), nor for secrets in the clear: a secret key is only ever stored
sealed (`secrets`). Sessions are not rows: a session token holds what it is about, sealed (`session_tokens`).
"""

from accesscontrol.models.accounts import (
    AccessKey,
    Account,
    User,
    UserManager,
    new_account_id,
    new_canonical_id,
)
from accesscontrol.models.identities import OidcProvider, Role, UserGroup
from accesscontrol.models.policies import InlinePolicy, ManagedPolicy, PolicyAttachment, PolicyVersion
from accesscontrol.models.unique_ids import (
    new_group_unique_id,
    new_policy_unique_id,
    new_role_unique_id,
    new_unique_id,
    new_user_unique_id,
)

__all__ = [
    "AccessKey",
    "Account",
    "InlinePolicy",
    "ManagedPolicy",
    "OidcProvider",
    "PolicyAttachment",
    "PolicyVersion",
    "Role",
    "User",
    "UserGroup",
    "UserManager",
    "new_account_id",
    "new_canonical_id",
    "new_group_unique_id",
    "new_policy_unique_id",
    "new_role_unique_id",
    "new_unique_id",
    "new_user_unique_id",
]
