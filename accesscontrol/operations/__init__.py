"""The operations of IAM and STS; thin: arguments in, a service or selector called, members out.

Importing this package registers them.
"""

from accesscontrol.operations import (
    access_keys,
    account,
    groups,
    holder_policies,
    managed_policies,
    providers,
    roles,
    simulation,
    sts,
    users,
)

__all__ = [
    "access_keys",
    "account",
    "groups",
    "holder_policies",
    "managed_policies",
    "providers",
    "roles",
    "simulation",
    "sts",
    "users",
]
