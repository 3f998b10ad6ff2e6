"""Signature Version 2, which old clients still send: reading it from header and query, and its string to sign.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html. Version 2 signs the path as it was sent,
a fixed list of sub-resources, and no other query parameter; it has no scope, and signs nothing of a body but
Content-MD5.
"""

import base64
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import unquote, unquote_plus

from s3protocol import errors
from s3protocol.signatures.canonical import canonical_path, raw_bytes
from s3protocol.signatures.header_v4 import read_request_time
from s3protocol.signatures.payloads import read_payload_declaration
from s3protocol.signatures.presented import PresentedSignature, ReceivedRequest, SignatureKind

# A sub-resource that isn't signed could be added to a signed URL and make another operation of it. So the list is that
# of the documentation and of botocore, and every sub-resource that came to S3 after them: clients that sign fewer are
# refused for those.
_SIGNED_PARAMETERS: Final = frozenset(
    {
        "accelerate",
        "acl",
        "analytics",
        "attributes",
        "cors",
        "defaultObjectAcl",
        "delete",
        "encryption",
        "intelligent-tiering",
        "inventory",
        "legal-hold",
        "lifecycle",
        "location",
        "logging",
        "metadataConfiguration",
        "metadataInventoryTable",
        "metadataJournalTable",
        "metadataTable",
        "metrics",
        "notification",
        "object-lock",
        "ownershipControls",
        "partNumber",
        "policy",
        "policyStatus",
        "publicAccessBlock",
        "renameObject",
        "replication",
        "requestPayment",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
        "response-content-language",
        "response-content-type",
        "response-expires",
        "restore",
        "retention",
        "select",
        "select-type",
        "session",
        "storageClass",
        "tagging",
        "torrent",
        "uploadId",
        "uploads",
        "versionId",
        "versioning",
        "versions",
        "website",
    }
)
_POSITIONAL_HEADERS: Final = ("content-md5", "content-type")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_SECONDS = re.compile(r"[0-9]{1,11}")
_LINE_BREAKS = re.compile(r"[ \t]*[\r\n]+[ \t]*")


def read_header(credential: str, headers: Mapping[str, str]) -> PresentedSignature:
    """Read what follows "AWS " in the Authorization header. InvalidArgument, AccessDenied."""
    access_key_id, _, signature = credential.strip().rpartition(":")
    if not access_key_id or not signature:
        raise errors.InvalidArgument(
            "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature",
            ArgumentName="Authorization",
            ArgumentValue=f"AWS {credential}",
        )
    timestamp_text, timestamp = read_request_time(headers)
    if timestamp < _EPOCH:
        raise errors.AccessDenied("AWS authentication requires a valid Date or x-amz-date header")
    return _presented(
        SignatureKind.HEADER_V2,
        access_key_id=access_key_id,
        signature=signature,
        timestamp=timestamp,
        timestamp_text=timestamp_text,
        session_token=headers.get("x-amz-security-token"),
        headers=headers,
    )


def read_query(query: Mapping[str, str], headers: Mapping[str, str]) -> PresentedSignature:
    """Read AWSAccessKeyId, Signature and Expires of a decoded query. AccessDenied if they are not whole."""
    access_key_id, signature, expires = query.get("AWSAccessKeyId"), query.get("Signature"), query.get("Expires")
    if not access_key_id or not signature or not expires:
        raise errors.AccessDenied(
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        )
    if not _EPOCH_SECONDS.fullmatch(expires):
        raise errors.AccessDenied(f"Invalid date (should be seconds since epoch): {expires}")
    return _presented(
        SignatureKind.QUERY_V2,
        access_key_id=access_key_id,
        # Base64 has plus signs, and not every client encodes them.
        signature=signature.replace(" ", "+"),
        timestamp=_EPOCH + timedelta(seconds=int(expires)),
        timestamp_text=expires,
        # The header first, as in the string to sign: what is believed must be what is signed.
        session_token=headers.get("x-amz-security-token") or query.get("x-amz-security-token"),
        headers=headers,
    )


