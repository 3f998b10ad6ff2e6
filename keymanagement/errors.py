"""What can go wrong with keys. `objects` says it in S3's words."""


class KeyManagementError(Exception):
    """The root of these errors."""


class KeyNotFound(KeyManagementError):
    """There is no key of this name."""


class KeyExists(KeyManagementError):
    """A key of this name is there already."""


class KeyDisabled(KeyManagementError):
    """The key is there and may not be used."""


class WrapInvalid(KeyManagementError):
    """A wrapped data key does not open: another context, another key, or damaged."""


class KeyManagementUnavailable(KeyManagementError):
    """Whoever holds the keys does not answer, or not to us."""
