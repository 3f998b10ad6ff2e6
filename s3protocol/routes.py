"""Routes: which S3 operation a request means, from its method, level, query and headers.

One explicit table (ROUTES), written down and never derived from required members. The rule that keeps it safe: a
reserved sub-resource name that matches no row is refused and never falls through to the bare operation, so that
`DELETE /bucket?inventory` without its id cannot delete the bucket and `PUT /key?uploadId=x` without a part number
cannot overwrite the object. Every other query name, unknown ones too (`x-id`, `X-Amz-Date`, `prefix`), is no business
of routing: AWS ignores them as well.

Names are case-sensitive and a sub-resource's value does not matter (`?versioning=1`), as on AWS; the exceptions stand
in the table's `value`. Not here: how bucket and key are found in the address, and what an operation does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from s3protocol import errors


class Level(StrEnum):
    """What the address names: nothing, a bucket, a key in a bucket, or (S3 Control) a bucket by its ARN, or an account."""

    SERVICE = "SERVICE"
    BUCKET = "BUCKET"
    OBJECT = "OBJECT"
    RESOURCE = "RESOURCE"
    ACCOUNT = "ACCOUNT"


@dataclass(frozen=True, slots=True)
class Route:
    """One row: the request that means `operation`.

    `companions` are query names that must be there too, `value` is a (query name, value) that must match, `header` is
    a header that must be there. Rows of the same method, level and sub-resource are tried in the table's order.
    """

    operation: str
    method: str
    level: Level
    subresource: str | None = None
    companions: tuple[str, ...] = ()
    value: tuple[str, str] | None = None
    header: str | None = None
    takes_version: bool = False


POST_OBJECT: Final = "PostObject"
PREFLIGHT_REQUEST: Final = "PreflightRequest"

SUPERSEDED: Final = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
}
"""Operations of the model whose address another operation has taken over, and which."""

UNREACHABLE: Final = {
    "ListDirectoryBuckets": "shares GET / with ListBuckets; AWS tells them apart by the host, S3 Express's own",
}
"""Operations of the model that no request to this endpoint can mean, and why."""

_SERVICE: Final = Level.SERVICE
_BUCKET: Final = Level.BUCKET
_OBJECT: Final = Level.OBJECT

ROUTES: Final = (
    # WriteGetObjectResponse has the literal path /WriteGetObjectResponse, which parses as a bucket that no bucket can
    # be named as; PostObject is the browser's form upload and in no model.
    Route("ListBuckets", "GET", _SERVICE),
    Route("ListObjects", "GET", _BUCKET),
    Route("HeadBucket", "HEAD", _BUCKET),
    Route("CreateBucket", "PUT", _BUCKET),
    Route("WriteGetObjectResponse", "POST", _BUCKET, header="x-amz-request-route"),
    Route("PostObject", "POST", _BUCKET),
    Route("DeleteBucket", "DELETE", _BUCKET),
    Route("GetBucketAbac", "GET", _BUCKET, "abac"),
    Route("PutBucketAbac", "PUT", _BUCKET, "abac"),
    Route("GetBucketAccelerateConfiguration", "GET", _BUCKET, "accelerate"),
    Route("PutBucketAccelerateConfiguration", "PUT", _BUCKET, "accelerate"),
    Route("GetBucketAcl", "GET", _BUCKET, "acl"),
    Route("PutBucketAcl", "PUT", _BUCKET, "acl"),
    Route("GetBucketAnalyticsConfiguration", "GET", _BUCKET, "analytics", companions=("id",)),
    Route("ListBucketAnalyticsConfigurations", "GET", _BUCKET, "analytics"),
    Route("PutBucketAnalyticsConfiguration", "PUT", _BUCKET, "analytics", companions=("id",)),
    Route("DeleteBucketAnalyticsConfiguration", "DELETE", _BUCKET, "analytics", companions=("id",)),
    Route("GetBucketCors", "GET", _BUCKET, "cors"),
    Route("PutBucketCors", "PUT", _BUCKET, "cors"),
    Route("DeleteBucketCors", "DELETE", _BUCKET, "cors"),
    Route("DeleteObjects", "POST", _BUCKET, "delete"),
    Route("GetBucketEncryption", "GET", _BUCKET, "encryption"),
    Route("PutBucketEncryption", "PUT", _BUCKET, "encryption"),
    Route("DeleteBucketEncryption", "DELETE", _BUCKET, "encryption"),
    Route("GetBucketIntelligentTieringConfiguration", "GET", _BUCKET, "intelligent-tiering", companions=("id",)),
    Route("ListBucketIntelligentTieringConfigurations", "GET", _BUCKET, "intelligent-tiering"),
    Route("PutBucketIntelligentTieringConfiguration", "PUT", _BUCKET, "intelligent-tiering", companions=("id",)),
    Route("DeleteBucketIntelligentTieringConfiguration", "DELETE", _BUCKET, "intelligent-tiering", companions=("id",)),
    Route("GetBucketInventoryConfiguration", "GET", _BUCKET, "inventory", companions=("id",)),
    Route("ListBucketInventoryConfigurations", "GET", _BUCKET, "inventory"),
    Route("PutBucketInventoryConfiguration", "PUT", _BUCKET, "inventory", companions=("id",)),
    Route("DeleteBucketInventoryConfiguration", "DELETE", _BUCKET, "inventory", companions=("id",)),
    Route("GetBucketLifecycleConfiguration", "GET", _BUCKET, "lifecycle"),
    Route("PutBucketLifecycleConfiguration", "PUT", _BUCKET, "lifecycle"),
    Route("DeleteBucketLifecycle", "DELETE", _BUCKET, "lifecycle"),
    Route("ListObjectsV2", "GET", _BUCKET, "list-type", value=("list-type", "2")),
    Route("GetBucketLocation", "GET", _BUCKET, "location"),
    Route("GetBucketLogging", "GET", _BUCKET, "logging"),
    Route("PutBucketLogging", "PUT", _BUCKET, "logging"),
    Route("UpdateBucketMetadataAnnotationTableConfiguration", "PUT", _BUCKET, "metadataAnnotationTable"),
    Route("GetBucketMetadataConfiguration", "GET", _BUCKET, "metadataConfiguration"),
    Route("CreateBucketMetadataConfiguration", "POST", _BUCKET, "metadataConfiguration"),
    Route("DeleteBucketMetadataConfiguration", "DELETE", _BUCKET, "metadataConfiguration"),
    Route("UpdateBucketMetadataInventoryTableConfiguration", "PUT", _BUCKET, "metadataInventoryTable"),
    Route("UpdateBucketMetadataJournalTableConfiguration", "PUT", _BUCKET, "metadataJournalTable"),
    Route("GetBucketMetadataTableConfiguration", "GET", _BUCKET, "metadataTable"),
    Route("CreateBucketMetadataTableConfiguration", "POST", _BUCKET, "metadataTable"),
    Route("DeleteBucketMetadataTableConfiguration", "DELETE", _BUCKET, "metadataTable"),
    Route("GetBucketMetricsConfiguration", "GET", _BUCKET, "metrics", companions=("id",)),
    Route("ListBucketMetricsConfigurations", "GET", _BUCKET, "metrics"),
    Route("PutBucketMetricsConfiguration", "PUT", _BUCKET, "metrics", companions=("id",)),
    Route("DeleteBucketMetricsConfiguration", "DELETE", _BUCKET, "metrics", companions=("id",)),
    Route("GetBucketNotificationConfiguration", "GET", _BUCKET, "notification"),
    Route("PutBucketNotificationConfiguration", "PUT", _BUCKET, "notification"),
    Route("GetObjectLockConfiguration", "GET", _BUCKET, "object-lock"),
    Route("PutObjectLockConfiguration", "PUT", _BUCKET, "object-lock"),
    Route("GetBucketOwnershipControls", "GET", _BUCKET, "ownershipControls"),
    Route("PutBucketOwnershipControls", "PUT", _BUCKET, "ownershipControls"),
    Route("DeleteBucketOwnershipControls", "DELETE", _BUCKET, "ownershipControls"),
    Route("GetBucketPolicy", "GET", _BUCKET, "policy"),
    Route("PutBucketPolicy", "PUT", _BUCKET, "policy"),
    Route("DeleteBucketPolicy", "DELETE", _BUCKET, "policy"),
    Route("GetBucketPolicyStatus", "GET", _BUCKET, "policyStatus"),
    Route("GetPublicAccessBlock", "GET", _BUCKET, "publicAccessBlock"),
    Route("PutPublicAccessBlock", "PUT", _BUCKET, "publicAccessBlock"),
    Route("DeletePublicAccessBlock", "DELETE", _BUCKET, "publicAccessBlock"),
    Route("GetBucketReplication", "GET", _BUCKET, "replication"),
    Route("PutBucketReplication", "PUT", _BUCKET, "replication"),
    Route("DeleteBucketReplication", "DELETE", _BUCKET, "replication"),
    Route("GetBucketRequestPayment", "GET", _BUCKET, "requestPayment"),
    Route("PutBucketRequestPayment", "PUT", _BUCKET, "requestPayment"),
    Route("CreateSession", "GET", _BUCKET, "session"),
    Route("GetBucketTagging", "GET", _BUCKET, "tagging"),
    Route("PutBucketTagging", "PUT", _BUCKET, "tagging"),
    Route("DeleteBucketTagging", "DELETE", _BUCKET, "tagging"),
    Route("ListMultipartUploads", "GET", _BUCKET, "uploads"),
    Route("GetBucketVersioning", "GET", _BUCKET, "versioning"),
    Route("PutBucketVersioning", "PUT", _BUCKET, "versioning"),
    Route("ListObjectVersions", "GET", _BUCKET, "versions"),
    Route("GetBucketWebsite", "GET", _BUCKET, "website"),
    Route("PutBucketWebsite", "PUT", _BUCKET, "website"),
    Route("DeleteBucketWebsite", "DELETE", _BUCKET, "website"),
    Route("GetObject", "GET", _OBJECT, takes_version=True),
    Route("HeadObject", "HEAD", _OBJECT, takes_version=True),
    Route("CopyObject", "PUT", _OBJECT, header="x-amz-copy-source"),
    Route("PutObject", "PUT", _OBJECT),
    Route("DeleteObject", "DELETE", _OBJECT, takes_version=True),
    Route("GetObjectAcl", "GET", _OBJECT, "acl", takes_version=True),
    Route("PutObjectAcl", "PUT", _OBJECT, "acl", takes_version=True),
    Route("GetObjectAnnotation", "GET", _OBJECT, "annotation", companions=("annotationName",), takes_version=True),
    Route("ListObjectAnnotations", "GET", _OBJECT, "annotation", takes_version=True),
    Route("PutObjectAnnotation", "PUT", _OBJECT, "annotation", companions=("annotationName",), takes_version=True),
    Route(
        "DeleteObjectAnnotation", "DELETE", _OBJECT, "annotation", companions=("annotationName",), takes_version=True
    ),
    Route("GetObjectAttributes", "GET", _OBJECT, "attributes", takes_version=True),
    Route("UpdateObjectEncryption", "PUT", _OBJECT, "encryption", takes_version=True),
    Route("GetObjectLegalHold", "GET", _OBJECT, "legal-hold", takes_version=True),
    Route("PutObjectLegalHold", "PUT", _OBJECT, "legal-hold", takes_version=True),
    Route("RenameObject", "PUT", _OBJECT, "renameObject"),
    Route("RestoreObject", "POST", _OBJECT, "restore", takes_version=True),
    Route("GetObjectRetention", "GET", _OBJECT, "retention", takes_version=True),
    Route("PutObjectRetention", "PUT", _OBJECT, "retention", takes_version=True),
    Route("SelectObjectContent", "POST", _OBJECT, "select", companions=("select-type",), value=("select-type", "2")),
    Route("GetObjectTagging", "GET", _OBJECT, "tagging", takes_version=True),
    Route("PutObjectTagging", "PUT", _OBJECT, "tagging", takes_version=True),
    Route("DeleteObjectTagging", "DELETE", _OBJECT, "tagging", takes_version=True),
    Route("GetObjectTorrent", "GET", _OBJECT, "torrent"),
    Route("ListParts", "GET", _OBJECT, "uploadId"),
    Route("UploadPartCopy", "PUT", _OBJECT, "uploadId", companions=("partNumber",), header="x-amz-copy-source"),
    Route("UploadPart", "PUT", _OBJECT, "uploadId", companions=("partNumber",)),
    Route("CompleteMultipartUpload", "POST", _OBJECT, "uploadId"),
    Route("AbortMultipartUpload", "DELETE", _OBJECT, "uploadId"),
    Route("CreateMultipartUpload", "POST", _OBJECT, "uploads"),
    Route("ListTagsForResource", "GET", Level.RESOURCE),
    Route("TagResource", "POST", Level.RESOURCE),
    Route("UntagResource", "DELETE", Level.RESOURCE),
    Route("GetAccountPublicAccessBlock", "GET", Level.ACCOUNT),
    Route("PutAccountPublicAccessBlock", "PUT", Level.ACCOUNT),
    Route("DeleteAccountPublicAccessBlock", "DELETE", Level.ACCOUNT),
)

# A companion is reserved like the sub-resource that it belongs to. `id` is left out: too common a word to refuse.
_COMPANIONS: Final = frozenset({"annotationName", "partNumber", "select-type"})
_SUBRESOURCES: Final = frozenset(route.subresource for route in ROUTES if route.subresource)
RESERVED_NAMES: Final = _SUBRESOURCES | _COMPANIONS
"""Every query name that means, or helps to mean, an operation of its own at some level."""

_Rows = dict[str, tuple[Route, ...]]


def _rows_by_method(level: Level, subresource: str | None) -> _Rows:
    rows: _Rows = {}
    for route in ROUTES:
        if route.level is level and route.subresource == subresource:
            rows[route.method] = (*rows.get(route.method, ()), route)
    return rows


_BARE: Final = {level: _rows_by_method(level, None) for level in Level}
_SELECTED: Final = {
    (level, name): rows for level in Level for name in _SUBRESOURCES if (rows := _rows_by_method(level, name))
}


def resolve(method: str, level: Level, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Name the operation of a request, in the model's words, or POST_OBJECT or PREFLIGHT_REQUEST.

    `method` is upper case, header names are lower case. Raises MethodNotAllowed, InvalidArgument or InvalidRequest;
    the answers follow what AWS was seen to say.
    """
    if method == "OPTIONS":
        return PREFLIGHT_REQUEST
    if RESERVED_NAMES.isdisjoint(query):
        rows = _BARE[level].get(method)
        if rows is None:
            _refuse_method(method, level, _BARE[level])
        route = _first_match(rows, query, headers)
        if route is None:
            _refuse_method(method, level, _BARE[level])
    else:
        route = _select(method, level, query, headers)
    if "versionId" in query and not route.takes_version:
        raise errors.InvalidArgument(
            "This operation does not accept a version-id.", ArgumentName="versionId", ArgumentValue=query["versionId"]
        )
    return route.operation


