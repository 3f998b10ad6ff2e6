"""S3 Control at S3's own address: which requests mean it, and the bucket or the account that one is about.

AWS keeps it on hosts of its own, `{account}.s3-control…`, and its clients put the account before any host that they are
given, and into the header x-amz-account-id, which no operation of S3 has and which is signed like all of its kind. So a
request means S3 Control if it has that header, its path begins with the version of that API, and its host names no other
bucket. All else, below a bucket that is named like the version too, is S3's.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_plus

from s3protocol import errors
from s3protocol.routes import Level

ACCOUNT_HEADER = "x-amz-account-id"

_PREFIX = "/v20180820/"
_TAGS = f"{_PREFIX}tags/"
_ACCOUNT_BLOCK = f"{_PREFIX}configuration/publicAccessBlock"
_BUCKET_ARN = re.compile(r"arn:aws:s3:::([^/:*?]+)")


def is_control_request(method: str, path: str, headers: Mapping[str, str], virtual_host_bucket: str | None) -> bool:
    """Say whether a request means S3 Control. Most are told apart by their path. Preflights are S3's."""
    if not path.startswith(_PREFIX) or method == "OPTIONS":
        return False
    account_id = headers.get(ACCOUNT_HEADER)
    return account_id is not None and virtual_host_bucket in (None, account_id)


def level_of_control(path: str) -> Level:
    """Say whether a request to S3 Control is about its account, or about a resource."""
    return Level.ACCOUNT if path == _ACCOUNT_BLOCK else Level.RESOURCE


def bucket_of_resource(path: str) -> str | None:
    """Return the bucket whose ARN the path holds, or None."""
    arn = _BUCKET_ARN.fullmatch(path.removeprefix(_TAGS)) if path.startswith(_TAGS) else None
    return None if arn is None else arn[1]


def require_bucket(path: str) -> None:
    """Raise NotImplemented for what is about no tags and not about the account, InvalidRequest for tags of what is no bucket."""
    if not path.startswith(_TAGS):
        raise errors.NotImplemented
    if bucket_of_resource(path) is None:
        raise errors.InvalidRequest("Tags of buckets are known alone: the resource must be like arn:aws:s3:::bucket.")


def read_query_lists(raw_query: str) -> dict[str, list[str]]:
    """Return all values of each name of a query that has been read before (`read_address`), in order."""
    lists: dict[str, list[str]] = {}
    for pair in raw_query.split("&"):
        name, _, value = pair.partition("=")
        lists.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return lists
