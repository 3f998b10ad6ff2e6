"""Members that several operations take, under one name for each group: an operation has them as `**members`.

The model's names in snake case; what a request does not say is not in the mapping. The registry compares each group with
the model of the operation that takes it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from objects.attributes import system_headers
from objects.conditions import ReadConditions
from objects.customer_keys import CustomerKey, parse_customer_key


class CustomerKeyMembers(TypedDict, total=False):
    """The key that a client sends with what it encrypts (SSE-C)."""

    sse_customer_algorithm: str
    sse_customer_key: str
    sse_customer_key_md5: str


class ReadMembers(CustomerKeyMembers, total=False):
    """What GetObject and HeadObject are asked for."""

    version_id: str
    range: str
    part_number: int
    if_match: str
    if_none_match: str
    if_modified_since: datetime
    if_unmodified_since: datetime
    checksum_mode: str
    response_cache_control: str
    response_content_disposition: str
    response_content_encoding: str
    response_content_language: str
    response_content_type: str
    response_expires: str


class NewObjectMembers(CustomerKeyMembers, total=False):
    """What a new object is to be beside its bytes."""

    acl: str
    bucket_key_enabled: bool
    cache_control: str
    content_disposition: str
    content_encoding: str
    content_language: str
    content_type: str
    expires: str
    grant_full_control: str
    grant_read: str
    grant_read_acp: str
    grant_write_acp: str
    metadata: dict[str, str]
    object_lock_mode: str
    object_lock_retain_until_date: datetime
    object_lock_legal_hold_status: str
    server_side_encryption: str
    ssekms_key_id: str
    ssekms_encryption_context: str
    storage_class: str
    tagging: str
    website_redirect_location: str


class SourceMembers(TypedDict, total=False):
    """What is asked of the source of a copy."""

    copy_source_if_match: str
    copy_source_if_modified_since: datetime
    copy_source_if_none_match: str
    copy_source_if_unmodified_since: datetime
    copy_source_sse_customer_algorithm: str
    copy_source_sse_customer_key: str
    copy_source_sse_customer_key_md5: str
    expected_source_bucket_owner: str


class CopyObjectMembers(NewObjectMembers, SourceMembers, total=False):
    """What a copy is to be, and what is asked of its source."""


class CopyPartMembers(CustomerKeyMembers, SourceMembers, total=False):
    """The key of an upload, and what is asked of the source of a part."""


class ChecksumMembers(TypedDict, total=False):
    """An object's checksum, by the ten algorithms."""

    checksum_crc32: str
    checksum_crc32_c: str
    checksum_crc64_nvme: str
    checksum_sha1: str
    checksum_sha256: str
    checksum_sha512: str
    checksum_md5: str
    checksum_xxhash64: str
    checksum_xxhash3: str
    checksum_xxhash128: str


class CompletionMembers(CustomerKeyMembers, ChecksumMembers, total=False):
    """The key and the checksum of an object that is made of parts."""


def customer_key(members: CustomerKeyMembers) -> CustomerKey | None:
    """Return the key that a client sends, None without one. Raises InvalidArgument."""
    return parse_customer_key(
        members.get("sse_customer_algorithm"), members.get("sse_customer_key"), members.get("sse_customer_key_md5")
    )


def source_customer_key(members: SourceMembers) -> CustomerKey | None:
    """Return the key that a client sends for the source of a copy, None without one. Raises InvalidArgument."""
    return parse_customer_key(
        members.get("copy_source_sse_customer_algorithm"),
        members.get("copy_source_sse_customer_key"),
        members.get("copy_source_sse_customer_key_md5"),
        header_prefix="x-amz-copy-source",
    )


def source_conditions(members: SourceMembers) -> ReadConditions:
    """Return what must hold of the source of a copy."""
    return ReadConditions(
        members.get("copy_source_if_match"),
        members.get("copy_source_if_none_match"),
        members.get("copy_source_if_modified_since"),
        members.get("copy_source_if_unmodified_since"),
    )


def kept_headers(members: NewObjectMembers) -> dict[str, str]:
    """Return the headers that a new object keeps."""
    return system_headers(
        cache_control=members.get("cache_control"),
        content_disposition=members.get("content_disposition"),
        content_encoding=members.get("content_encoding"),
        content_language=members.get("content_language"),
        expires=members.get("expires"),
        website_redirect_location=members.get("website_redirect_location"),
    )


def claimed_checksum(members: ChecksumMembers) -> tuple[str | None, str | None]:
    """Return the algorithm and the value of the checksum that a request claims, None and None without one."""
    for name, value in members.items():
        if name.startswith("checksum_") and value:
            return name.removeprefix("checksum_").replace("_", "").upper(), str(value)
    return None, None
