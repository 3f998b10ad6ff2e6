"""Slow down guessing: after some wrong passwords in a row, a user name has to wait."""

from __future__ import annotations

import hashlib
import logging

from django.core.cache import cache

FAILURES_MAX = 10
WINDOW_SECONDS = 60

logger = logging.getLogger("objstore.console")


def _cache_key(username: str) -> str:
    return "sign-in:" + hashlib.sha256(username.casefold().encode()).hexdigest()


def are_too_many(username: str) -> bool:
    """Tell whether the name has to wait. Without the cache nobody has to."""
    try:
        return int(cache.get(_cache_key(username), 0)) >= FAILURES_MAX
    except Exception:  # noqa: BLE001  the cache's server may be away; sign-in works without
        logger.warning("the cache does not answer: sign-in attempts are not counted")
        return False


def count_failure(username: str) -> None:
    """Remember a wrong password for WINDOW_SECONDS."""
    try:
        cache.add(_cache_key(username), 0, WINDOW_SECONDS)
        cache.incr(_cache_key(username))
    except Exception:  # noqa: BLE001  see above
        logger.warning("the cache does not answer: sign-in attempts are not counted")
