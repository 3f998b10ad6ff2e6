"""Replicas that another store sends: what other operations ask of the header that says so."""

from __future__ import annotations

from buckets.context import RequestContext
from objects.replica import HEADER, ReplicaClaim, parse_claim
from s3protocol import errors


def replica_claim(context: RequestContext, key: str, action: str) -> ReplicaClaim | None:
    """Return what a request says of the replica that it brings, None for one that brings none.

    Raises AccessDenied unless the principal may replicate, InvalidArgument, InvalidRequest where versions mean nothing.
    """
    header = context.facts.headers.get(HEADER)
    if header is None:
        return None
    context.authorize(action, key=key)
    if context.bucket.versioning != "Enabled":
        raise errors.InvalidRequest("Replicas need a versioned bucket.")
    return parse_claim(header)
