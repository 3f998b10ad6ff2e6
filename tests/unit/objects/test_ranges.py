"""Byte ranges."""

import pytest

from objects.ranges import ByteRange, parse_copy_source_range, parse_range
from s3protocol import errors


@pytest.mark.parametrize(
    ("header", "start", "length"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=2-5", 2, 4),
        ("bytes=7-", 7, 3),
        ("bytes=-4", 6, 4),
        ("bytes=-400", 0, 10),
        ("bytes=9-99", 9, 1),
        (" bytes = 1 - 2 ", 1, 2),
    ],
)
def test_a_range_selects_its_bytes(header, start, length):
    assert parse_range(header, 10) == ByteRange(start, length, 10)


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=5-2", "items=0-1", "bytes=0-1,3-4", "bytes=a-b"])
def test_what_is_no_single_range_selects_everything(header):
    assert parse_range(header, 10) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=11-12", 10), ("bytes=-0", 10), ("bytes=0-0", 0)]
)
def test_a_range_outside_the_object_is_refused_with_its_size(header, size):
    with pytest.raises(errors.InvalidRange) as caught:
        parse_range(header, size)
    assert caught.value.members["ActualObjectSize"] == str(size)
    assert caught.value.headers["Content-Range"] == f"bytes */{size}"


def test_a_range_renders_its_content_range():
    assert ByteRange(2, 4, 10).content_range == "bytes 2-5/10"


def test_a_copy_source_range_names_first_and_last_byte():
    assert parse_copy_source_range("bytes=3-9", 10) == ByteRange(3, 7, 10)


@pytest.mark.parametrize("header", ["3-9", "bytes=3-", "bytes=-3", "bytes=9-3", "bytes=0-1,3-4"])
def test_a_copy_source_range_of_another_form_is_an_invalid_argument(header):
    with pytest.raises(errors.InvalidArgument):
        parse_copy_source_range(header, 10)


def test_a_copy_source_range_behind_the_end_is_refused():
    with pytest.raises(errors.InvalidRange):
        parse_copy_source_range("bytes=3-10", 10)
