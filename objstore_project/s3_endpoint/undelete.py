"""`POST /bucket?x-objstore-undelete`: bring back deleted objects. Ours, not S3's.

Query: `key`, or `prefix` (empty for all) with `marker` and `max-keys`; `x-objstore-as-of` brings back what was there at
that moment instead of what is deleted. The answer is a document like S3's others:

    <UndeleteResult><Undeleted><Key/><VersionId/></Undeleted>... <Error><Key/><Code/><Message/></Error>...
    <IsTruncated/><NextMarker/></UndeleteResult>

It may be repeated: what is back is not brought back again. It takes s3:ListBucketVersions on the bucket, as it tells of
keys that no listing shows, and on each key s3:PutObject and s3:GetObject, as a copy would.
"""

from __future__ import annotations

from datetime import datetime

from buckets.context import RequestContext
from buckets.selectors import find_bucket
from objects.services.undelete import BATCH_SIZE, Undeleted, undelete_object, undelete_objects
from objstore_project.s3_endpoint.address import Address
from objstore_project.s3_endpoint.as_of import is_asked, read_signed_moment, require_within_history
from objstore_project.s3_endpoint.rates import keep_rates
from s3protocol import errors
from s3protocol.codec import WireResponse
from s3protocol.quirks import XML_NAMESPACE
from s3protocol.routes import RESERVED_NAMES, Level
from s3protocol.xmltext import escape_text

UNDELETE = "x-objstore-undelete"


def answer_undelete(context: RequestContext, address: Address, *, now: datetime) -> WireResponse:
    """Find, authorize, bring back, answer.

    Raises MethodNotAllowed, InvalidRequest, InvalidArgument, NoSuchBucket, AccessDenied; for one key NoSuchKey.
    """
    if address.method != "POST" or address.level is not Level.BUCKET or address.bucket is None:
        raise errors.MethodNotAllowed(Method=address.method, ResourceType="UNDELETE")
    if not RESERVED_NAMES.isdisjoint(address.query):
        raise errors.InvalidRequest(f"{UNDELETE} stands alone.")
    key, prefix = address.query.get("key"), address.query.get("prefix")
    if (key is None) == (prefix is None):
        raise errors.InvalidRequest("Either a key or a prefix says what to bring back; an empty prefix means all.")
    bucket = context.bucket_record = find_bucket(address.bucket)
    if bucket is None:
        raise errors.NoSuchBucket(BucketName=address.bucket)
    if context.audit is not None:
        context.audit.owner_id = bucket.owner_id
        keep_rates(context.audit, bucket)
    context.require_payer(bucket)
    if address.headers.get("x-amz-expected-bucket-owner", bucket.owner_id) != bucket.owner_id:
        raise errors.AccessDenied
    context.authorize("s3:ListBucketVersions", stated={"s3:prefix": (prefix if key is None else key) or ""})
    moment = None
    if is_asked(address):
        moment = read_signed_moment(address, context.facts.signature, now)
        require_within_history(moment, bucket, now)
    if key is not None:
        for action in ("s3:PutObject", "s3:GetObject"):
            context.authorize(action, key=key)
        one = undelete_object(bucket_id=bucket.id, bucket_name=bucket.name, key=key, moment=moment)
        return _document([] if one is None else [one], None)
    page = undelete_objects(
        bucket_id=bucket.id,
        bucket_name=bucket.name,
        prefix=prefix or "",
        after=address.query.get("marker", ""),
        limit=_limit(address.query.get("max-keys")),
        moment=moment,
        may_write=lambda name: all(
            context.decide(action, key=name).is_allowed for action in ("s3:PutObject", "s3:GetObject")
        ),
    )
    return _document(list(page.keys), page.next_after)


def _limit(text: str | None) -> int:
    if text is None:
        return BATCH_SIZE
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise errors.InvalidArgument(ArgumentName="max-keys", ArgumentValue=text)
    return min(int(text), BATCH_SIZE)


def _document(keys: list[Undeleted], next_after: str | None) -> WireResponse:
    pieces = ['<?xml version="1.0" encoding="UTF-8"?>\n', f'<UndeleteResult xmlns="{XML_NAMESPACE}">']
    for one in keys:
        name = f"<Key>{escape_text(one.key)}</Key>"
        if one.error is None:
            pieces.append(f"<Undeleted>{name}<VersionId>{escape_text(one.version_id)}</VersionId></Undeleted>")
        else:
            message = escape_text(one.error.message)
            pieces.append(f"<Error>{name}<Code>{one.error.code}</Code><Message>{message}</Message></Error>")
    pieces.append(f"<IsTruncated>{'false' if next_after is None else 'true'}</IsTruncated>")
    if next_after is not None:
        pieces.append(f"<NextMarker>{escape_text(next_after)}</NextMarker>")
    pieces.append("</UndeleteResult>")
    return WireResponse(200, [("Content-Type", "application/xml")], "".join(pieces).encode())
