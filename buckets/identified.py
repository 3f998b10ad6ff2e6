"""Configurations of which a bucket may have many, each with an id: inventory, metrics, analytics, intelligent tiering. Pure.

What they share: the id, which stands in the address and in the document, the filter by prefix and tags, the bucket that
reports go to, and pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from buckets.names import is_valid_bucket_name
from s3protocol import errors

CONFIGURATION_COUNT_MAX = 1_000
PAGE_SIZE = 100
ID_LENGTH_MAX = 64
TAG_COUNT_MAX = 10
DESTINATION_PREFIX_BYTES_MAX = 800
"""So that the keys of reports, which go on with bucket, id and file, have 1,024 bytes at most."""

_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_BUCKET_ARN = re.compile(r"arn:aws[a-z-]*:s3:::(.+)")


@dataclass(frozen=True, slots=True)
class ObjectFilter:
    """Which objects a configuration is about: all with the prefix that have all the tags."""

    prefix: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    def fits(self, key: str, tags: Mapping[str, str]) -> bool:
        """Say whether an object is among them."""
        return key.startswith(self.prefix) and all(tags.get(name) == value for name, value in self.tags)


def read_filter(configuration: Mapping[str, Any]) -> ObjectFilter:
    """Read the Filter of a configuration; without one it is about all objects."""
    said = configuration.get("Filter") or {}
    said = said.get("And", said)
    tags = [said["Tag"]] if "Tag" in said else said.get("Tags", [])
    return ObjectFilter(said.get("Prefix", ""), tuple((tag["Key"], tag["Value"]) for tag in tags))


def check_filter(configuration: Mapping[str, Any]) -> None:
    """Raise MalformedXML, InvalidArgument or NotImplemented for a filter that can't be."""
    if "Filter" not in configuration:
        return
    said = configuration["Filter"]
    if len(said) != 1:
        raise errors.MalformedXML
    joined = said.get("And")
    if joined is not None and len(joined.get("Tags", [])) + len(joined.keys() - {"Tags"}) < 2:
        raise errors.MalformedXML
    if "AccessPointArn" in (joined or said):
        raise errors.NotImplemented("There are no access points.")
    names = [name for name, _ in read_filter(configuration).tags]
    if len(set(names)) < len(names) or len(names) > TAG_COUNT_MAX:
        raise errors.InvalidArgument("The tags of a filter have different keys, and are ten at most.")


def check_id(configuration_id: str, document: Mapping[str, Any]) -> None:
    """Raise InvalidConfigurationId for an id that can't be, InvalidArgument where address and document differ."""
    if _ID.fullmatch(configuration_id) is None:
        raise errors.InvalidConfigurationId
    if document["Id"] != configuration_id:
        raise errors.InvalidArgument(
            "The Id of the configuration differs from the one in the address.",
            ArgumentName="Id",
            ArgumentValue=document["Id"],
        )


def bucket_of_arn(arn: str) -> str:
    """Return the bucket that an ARN names. Raises InvalidArgument, InvalidS3DestinationBucket."""
    found = _BUCKET_ARN.fullmatch(arn)
    if found is None:
        raise errors.InvalidArgument("Invalid bucket ARN", ArgumentName="Bucket", ArgumentValue=arn)
    if not is_valid_bucket_name(found[1]):
        raise errors.InvalidS3DestinationBucket
    return found[1]


def check_destination(destination: Mapping[str, Any]) -> None:
    """Raise InvalidArgument or InvalidS3DestinationBucket for a place that reports can't go to."""
    bucket_of_arn(destination["Bucket"])
    prefix = destination.get("Prefix", "")
    if len(prefix.encode()) > DESTINATION_PREFIX_BYTES_MAX:
        raise errors.InvalidArgument(
            f"The prefix of a destination has {DESTINATION_PREFIX_BYTES_MAX} bytes at most.",
            ArgumentName="Prefix",
            ArgumentValue=prefix,
        )


def page_members(
    entries: Sequence[Mapping[str, Any]], *, list_name: str, token: str | None, next_token: str | None
) -> dict[str, Any]:
    """Render a page of a listing."""
    answer: dict[str, Any] = {list_name: list(entries), "IsTruncated": next_token is not None}
    if token is not None:
        answer["ContinuationToken"] = token
    if next_token is not None:
        answer["NextContinuationToken"] = next_token
    return answer
