"""What answers say of the lifecycle: when an object expires, when an unfinished upload is aborted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from buckets.lifecycle import KIND, Rule, abort_of, enabled_rules, expiration_header
from buckets.selectors import BucketRecord, find_configuration


def _rules(bucket: BucketRecord) -> list[Rule]:
    """Return the bucket's rules. No statement where it has none, otherwise one."""
    document = find_configuration(bucket.id, KIND) if bucket.has_lifecycle_rules else None
    return [] if document is None else enabled_rules(document)


def expiration_members(
    bucket: BucketRecord, key: str, size_bytes: int, tags: Mapping[str, str], created_at: datetime
) -> dict[str, Any]:
    """Say when and by which rule an object expires, if it does."""
    if not bucket.has_lifecycle_rules:
        return {}
    header = expiration_header(_rules(bucket), key=key, size_bytes=size_bytes, tags=tags, created_at=created_at)
    return {} if header is None else {"Expiration": header}


def abort_members(bucket: BucketRecord, *, key: str, created_at: datetime) -> dict[str, Any]:
    """Say when and by which rule an upload is aborted, if it is."""
    found = abort_of(_rules(bucket), key=key, created_at=created_at)
    return {} if found is None else {"AbortDate": found[0], "AbortRuleId": found[1]}