def _select(method: str, level: Level, query: Mapping[str, str], headers: Mapping[str, str]) -> Route:
    """Find the row of a request that names at least one reserved name."""
    named = sorted(name for name in query if name in RESERVED_NAMES)
    subresources = [name for name in named if name in _SUBRESOURCES]
    if not subresources:
        return _select_by_companion(method, level, named, query, headers)
    subresource = subresources[0]
    rows = _SELECTED.get((level, subresource))
    belonging = {name for routes in (rows or {}).values() for route in routes for name in route.companions}
    if len(subresources) > 1 or not belonging.issuperset(set(named) - {subresource}):
        _refuse_conflict(named)
    if rows is None:
        _refuse_level(level, subresource)
    if method not in rows:
        _refuse_method(method, subresource.upper(), rows)
    route = _first_match(rows[method], query, headers)
    if route is None:
        _refuse_incomplete(rows[method], query)
    if not {subresource, *route.companions}.issuperset(named):
        _refuse_method(method, subresource.upper(), rows)  # GET ?uploadId&partNumber: a part has a PUT alone
    return route


def _select_by_companion(
    method: str, level: Level, named: list[str], query: Mapping[str, str], headers: Mapping[str, str]
) -> Route:
    """Judge a companion without its sub-resource; only reading one part of an object may pass."""
    if named == ["partNumber"] and level is Level.OBJECT and method in {"GET", "HEAD"}:
        route = _first_match(_BARE[level][method], query, headers)
        assert route is not None, "the bare GET and HEAD of an object have no condition"
        return route
    if "partNumber" in named and level is not Level.OBJECT:
        raise errors.InvalidRequest("Object must have a valid key name.")
    if len(named) > 1:
        _refuse_conflict(named)
    raise errors.InvalidArgument(
        "Unexpected query string parameter", ArgumentName="ResourceType", ArgumentValue=named[0]
    )


