"""Rates: token buckets in Valkey, shared by all processes of all machines.

Each subject with a rate has one for requests and one for bytes, of one second's worth. A request takes a token of each
of its subjects at once, or of none, and is refused (SlowDown). What it moved is taken off when it has ended, and may leave
a debt: whoever owes waits, so that the average holds however large a body was. One script, one round trip, and none
where no subject has a rate.

Valkey may be away: then requests are let through, or refused, as OBJSTORE_RATE_LIMIT_FAILURE says.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache

import redis
from django.conf import settings
from django.db import InterfaceError, OperationalError

from limits.selectors import Rate, load_rates
from s3protocol import errors

logger = logging.getLogger("objstore.limits")

REFRESH_SECONDS = 2.0
TIMEOUT_SECONDS = 0.25
PAUSE_SECONDS = 1.0  # after a failure nobody waits for Valkey again for so long
DEBT_SECONDS_MAX = 60
"""How long a subject waits at most for what it has moved."""

# KEYS: the buckets. ARGV: for each, how fast it fills, what must be there (1 a request, 0 bytes: no debt), what to take.
# Time is the server's, so that machines need not agree. Answers 0, or how many milliseconds to wait.
_TAKE = """
local now = redis.call('TIME')
now = tonumber(now[1]) + tonumber(now[2]) / 1000000
local levels, wait = {}, 0
for i, key in ipairs(KEYS) do
  local rate, cost = tonumber(ARGV[i * 2 - 1]), tonumber(ARGV[i * 2])
  local state = redis.call('HMGET', key, 'level', 'at')
  local level = rate
  if state[1] then
    level = math.min(rate, tonumber(state[1]) + math.max(0, now - tonumber(state[2])) * rate)
  end
  levels[i] = level
  local missing = cost > 0 and cost - level or -level
  if missing > 0 then wait = math.max(wait, missing / rate) end
end
if wait > 0 then return math.ceil(wait * 1000) end
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, 'level', levels[i] - tonumber(ARGV[i * 2]), 'at', now)
  redis.call('EXPIRE', key, 120)
end
return 0
"""

# Likewise, whatever is there: a debt is allowed, up to so many seconds' worth (the last argument).
_SPEND = """
local now = redis.call('TIME')
now = tonumber(now[1]) + tonumber(now[2]) / 1000000
for i, key in ipairs(KEYS) do
  local rate, cost = tonumber(ARGV[i * 2 - 1]), tonumber(ARGV[i * 2])
  local state = redis.call('HMGET', key, 'level', 'at')
  local level = rate
  if state[1] then
    level = math.min(rate, tonumber(state[1]) + math.max(0, now - tonumber(state[2])) * rate)
  end
  redis.call('HSET', key, 'level', math.max(level - cost, -rate * tonumber(ARGV[#ARGV])), 'at', now)
  redis.call('EXPIRE', key, 120)
end
return 0
"""


class _Known:
    """The rates as this process knows them, and when to ask again."""

    def __init__(self) -> None:
        self.rates: dict[str, Rate] = {}
        self.asked_at = float("-inf")
        self.paused_until = float("-inf")
        self.lock = threading.Lock()


_known = _Known()


def current_rates() -> dict[str, Rate]:
    """Return the rates, loaded anew every REFRESH_SECONDS by whoever comes first; the old ones while the database is away."""
    now = time.monotonic()
    if now - _known.asked_at > REFRESH_SECONDS and _known.lock.acquire(blocking=False):
        try:
            _known.asked_at = now
            _known.rates = load_rates()
        except (OperationalError, InterfaceError):
            logger.warning("rate limits could not be read; those that are known stay in force")
        finally:
            _known.lock.release()
    return _known.rates


def forget_rates() -> None:
    """Have the rates loaded anew at the next request, after one was changed here."""
    _known.asked_at = float("-inf")


def admit(subjects: Iterable[str]) -> Callable[[int], None] | None:
    """Let a request of some subjects in, or raise SlowDown. Return what to tell how many bytes it moved, if anybody asks.

    Cost: one round trip to Valkey, none where no subject has a rate. Raises ServiceUnavailable where Valkey is away and
    failures are closed.
    """
    rates = current_rates()
    if not rates:
        return None
    limited = [(name, rates[name]) for name in subjects if name in rates]
    if not limited:
        return None
    keys, arguments = [], []
    for name, rate in limited:
        if rate.requests is not None:
            keys.append(f"objstore:rate:{name}:requests")
            arguments += [rate.requests, 1]
        if rate.size_bytes is not None:
            keys.append(f"objstore:rate:{name}:bytes")
            arguments += [rate.size_bytes, 0]
    wait_milliseconds = _run(_TAKE, keys, arguments)
    if wait_milliseconds is None:
        if settings.OBJSTORE_RATE_LIMIT_FAILURE == "closed":
            raise errors.ServiceUnavailable("Rates can't be told at the moment. Try again.")
    elif wait_milliseconds > 0:
        raise errors.SlowDown(headers={"Retry-After": str(-(-wait_milliseconds // 1000))})
    moving = [(f"objstore:rate:{name}:bytes", rate.size_bytes) for name, rate in limited if rate.size_bytes]
    if not moving:
        return None

    def spend(size_bytes: int) -> None:
        if size_bytes:
            amounts = [number for _, rate in moving for number in (rate or 1, size_bytes)]
            _run(_SPEND, [key for key, _ in moving], [*amounts, DEBT_SECONDS_MAX])

    return spend


@cache
def _client() -> redis.Redis:
    """Return the connections of this process; redis-py makes them anew in a forked one."""
    return redis.Redis.from_url(
        settings.OBJSTORE_REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )


def _run(script: str, keys: list[str], arguments: list[int]) -> int | None:
    """Run a script; None where Valkey is away."""
    now = time.monotonic()
    if now < _known.paused_until:
        return None
    try:
        return int(str(_script(script)(keys=keys, args=arguments)))
    except redis.RedisError as error:
        _known.paused_until = now + PAUSE_SECONDS
        logger.warning("rates are not kept, as Valkey does not answer: %s", error)
        return None


@cache
def _script(script: str) -> Callable[..., object]:
    return _client().register_script(script)
