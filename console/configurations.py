"""What a bucket is told to do, as documents: rules, policies, targets. Each is read and written by S3's own operations.

A document is what the AWS CLI takes for the same operation, as JSON. It is turned into the request that a client would
send, and that is parsed, checked and carried out as any other: what S3 refuses, the page refuses in the same words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.serialize import create_serializer
from botocore.validate import ParamValidator
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from audit.draft import current
from buckets.context import RequestContext
from buckets.selectors import BucketRecord
from console.access import facts_of, is_allowed, principal_of, require
from s3protocol import errors
from s3protocol.codec import codec_for
from s3protocol.model import operation_model
from s3protocol.registry import REGISTRY

DOCUMENT_LENGTH_MAX = 1 << 20
POLICY = "Policy"

_serializer = create_serializer("rest-xml", include_validation=False)


@dataclass(frozen=True, slots=True)
class Configuration:
    """A kind of document. `member` is what its operations call it; `beside` stands in headers, and here in the document.

    Where a bucket has several, each with an id, `lists` is the operation that names them. `clears` is what is written to
    take one away that has no operation for that; where both are None, it stays for good.
    """

    slug: str
    title: str
    about: str
    reads: str
    writes: str
    member: str
    deletes: str | None = None
    clears: Mapping[str, Any] | None = None
    lists: str | None = None
    beside: tuple[str, ...] = ()
    example: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of one: None where it is not set; `ids` of those that have one. `is_hidden` from who asks."""

    configuration: Configuration
    document: Mapping[str, Any] | None = None
    ids: tuple[str, ...] = ()
    is_hidden: bool = False

    @property
    def is_set(self) -> bool:
        """Whether the bucket has such a document."""
        return bool(self.document or self.ids)


def show(request: HttpRequest, bucket: BucketRecord, configuration: Configuration, document_id: str = "") -> Shown:
    """Read a document, or the ids of several. Hidden ones are those that the user may not read."""
    if not is_allowed(request, bucket, REGISTRY[configuration.reads].action):
        return Shown(configuration, is_hidden=True)
    if configuration.lists and not document_id:
        return Shown(configuration, ids=tuple(_ids(request, bucket, configuration, configuration.lists)))
    try:
        answer = _carry_out(request, bucket, configuration.reads, {"id": document_id} if document_id else {})
    except errors.S3Error as error:
        if error.status == 404:
            return Shown(configuration)
        raise
    return Shown(configuration, _document(configuration, answer))


def _ids(request: HttpRequest, bucket: BucketRecord, configuration: Configuration, lists: str) -> Iterator[str]:
    """Yield the ids of a kind's documents, of which a bucket has a thousand at most."""
    token: str | None = None
    while True:
        page = _carry_out(request, bucket, lists, {"continuation_token": token} if token else {})
        yield from (document["Id"] for document in page.get(f"{configuration.member}List", []))
        token = page.get("NextContinuationToken")
        if not token:
            return


def _document(configuration: Configuration, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take the document out of the answer to a reading operation."""
    if configuration.member == POLICY:
        return dict(json.loads(answer[POLICY]))
    if configuration.member in answer:
        return dict(answer[configuration.member])
    return {name: value for name, value in answer.items() if not name.startswith("__") and value}


def as_text(document: Mapping[str, Any]) -> str:
    """Write a document down for people."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def read_text(text: str) -> dict[str, Any]:
    """Read a document that somebody wrote. Raises MalformedXML, S3's word for what is no document, with where it ends to be one."""
    if len(text) > DOCUMENT_LENGTH_MAX:
        raise errors.MalformedXML("The document is too long.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise errors.MalformedXML(f"This is no JSON: {error}.") from None
    if not isinstance(document, dict):
        raise errors.MalformedXML("A document is a JSON object.")
    return document


def write(
    request: HttpRequest, bucket: BucketRecord, configuration: Configuration, document: Mapping[str, Any]
) -> None:
    """Replace a document, or the one of its id. Raises PermissionDenied, and the operation's S3 errors."""
    require(request, REGISTRY[configuration.writes].action, bucket=bucket)
    _carry_out(request, bucket, configuration.writes, arguments_of(bucket.name, configuration, document))


def delete(request: HttpRequest, bucket: BucketRecord, configuration: Configuration, document_id: str = "") -> None:
    """Take a document away. Raises PermissionDenied, and the operation's S3 errors."""
    if configuration.deletes is None:
        assert configuration.clears is not None
        write(request, bucket, configuration, configuration.clears)
        return
    require(request, REGISTRY[configuration.deletes].action, bucket=bucket)
    _carry_out(request, bucket, configuration.deletes, {"id": document_id} if document_id else {})


def arguments_of(bucket_name: str, configuration: Configuration, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the writing operation is called with: the document, sent and parsed as a client's would be.

    Raises the S3 errors of parsing; MalformedXML says which members of the model it does not fit.
    """
    if configuration.member == POLICY:
        return {"policy": json.dumps(document)}
    model = operation_model(configuration.writes)
    inner = {name: value for name, value in document.items() if name not in configuration.beside}
    members = {"Bucket": bucket_name, configuration.member: inner}
    members |= {name: document[name] for name in configuration.beside if name in document}
    if configuration.lists is not None:
        members["Id"] = document.get("Id", "")
    report = ParamValidator().validate(members, model.input_shape)
    if report.has_errors():
        raise errors.MalformedXML(report.generate_report())
    sent = _serializer.serialize_to_request(members, model)
    return codec_for(configuration.writes).parse(
        bucket=bucket_name,
        key=None,
        query={name: str(value) for name, value in sent["query_string"].items()},
        headers={name.lower(): value for name, value in sent["headers"].items()},
        body=sent["body"],
    )


def _carry_out(
    request: HttpRequest, bucket: BucketRecord, operation_name: str, arguments: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Call an operation that is authorized; a change that fails halfway has not happened."""
    operation = REGISTRY[operation_name]
    context = RequestContext(
        principal_of(request),
        settings.OBJSTORE_REGION,
        bucket_record=bucket,
        facts=facts_of(request),
        audit=current(),
    )
    given = {name: value for name, value in arguments.items() if name in operation.parameters and name != "bucket"}
    with transaction.atomic():
        return operation.function(context, bucket=bucket.name, **given)