def _first_match(rows: tuple[Route, ...], query: Mapping[str, str], headers: Mapping[str, str]) -> Route | None:
    for route in rows:
        if route.header is not None and route.header not in headers:
            continue
        if route.value is not None and query.get(route.value[0]) != route.value[1]:
            continue
        if all(name in query for name in route.companions):
            return route
    return None


def _refuse_conflict(named: list[str]) -> NoReturn:
    raise errors.InvalidArgument(
        f"Conflicting query string parameters: {', '.join(named)}",
        ArgumentName="ResourceType",
        ArgumentValue=named[0],
    )


def _refuse_method(method: str, resource_type: str, rows: _Rows) -> NoReturn:
    raise errors.MethodNotAllowed(headers={"Allow": ", ".join(rows)}, Method=method, ResourceType=resource_type)


def _refuse_level(level: Level, subresource: str) -> NoReturn:
    # AWS answers some sub-resources of the bucket at a key as well (?location, ?policy); we take that for a mistake of
    # the client's, because the same address with another method would write.
    if level is Level.BUCKET and subresource == "torrent":
        raise errors.RequestTorrentOfBucketError
    if level is Level.BUCKET and subresource == "uploadId":
        raise errors.InvalidRequest("A key must be specified")
    if level is Level.OBJECT and subresource == "logging":
        raise errors.NoLoggingStatusForKey
    raise errors.InvalidRequest(f"There is no such thing as the ?{subresource} sub-resource for {_NOUNS[level]}")


_NOUNS: Final = {
    Level.SERVICE: "the service",
    Level.BUCKET: "a bucket",
    Level.OBJECT: "a key",
    Level.RESOURCE: "tags",
    Level.ACCOUNT: "an account",
}


def _refuse_incomplete(rows: tuple[Route, ...], query: Mapping[str, str]) -> NoReturn:
    for route in rows:
        for name in route.companions:
            if name not in query:
                raise errors.InvalidArgument(
                    f"This operation requires the query parameter {name}", ArgumentName=name, ArgumentValue=""
                )
    name = next(route.value[0] for route in rows if route.value is not None)
    raise errors.InvalidArgument(f"Invalid value of {name}", ArgumentName=name, ArgumentValue=query[name])
