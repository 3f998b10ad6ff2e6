"""What can go wrong in access control and is not one of S3's own errors."""

from sealing import SecretUnreadable

__all__ = ["AccountConflict", "SecretUnreadable"]


class AccountConflict(Exception):
    """An account exists already with other particulars than those asked for."""


class RoleNotAssumable(Exception):
    """The store can't act with a role: it is not there, or does not let it."""


class InvalidAccount(Exception):
    """What was given cannot be an account's name, address, id or key."""
