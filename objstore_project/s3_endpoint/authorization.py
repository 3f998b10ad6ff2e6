"""Decide whether a request may have the operation that it asks for.

The decision itself is `accesscontrol.authorization`; here stands what it is asked about: the action and the resource of
the address, what is missing, and the uploads that belong to whoever began them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accesscontrol.denials import access_denied
from accesscontrol.policy import Outcome
from accesscontrol.request_facts import StatedValues, resource_tag_values
from buckets.context import RequestContext
from objects.operations.protection import legal_hold_values, requested_retention_values
from objects.selectors.multipart import find_upload
from objstore_project.s3_endpoint.address import Address
from objstore_project.s3_endpoint.control import ACCOUNT_HEADER
from s3protocol import errors
from s3protocol.registry import Decided, Operation
from s3protocol.routes import Level

PREPARING_OPERATIONS = frozenset({"CreateMultipartUpload", "UploadPart", "UploadPartCopy"})
"""What writes no object yet, and takes no conditions: policies that ask for some exempt them by `s3:ObjectCreationOperation`."""

INITIATOR_OPERATIONS = frozenset({"AbortMultipartUpload", "ListParts"})
"""What S3 lets the initiator of an upload do without further permission."""


def authorize_operation(
    operation: Operation, address: Address, context: RequestContext, arguments: Mapping[str, Any] | None = None
) -> None:
    """Raise AccessDenied unless the principal may have the operation; `arguments` are there once the body is parsed."""
    if operation.decided != Decided.FOR_EACH:
        _authorize_action(operation, address, context, arguments or {})
    if context.as_of is not None:
        _authorize_past(operation, address, context)
    if context.bucket_record is not None:
        context.require_payer(context.bucket_record)
    expected_owner = address.headers.get("x-amz-expected-bucket-owner")
    if expected_owner is not None and context.bucket_record and expected_owner != context.bucket_record.owner_id:
        raise errors.AccessDenied
    if address.level is Level.ACCOUNT and address.headers[ACCOUNT_HEADER] != context.principal.account_id:
        raise errors.AccessDenied
    if address.level is Level.RESOURCE and address.headers[ACCOUNT_HEADER] not in (
        context.bucket.owner_id,
        context.principal.account_id,
    ):
        raise errors.AccessDenied


def _authorize_action(
    operation: Operation, address: Address, context: RequestContext, arguments: Mapping[str, Any]
) -> None:
    action = operation.action
    if operation.versioned_action is not None and "versionId" in address.query:
        action = operation.versioned_action
    tags, stated = _tags(arguments), _stated(operation, context, arguments)
    if operation.reads_object and address.key is not None:
        context.authorize_object(action, key=address.key, version=context.version, request_tags=tags, stated=stated)
        return
    decision = context.decide(action, bucket_name=address.bucket, key=address.key, request_tags=tags, stated=stated)
    if decision.is_allowed:
        return
    if decision.outcome == Outcome.EXPLICIT_DENY or not _is_initiator(operation, address, context):
        raise access_denied(decision)


def _authorize_past(operation: Operation, address: Address, context: RequestContext) -> None:
    """Raise AccessDenied unless the principal may see what is not current any more.

    What was overwritten or deleted is of no concern to who may read what is there: that takes the actions on versions.
    """
    if operation.reads_object and address.key is not None and operation.versioned_action is not None:
        context.authorize_object(operation.versioned_action, key=address.key, version=context.version)
    else:
        context.authorize("s3:ListBucketVersions")


def _is_initiator(operation: Operation, address: Address, context: RequestContext) -> bool:
    """Say whether the principal's account began the upload that is addressed. Cost: one statement, if it is about one."""
    if operation.name not in INITIATOR_OPERATIONS or not context.principal.is_root or address.key is None:
        return False
    upload = find_upload(bucket_id=context.bucket.id, key=address.key, upload_id=address.query.get("uploadId", ""))
    return upload is not None and upload.initiator_id == context.principal.account_id


def _tags(arguments: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the tags that a parsed body brings; None where it brings none, and a header may."""
    tagging = arguments.get("tagging")
    if not isinstance(tagging, dict):
        return None
    return {tag["Key"]: tag["Value"] for tag in tagging.get("TagSet", [])}


def _stated(operation: Operation, context: RequestContext, arguments: Mapping[str, Any]) -> StatedValues:
    """Return the condition keys that stand in what was parsed: where a bucket is to be, and its tags, and what locks a version.

    Tags that are taken away are tags without a value, as AWS was seen to take them. Of what writes, it is said whether an
    object comes of it at once.
    """
    if operation.action == "s3:PutObject":
        return {"s3:objectcreationoperation": "false" if operation.name in PREPARING_OPERATIONS else "true"}
    if "legal_hold" in arguments:
        return legal_hold_values(arguments["legal_hold"])
    if "retention" in arguments:
        return requested_retention_values(arguments["retention"], context.facts.now)
    made = arguments.get("create_bucket_configuration") or {}
    constraint = made.get("LocationConstraint")
    brought = {tag["Key"]: tag["Value"] for tag in (made.get("Tags") or arguments.get("tags") or [])}
    tags = brought or dict.fromkeys(arguments.get("tag_keys") or [], "")
    return {**({"s3:locationconstraint": constraint} if constraint else {}), **resource_tag_values(tags)}
