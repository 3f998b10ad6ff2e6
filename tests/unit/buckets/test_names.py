"""Bucket names."""

import pytest

from buckets.names import is_valid_bucket_name


@pytest.mark.parametrize("name", ["abc", "a-b.c", "0rder", "a" * 63, "my.bucket-1"])
def test_names_that_s3_takes(name):
    assert is_valid_bucket_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "a" * 64,
        "Abc",
        "a_b",
        "-abc",
        "abc-",
        ".abc",
        "abc.",
        "a..b",
        "192.168.5.4",
        "xn--abc",
        "abc-s3alias",
        "abc--ol-s3",
        "sthree-abc",
        "a b",
        "a/b",
        "äbc",
        "abc\n",
    ],
)
def test_names_that_s3_refuses(name):
    assert not is_valid_bucket_name(name)
