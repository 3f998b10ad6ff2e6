"""What the forms say about wrong input."""

from __future__ import annotations

import pytest

from buckets.names import is_valid_bucket_name
from console.forms import CreateBucketForm, HistoryForm, bucket_name_problem


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ab", "3 to 63"),
        ("a" * 64, "3 to 63"),
        ("Photos", "capital"),
        ("my_bucket", "consists of"),
        ("-abc", "begins and ends"),
        ("abc.", "begins and ends"),
        ("a..b", "two dots"),
        ("192.168.0.1", "IP address"),
        ("xn--abc", "for itself"),
        ("abc-s3alias", "for itself"),
        ("ünï", "consists of"),
    ],
)
def test_a_wrong_bucket_name_is_told_which_rule_it_breaks(name: str, words: str) -> None:
    assert not is_valid_bucket_name(name)
    assert words in str(bucket_name_problem(name))
    assert not CreateBucketForm({"name": name}).is_valid()


@pytest.mark.parametrize("name", ["abc", "my-bucket", "a.b.c", "1st", "a" * 63])
def test_a_good_bucket_name_has_no_problem(name: str) -> None:
    assert is_valid_bucket_name(name)
    assert bucket_name_problem(name) is None


@pytest.mark.parametrize(
    ("seconds", "amount", "unit"), [(0, 0, 86_400), (86_400, 1, 86_400), (7_200, 2, 3_600), (90, 90, 1)]
)
def test_a_window_is_shown_in_the_largest_unit_that_fits(seconds: int, amount: int, unit: int) -> None:
    form = HistoryForm.showing(seconds)
    assert (form.initial["amount"], form.initial["unit"]) == (amount, unit)
    bound = HistoryForm({"amount": amount, "unit": unit})
    assert bound.is_valid()
    assert bound.cleaned_data["history_seconds"] == seconds


def test_a_window_is_at_most_ten_years() -> None:
    assert not HistoryForm({"amount": 4_000, "unit": 86_400}).is_valid()
    assert not HistoryForm({"amount": -1, "unit": 1}).is_valid()
