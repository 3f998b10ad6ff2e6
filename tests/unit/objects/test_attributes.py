"""What clients say about objects."""

import pytest

from objects.attributes import (
    DEFAULT_CONTENT_TYPE,
    METADATA_BYTES_MAX,
    checked_metadata,
    shown_headers,
    system_headers,
)
from s3protocol import errors


def test_only_headers_that_were_sent_are_kept():
    assert system_headers(cache_control="no-store", content_language=None) == {"CacheControl": "no-store"}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("gzip", "gzip"), ("deflate, gzip", "deflate, gzip"), ("aws-chunked", None), ("aws-chunked, gzip", "gzip")],
)
def test_the_transfer_framing_is_no_encoding_of_the_object(sent, kept):
    assert system_headers(content_encoding=sent).get("ContentEncoding") == kept


@pytest.mark.parametrize("name", ["a b", "größe", "a:b", "a\r\nset-cookie", "a/b", "(a)"])
def test_metadata_that_no_header_could_tell_is_refused(name):
    assert checked_metadata({"user_id.1~": "v"}) == {"user_id.1~": "v"}
    with pytest.raises(errors.InvalidArgument):
        checked_metadata({name: "v"})


def test_metadata_up_to_the_limit_is_kept_and_more_is_refused():
    assert checked_metadata({"k": "v" * (METADATA_BYTES_MAX - 1)})
    with pytest.raises(errors.MetadataTooLarge):
        checked_metadata({"k": "v" * METADATA_BYTES_MAX})


def test_an_object_without_a_type_is_shown_with_s3s_default():
    assert shown_headers("", {}, {})["ContentType"] == DEFAULT_CONTENT_TYPE


def test_overrides_win_over_what_was_kept():
    shown = shown_headers("text/plain", {"CacheControl": "a"}, {"CacheControl": "b", "ContentType": None})
    assert shown == {"ContentType": "text/plain", "CacheControl": "b"}
