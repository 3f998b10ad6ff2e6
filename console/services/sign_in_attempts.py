"""Slow down guessing: after some wrong passwords in a row, a user name has to wait; after many more, an address has to.

A name alone would let one machine try a common password on every name. Addresses are those that the client comes from, as
far as the proxies before are known (OBJSTORE_TRUSTED_PROXIES); of IPv6 a network of 64 bits counts as one, since whoever has an
address there has all of them.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging

from django.core.cache import cache

FAILURES_MAX = 10
ADDRESS_FAILURES_MAX = 100
WINDOW_SECONDS = 60

logger = logging.getLogger("objstore.console")


def are_too_many(username: str, address: str) -> bool:
    """Tell whether the name or the address has to wait. Without the cache nobody has to."""
    name_key, address_key = _cache_keys(username, address)
    try:
        counts = cache.get_many([name_key, address_key])
    except Exception:  # noqa: BLE001  the cache's server may be away; sign-in works without
        logger.warning("the cache does not answer: sign-in attempts are not counted")
        return False
    return int(counts.get(name_key, 0)) >= FAILURES_MAX or int(counts.get(address_key, 0)) >= ADDRESS_FAILURES_MAX


def count_failure(username: str, address: str) -> None:
    """Remember a wrong password for WINDOW_SECONDS."""
    try:
        for key in _cache_keys(username, address):
            cache.add(key, 0, WINDOW_SECONDS)
            cache.incr(key)
    except Exception:  # noqa: BLE001  see above
        logger.warning("the cache does not answer: sign-in attempts are not counted")


def _cache_keys(username: str, address: str) -> tuple[str, str]:
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        network = address
    else:
        network = str(ipaddress.ip_network((read, 64), strict=False)) if read.version == 6 else address
    return _cache_key("sign-in", username.casefold()), _cache_key("sign-in-from", network)


def _cache_key(kind: str, text: str) -> str:
    return f"{kind}:{hashlib.sha256(text.encode()).hexdigest()}"
