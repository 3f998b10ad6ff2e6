"""Tags of buckets and objects: what S3 lets them be. Pure.

Rules: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html and the Tag type of the API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from s3protocol import errors

TAGGING = "tagging"
"""The kind of configuration that a bucket's own tags are."""

OBJECT_TAG_COUNT_MAX = 10
BUCKET_TAG_COUNT_MAX = 50
KEY_LENGTH_MAX = 128
VALUE_LENGTH_MAX = 256

# Letters, numbers and spaces of any language, and a few signs.
_ALLOWED = re.compile(r"[\w\s+\-=.:/@]*")


def tags_from_document(tagging: Mapping[str, Any], *, count_max: int) -> dict[str, str]:
    """Read a Tagging document. Raises InvalidTag, or BadRequest for too many."""
    return _checked(((tag["Key"], tag["Value"]) for tag in tagging.get("TagSet", [])), count_max=count_max)


def tags_from_header(header: str | None) -> dict[str, str]:
    """Read the x-amz-tagging header: a query string. Raises InvalidArgument, InvalidTag."""
    if not header:
        return {}
    try:
        pairs = parse_qsl(header, keep_blank_values=True, max_num_fields=2 * OBJECT_TAG_COUNT_MAX, errors="strict")
    except ValueError:
        raise errors.InvalidArgument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag "
            "name duplicates.",
            ArgumentName="x-amz-tagging",
            ArgumentValue=header,
        ) from None
    return _checked(pairs, count_max=OBJECT_TAG_COUNT_MAX)


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Render tags as S3's TagSet, by key."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _checked(pairs: Iterable[tuple[str, str]], *, count_max: int) -> dict[str, str]:
    tags: dict[str, str] = {}
    for key, value in pairs:
        if not key or len(key) > KEY_LENGTH_MAX or _ALLOWED.fullmatch(key) is None:
            raise errors.InvalidTag("The TagKey you have provided is invalid", TagKey=key)
        if len(value) > VALUE_LENGTH_MAX or _ALLOWED.fullmatch(value) is None:
            raise errors.InvalidTag("The TagValue you have provided is invalid", TagValue=value)
        if key in tags:
            raise errors.InvalidTag("Cannot provide multiple Tags with the same key", TagKey=key)
        if key.lower().startswith("aws:"):
            raise errors.InvalidTag("System tags cannot be added/updated by requester", TagKey=key)
        tags[key] = value
    require_count(tags, count_max)
    return tags


def require_count(tags: Mapping[str, str], count_max: int) -> None:
    """Raise BadRequest for more tags than a bucket or an object can have."""
    if len(tags) > count_max:
        what = "Bucket tag count" if count_max == BUCKET_TAG_COUNT_MAX else "Object tags"
        raise errors.BadRequest(f"{what} cannot be greater than {count_max}")
