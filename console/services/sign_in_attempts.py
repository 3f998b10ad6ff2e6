"""Slow down guessing: after some wrong passwords in a row, a user name has to wait; after many more, an address has to.

A name alone would let one machine try a common password on every name. Addresses are those that the client comes from, as
far as the proxies before are known (OBJSTORE_TRUSTED_PROXIES); of IPv6 a network of 64 bits counts as one, since whoever has an
address there has all of them.

An attempt counts before the password is looked at, and is taken back where it was right: of many guesses at the same
moment no more are looked at than of many one after the other.
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


def may_try(username: str, address: str) -> bool:
    """Count an attempt for WINDOW_SECONDS from the first of them; False where the name or the address has to wait.

    Without the cache nobody has to.
    """
    counts = []
    try:
        for key in _cache_keys(username, address):
            cache.add(key, 0, WINDOW_SECONDS)
            counts.append(int(cache.incr(key)))
    except Exception:  # noqa: BLE001  the cache's server may be away; sign-in works without
        logger.warning("the cache does not answer: sign-in attempts are not counted")
        return True
    return counts[0] <= FAILURES_MAX and counts[1] <= ADDRESS_FAILURES_MAX


def take_back(username: str, address: str) -> None:
    """Count an attempt no more that was right."""
    try:
        for key in _cache_keys(username, address):
            cache.decr(key)
    except Exception:  # noqa: BLE001  the cache is away, or the minute over
        logger.info("an attempt to sign in was not taken back: the cache has none")


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
