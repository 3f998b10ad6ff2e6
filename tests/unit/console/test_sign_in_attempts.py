"""Who has to wait after wrong passwords."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from console.services.sign_in_attempts import ADDRESS_FAILURES_MAX, FAILURES_MAX, may_try, take_back

HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def test_a_name_waits_from_wherever_it_is_tried() -> None:
    for number in range(FAILURES_MAX):
        assert may_try("Alice", f"203.0.113.{number}")
    assert not may_try("alice", HERE)
    assert may_try("bob", HERE)


@pytest.mark.parametrize(
    ("addresses", "same", "other"),
    [
        ([HERE], HERE, ELSEWHERE),
        (["2001:db8:0:1::1", "2001:db8:0:1:ffff::9"], "2001:db8:0:1::2", "2001:db8:0:2::1"),
        (["nowhere"], "nowhere", ""),
    ],
)
def test_an_address_waits_that_tries_name_after_name(addresses: list[str], same: str, other: str) -> None:
    for number in range(ADDRESS_FAILURES_MAX):
        assert may_try(f"user-{number}", addresses[number % len(addresses)])
    assert not may_try("alice", same)
    assert may_try("alice", other)


def test_a_right_password_is_no_guess() -> None:
    for _ in range(FAILURES_MAX * 2):
        assert may_try("alice", HERE)
        take_back("alice", HERE)
