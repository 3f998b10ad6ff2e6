"""RenameObject, which S3 has for directory buckets and which works in every bucket here."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from buckets.context import RequestContext
from objects.conditions import ReadConditions, check_source
from objects.operations.preconditions import write_conditions
from objects.operations.read import readable_version
from objects.selectors.lookup import VersionRecord, look_up
from objects.selectors.rename import find_rename
from objects.services.rename import RenameConditions, parameters_digest
from objects.services.rename import rename_object as rename
from s3protocol import errors
from s3protocol.registry import operation

_TOKEN = re.compile(r"[!-~]{1,64}")


@operation("RenameObject", action="s3:RenameObject")
def rename_object(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    rename_source: str,
    client_token: str | None = None,
    destination_if_match: str | None = None,
    destination_if_none_match: str | None = None,
    destination_if_modified_since: datetime | None = None,
    destination_if_unmodified_since: datetime | None = None,
    source_if_match: str | None = None,
    source_if_none_match: str | None = None,
    source_if_modified_since: datetime | None = None,
    source_if_unmodified_since: datetime | None = None,
) -> dict[str, Any]:
    """Give an object another key. It needs what a copy and a delete of the source need, too."""
    source_key = _source_key(bucket, rename_source)
    if source_key == key:
        raise errors.InvalidRequest("An object cannot be renamed to its own key.")
    _authorize(context, source_key=source_key, key=key)
    parameters = json.dumps([source_key, key])
    if client_token is not None:
        if not _TOKEN.fullmatch(client_token):
            raise errors.InvalidArgument(ArgumentName="x-amz-client-token", ArgumentValue=client_token)
        known = find_rename(bucket_id=context.bucket.id, token=client_token)
        if known is not None:
            if known != parameters_digest(parameters):
                raise errors.IdempotencyParameterMismatch
            return {}
    source = _source(context, source_key)
    check_source(
        ReadConditions(source_if_match, source_if_none_match, source_if_modified_since, source_if_unmodified_since),
        etag=source.etag,
        modified_at=source.became_current_at,
        operation="rename",
    )
    rename(
        bucket_id=context.bucket.id,
        source=source,
        key=key,
        marker_owner_id=context.writer_id,
        conditions=RenameConditions(
            write_conditions(if_match=destination_if_match, if_none_match=destination_if_none_match),
            destination_if_modified_since,
            destination_if_unmodified_since,
        ),
        token=client_token,
        parameters=parameters,
    )
    return {}


def _source_key(bucket: str, header: str) -> str:
    """Read the source: a key of the same bucket, or `[/]bucket/key`, percent-encoded. Raises InvalidArgument."""
    try:
        text = unquote(header, errors="strict")
    except UnicodeDecodeError:
        text = ""
    key = text.removeprefix("/").removeprefix(f"{bucket}/")
    is_of_this_bucket = not text.startswith("/") or text.startswith(f"/{bucket}/")
    if not key or "\0" in key or not is_of_this_bucket:
        raise errors.InvalidArgument(
            "The source of a rename must be an object of the same bucket.",
            ArgumentName="x-amz-rename-source",
            ArgumentValue=header,
        )
    return key


def _authorize(context: RequestContext, *, source_key: str, key: str) -> None:
    """Raise AccessDenied where the principal may not write the one key, or not delete the other."""
    context.authorize("s3:PutObject", key=key)
    context.authorize("s3:DeleteObject", key=source_key)


def _source(context: RequestContext, key: str) -> VersionRecord:
    found = look_up(context.bucket.name, key)
    version = None if found is None else found.version
    context.authorize_object("s3:GetObject", key=key, version=version)
    reading = RequestContext(context.principal, context.region, context.bucket, key, version, facts=context.facts)
    return readable_version(reading, key, None)
