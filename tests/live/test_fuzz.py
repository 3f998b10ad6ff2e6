"""A few hundred random requests to all services; `python -m tests.live.fuzz` sends ten thousand."""

from __future__ import annotations

import os
import random

import pytest

from tests.live.fuzz import fuzz
from tests.live.system import LiveSystem

pytestmark = pytest.mark.live


def test_no_random_request_fails_or_learns_what_it_may_not(live: LiveSystem) -> None:
    seed = int(os.environ.get("OBJSTORE_TEST_SEED", random.SystemRandom().randrange(1 << 32)))
    fuzzer = fuzz(live, seed, 300)
    assert fuzzer.problems == [], f"seed {seed}"
    assert fuzzer.statuses.get(403, 0) > 20  # the fuzz reaches what decides
    assert fuzzer.statuses.get(200, 0) > 10
