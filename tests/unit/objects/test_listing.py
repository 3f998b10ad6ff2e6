"""The arithmetic of listings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objects.listing import decode_token, encode_token, successor, walk_bounds
from s3protocol import errors

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


@given(texts.filter(bool), texts)
def test_all_texts_with_a_prefix_lie_before_its_successor(prefix, rest):
    following = successor(prefix)
    assert following is None or prefix + rest < following


@given(texts.filter(bool), texts)
def test_nothing_else_lies_between_a_prefix_and_its_successor(prefix, other):
    following = successor(prefix)
    if following is not None and prefix <= other < following:
        assert other.startswith(prefix)


@given(texts.filter(bool))
def test_a_successor_can_be_written_as_utf8(prefix):
    following = successor(prefix)
    assert following is None or following.encode().decode() == following


def test_the_highest_character_has_no_successor_and_its_predecessor_takes_over():
    assert successor("\U0010ffff") is None
    assert successor("a\U0010ffff") == "b"
    assert successor("") is None


def test_a_walk_begins_at_its_prefix():
    bounds = walk_bounds(prefix="photos/", delimiter="", after="")
    assert (bounds.after, bounds.is_after_inclusive, bounds.end) == ("photos/", True, "photos0")


def test_a_walk_resumes_behind_a_key():
    bounds = walk_bounds(prefix="", delimiter="/", after="photos/a.jpg")
    assert (bounds.after, bounds.is_after_inclusive) == ("photos/a.jpg", False)


def test_a_walk_resumes_behind_everything_that_a_common_prefix_stands_for():
    bounds = walk_bounds(prefix="", delimiter="/", after="photos/")
    assert (bounds.after, bounds.is_after_inclusive) == ("photos0", True)


def test_a_name_that_ends_in_a_delimiter_further_down_is_a_key():
    bounds = walk_bounds(prefix="", delimiter="/", after="photos/2026/")
    assert (bounds.after, bounds.is_after_inclusive) == ("photos/2026/", False)


@given(texts)
def test_a_token_names_what_it_resumes_behind(name):
    assert decode_token(encode_token(name)) == name


@pytest.mark.parametrize("token", ["x", "AAAA", "****", "é"])
def test_a_token_of_another_make_is_an_invalid_argument(token):
    with pytest.raises(errors.InvalidArgument):
        decode_token(token)
