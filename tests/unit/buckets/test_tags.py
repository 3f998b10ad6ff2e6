"""Tags."""

import pytest

from buckets.tags import tag_set, tags_from_document, tags_from_header
from s3protocol import errors


def document(*pairs):
    return {"TagSet": [{"Key": key, "Value": value} for key, value in pairs]}


def test_tags_survive_the_round_trip_through_a_document():
    tags = tags_from_document(document(("project", "blue"), ("état", "été/1")), count_max=10)
    assert tag_set(tags) == document(("project", "blue"), ("état", "été/1"))["TagSet"]


def test_a_header_is_a_query_string():
    assert tags_from_header("a=1&b=x%20y&c") == {"a": "1", "b": "x y", "c": ""}
    assert tags_from_header(None) == {}


@pytest.mark.parametrize(
    "pairs", [[("", "v")], [("k" * 129, "v")], [("k", "v" * 257)], [("a?", "v")], [("aws:x", "v")]]
)
def test_tags_that_s3_refuses(pairs):
    with pytest.raises(errors.InvalidTag):
        tags_from_document(document(*pairs), count_max=10)


def test_a_key_may_stand_once():
    with pytest.raises(errors.InvalidTag):
        tags_from_document(document(("a", "1"), ("a", "2")), count_max=10)


def test_too_many_tags_are_refused():
    with pytest.raises(errors.BadRequest):
        tags_from_document(document(*[(f"k{n}", "") for n in range(11)]), count_max=10)


def test_a_header_that_is_not_utf8_is_refused():
    with pytest.raises(errors.InvalidArgument):
        tags_from_header("a=%ff")