def strings_to_sign(presented: PresentedSignature, request: ReceivedRequest) -> Iterator[str]:
    """Yield the spellings of the string to sign that clients use for this request, the likeliest first.

    They differ in how the path is encoded, in the slash behind a bucket and in whether "acl=" is signed as "acl": never
    in what the request means.
    """
    head = _head_lines(presented, request)
    bucket = f"/{request.virtual_host_bucket}" if request.virtual_host_bucket else ""
    paths = [request.raw_path or "", canonical_path(request.path)]
    if not bucket and "/" not in request.path.strip("/") and not request.path.endswith("/"):
        paths.append(f"{canonical_path(request.path)}/")  # botocore sends /bucket and signs /bucket/
    parameters = [_signed_query(request.raw_query, keep_empty_values=keep) for keep in (False, True)]
    for path in dict.fromkeys(filter(None, paths)):
        for parameter_text in dict.fromkeys(parameters):
            yield f"{head}{bucket}{path}{parameter_text}"


def sign(secret_key: str, text: str) -> str:
    """Sign a string to sign: HMAC-SHA1 in base64."""
    return base64.b64encode(hmac.digest(secret_key.encode(), raw_bytes(text), "sha1")).decode("ascii")


def _presented(
    kind: SignatureKind,
    *,
    access_key_id: str,
    signature: str,
    timestamp: datetime,
    timestamp_text: str,
    session_token: str | None,
    headers: Mapping[str, str],
) -> PresentedSignature:
    payload = read_payload_declaration(headers)
    if payload.mode.has_signed_chunks:
        raise errors.InvalidRequest("A body in signed chunks needs a request signed with AWS4-HMAC-SHA256.")
    return PresentedSignature(
        kind=kind,
        access_key_id=access_key_id,
        scope=None,
        signed_headers=(),
        signature=signature,
        timestamp=timestamp,
        timestamp_text=timestamp_text,
        expires_seconds=None,
        session_token=session_token,
        payload=payload,
        canonical_payload=None,
    )


def _head_lines(presented: PresentedSignature, request: ReceivedRequest) -> str:
    """Write method, Content-MD5, Content-Type, the date and the x-amz-* headers, a line each."""
    headers = request.headers
    extensions = {name: value for name, value in headers.items() if name.startswith("x-amz-")}
    positional = {name: headers.get(name, "").strip() for name in _POSITIONAL_HEADERS}
    if presented.kind is SignatureKind.QUERY_V2:
        date = presented.timestamp_text
        # Presigners put the headers that they signed into the query, for clients that cannot send them. Decoded to
        # latin-1, as headers are: text that stands for the bytes that were signed. The first of equal names counts, and a
        # plus sign is a space, as for whoever heeds them: what is believed must be what is signed.
        stated: dict[str, str] = {}
        for name, value in _raw_pairs(request.raw_query):
            stated.setdefault(name, unquote_plus(value, encoding="latin-1"))
        extensions = {name: value for name, value in stated.items() if name.startswith("x-amz-")} | extensions
        positional |= {name: stated[name] for name in positional if name in stated and name not in headers}
    else:
        date = "" if "x-amz-date" in headers else presented.timestamp_text
    lines = [request.method, *positional.values(), date]
    lines += [f"{name}:{extensions[name].strip()}" for name in sorted(extensions)]
    # A line break inside a line would make one string of two requests; in headers there is none, in a query can be.
    return "\n".join([_LINE_BREAKS.sub(" ", line) for line in lines]) + "\n"


def _signed_query(raw_query: str, *, keep_empty_values: bool) -> str:
    """Write the signed parameters behind a question mark, decoded, sorted by name; empty if there are none."""
    parameters = []
    for pair in raw_query.split("&"):
        name, has_equals, value = pair.partition("=")
        if name in _SIGNED_PARAMETERS:
            is_assignment = value or (has_equals and keep_empty_values)
            parameters.append((name, f"{name}={unquote(value, encoding='latin-1')}" if is_assignment else name))
    parameters.sort()
    return f"?{'&'.join([text for _, text in parameters])}" if parameters else ""


def _raw_pairs(raw_query: str) -> Iterator[tuple[str, str]]:
    for pair in raw_query.split("&"):
        name, _, value = pair.partition("=")
        yield unquote_plus(name), value
