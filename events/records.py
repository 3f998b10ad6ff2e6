"""Render events: S3's own records, and EventBridge's envelopes. Pure: values in, documents out.

Formats: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from events.cause import STORE
from s3protocol.timestamps import format_iso8601

TEST_EVENT = "TestEvent"

# Versions 2.2 and 2.3 added kinds of events; a record of an older kind has not changed.
_VERSIONS = {
    "Replication": "2.2",
    "LifecycleExpiration": "2.3",
    "LifecycleTransition": "2.3",
    "IntelligentTiering": "2.3",
    "ObjectAcl": "2.3",
    "ObjectTagging": "2.3",
}

_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "LifecycleExpiration": "Object Deleted",
    "LifecycleTransition": "Object Storage Class Changed",
    "IntelligentTiering": "Object Access Tier Changed",
    "ObjectAcl": "Object ACL Updated",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectRestore:Post": "Object Restore Initiated",
    "ObjectRestore:Completed": "Object Restore Completed",
    "ObjectRestore:Delete": "Object Restore Expired",
}
_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
    "LifecycleExpiration:Delete": "Lifecycle Expiration",
    "LifecycleExpiration:DeleteMarkerCreated": "Lifecycle Expiration",
}


@dataclass(frozen=True, slots=True)
class EventFacts:
    """All that a record tells of an event; `sequence` orders the events of a key."""

    sequence: int
    name: str
    bucket_name: str
    bucket_owner_id: str
    configuration_id: str
    key: str
    version_id: str | None
    size_bytes: int | None
    etag: str
    cause: Mapping[str, Any]
    details: Mapping[str, Any]
    happened_at: datetime

    @property
    def sequencer(self) -> str:
        """Render the sequence so that texts of one key compare as the events are ordered."""
        return f"{self.sequence:018X}"


def render_event(facts: EventFacts, *, region: str, is_event_bus: bool) -> dict[str, Any]:
    """Return the document that is sent."""
    if facts.name == TEST_EVENT:
        return _test_event(facts)
    return _envelope(facts, region) if is_event_bus else {"Records": [_record(facts, region)]}


def _test_event(facts: EventFacts) -> dict[str, Any]:
    """Render what S3 sends to find out whether a destination takes its events."""
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": format_iso8601(facts.happened_at),
        "Bucket": facts.bucket_name,
        "RequestId": facts.cause.get("request", ""),
        "HostId": facts.cause.get("host", ""),
    }


def _record(facts: EventFacts, region: str) -> dict[str, Any]:
    described: dict[str, Any] = {"key": quote_plus(facts.key, safe="/")}
    if facts.size_bytes is not None:
        described["size"] = facts.size_bytes
    if facts.etag:
        described["eTag"] = facts.etag
    if facts.version_id is not None:
        described["versionId"] = facts.version_id
    described["sequencer"] = facts.sequencer
    return {
        "eventVersion": _VERSIONS.get(facts.name.partition(":")[0], "2.1"),
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": format_iso8601(facts.happened_at),
        "eventName": facts.name,
        "userIdentity": {"principalId": facts.cause.get("principal", STORE)},
        "requestParameters": {"sourceIPAddress": facts.cause.get("address", STORE)},
        "responseElements": {
            "x-amz-request-id": facts.cause.get("request", ""),
            "x-amz-id-2": facts.cause.get("host", ""),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": facts.configuration_id,
            "bucket": {
                "name": facts.bucket_name,
                "ownerIdentity": {"principalId": facts.bucket_owner_id},
                "arn": f"arn:aws:s3:::{facts.bucket_name}",
            },
            "object": described,
        },
        **facts.details,
    }


def _envelope(facts: EventFacts, region: str) -> dict[str, Any]:
    """Render an event as it arrives on an event bus, where keys are not encoded."""
    family = facts.name.partition(":")[0]
    described: dict[str, Any] = {"key": facts.key}
    if facts.size_bytes is not None:
        described["size"] = facts.size_bytes
    if facts.etag:
        described["etag"] = facts.etag
    if facts.version_id is not None:
        described["version-id"] = facts.version_id
    described["sequencer"] = facts.sequencer
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": facts.bucket_name},
        "object": described,
        "request-id": facts.cause.get("request", ""),
        "requester": facts.cause.get("account") or facts.cause.get("principal", STORE),
        "source-ip-address": facts.cause.get("address", ""),
    }
    if facts.name in _REASONS:
        detail["reason"] = _REASONS[facts.name]
    if family in {"ObjectRemoved", "LifecycleExpiration"}:
        is_marker = facts.name.endswith(":DeleteMarkerCreated")
        detail["deletion-type"] = "Delete Marker Created" if is_marker else "Permanently Deleted"
    return {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"objstore:event:{facts.sequence}")),
        "detail-type": _DETAIL_TYPES.get(facts.name) or _DETAIL_TYPES.get(family, family),
        "source": "aws.s3",
        "account": facts.bucket_owner_id,
        "time": facts.happened_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [f"arn:aws:s3:::{facts.bucket_name}"],
        "detail": {**detail, **facts.details},
    }
