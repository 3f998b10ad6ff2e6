"""Numbers as people read them."""

from __future__ import annotations

import pytest

from console.sizes import human_duration, human_size


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1536, "1.50 KiB"),
        (10_240, "10.0 KiB"),
        (104_448, "102 KiB"),
        (1_048_064, "1.00 MiB"),
        (1 << 30, "1.00 GiB"),
        (1 << 63, "8.00 EiB"),
    ],
)
def test_sizes_have_three_digits(size_bytes: int, text: str) -> None:
    assert human_size(size_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 seconds"),
        (-5, "0 seconds"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (3_600, "1 hour"),
        (5_400, "1 hour 30 minutes"),
        (86_400, "1 day"),
        (90_000, "1 day 1 hour"),
        (86_460, "1 day"),
        (30 * 86_400 + 3_600, "30 days"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text
