"""What becomes of requests while the server that counts them is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from limits import rates
from limits.selectors import Rate
from s3protocol import errors

NOBODY_THERE = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def limited(settings: Any) -> Iterator[None]:
    """One subject with a rate, known to this process, and nobody to count for it."""
    settings.OBJSTORE_REDIS_URL = NOBODY_THERE
    for remembered in (rates._client, rates._script):
        remembered.cache_clear()
    known = rates._known
    known.rates, known.asked_at, known.paused_until = {"key:A": Rate(1, None)}, time.monotonic() + 60, 0.0
    yield
    known.rates, known.asked_at, known.paused_until = {}, float("-inf"), float("-inf")
    for remembered in (rates._client, rates._script):
        remembered.cache_clear()


def test_requests_are_let_through_where_failures_are_open(settings: Any) -> None:
    settings.OBJSTORE_RATE_LIMIT_FAILURE = "open"
    for _ in range(3):
        rates.admit(["account:1", "key:A"])


def test_requests_are_refused_where_failures_are_closed_but_for_those_without_a_rate(settings: Any) -> None:
    settings.OBJSTORE_RATE_LIMIT_FAILURE = "closed"
    with pytest.raises(errors.ServiceUnavailable):
        rates.admit(["account:1", "key:A"])
    rates.admit(["account:1", "key:B"])
