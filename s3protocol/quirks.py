"""Quirks: where the wire differs from the model, as short tables, each row with its reason.

The model (botocore's service-2.json) was written for clients. It leaves out what a client does not need: the root tag
of most answers, which bodies may be empty, what a bad value is refused with. Not here: code that walks shapes (codec).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from s3protocol.model import operation_model

XML_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
CONTROL_XML_NAMESPACE: Final = "http://awss3control.amazonaws.com/doc/2018-08-20/"
XSI_NAMESPACE: Final = "http://www.w3.org/2001/XMLSchema-instance"

# The model names an output after the operation (ListObjectsOutput) where the answer's root is another word. Clients
# mostly ignore the root; those that do not (the SDK for Rust, Go's encoding/xml with an XMLName) need AWS's. Source:
# the "Response Syntax" of each operation in https://docs.aws.amazon.com/AmazonS3/latest/API/.
OUTPUT_ROOT_TAGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CompleteMultipartUpload": "CompleteMultipartUploadResult",
        "CreateMultipartUpload": "InitiateMultipartUploadResult",
        "CreateSession": "CreateSessionResult",
        "DeleteObjects": "DeleteResult",
        "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
        "GetBucketAcl": "AccessControlPolicy",
        "GetBucketCors": "CORSConfiguration",
        "GetBucketLifecycle": "LifecycleConfiguration",
        "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
        "GetBucketLocation": "LocationConstraint",
        "GetBucketLogging": "BucketLoggingStatus",
        "GetBucketNotification": "NotificationConfiguration",
        "GetBucketNotificationConfiguration": "NotificationConfiguration",
        "GetBucketRequestPayment": "RequestPaymentConfiguration",
        "GetBucketTagging": "Tagging",
        "GetBucketVersioning": "VersioningConfiguration",
        "GetBucketWebsite": "WebsiteConfiguration",
        "GetObjectAcl": "AccessControlPolicy",
        "GetObjectAttributes": "GetObjectAttributesResponse",
        "GetObjectTagging": "Tagging",
        # These two and the annotations are what the SDK for Rust insists on; AWS was seen to send the former two as
        # ListBucketAnalyticsConfigurationsResult and ListIntelligentTieringConfigurationsResult. No client is known
        # to insist on those.
        "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
        "ListBucketIntelligentTieringConfigurations": "ListBucketIntelligentTieringConfigurationsOutput",
        "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
        "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
        "ListBuckets": "ListAllMyBucketsResult",
        "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
        "ListMultipartUploads": "ListMultipartUploadsResult",
        "ListObjectAnnotations": "ListObjectAnnotationsOutput",
        "ListObjectVersions": "ListVersionsResult",
        "ListObjects": "ListBucketResult",
        "ListObjectsV2": "ListBucketResult",
        "ListParts": "ListPartsResult",
        "ListTagsForResource": "ListTagsForResourceResult",
        "PutObjectAnnotation": "PutObjectAnnotationOutput",
    }
)

OPTIONAL_PAYLOADS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CreateBucket": "without a body the bucket is made in the endpoint's own region",
        "PutBucketAcl": "the ACL may come in headers instead",
        "PutObjectAcl": "the ACL may come in headers instead",
    }
)
"""Operations with an XML payload that may be absent. In all others an empty body is refused, required or not."""

EMPTY_PAYLOAD_IS_MALFORMED: Final[Mapping[str, str]] = MappingProxyType(
    {"CompleteMultipartUpload": "AWS reads an absent list of parts as an empty one, which its schema refuses"}
)
"""Operations that answer MalformedXML to an empty body; the others answer MissingRequestBodyError, as AWS does."""

OPEN_ENUMERATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "BucketLocationConstraint": "lists Amazon's regions; the handler compares with ours (InvalidLocationConstraint)",
        "StorageClass": "operators add classes; the handler knows which there are (InvalidStorageClass)",
        "TransitionStorageClass": "likewise",
    }
)
"""String shapes whose list of values does not bind a request."""

MORE_VALUES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"BucketCannedACL": ("aws-exec-read", "log-delivery-write")},
)
"""String shapes that have values which the model forgets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html"""

CASELESS_ENUMERATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ChecksumAlgorithm": "AWS takes crc32c as well as CRC32C; SDKs differ",
        "FilterRuleName": "AWS answers Prefix itself, where the model says prefix, and takes back what it answered",
        "ChecksumMode": "AWS takes enabled as well as ENABLED; SDKs differ",
    }
)
"""String shapes whose values are matched without regard to case, and handed on in the model's spelling."""

OPAQUE_TIMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Expires": "S3 stores and returns the header as text; `Expires: 0` and `-1` are common and valid on the web",
        "ResponseExpires": "becomes the Expires header of the answer, and is as free",
    }
)
"""Timestamp shapes that are text to S3: handlers get and return str."""

IGNORED_WHEN_UNREADABLE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "if-modified-since": "RFC 9110, section 13.1.3: a recipient must ignore it if it is not a valid date",
        "if-unmodified-since": "RFC 9110, section 13.1.4: likewise",
    }
)
"""Headers that count as absent when their value does not parse."""

REFUSED_HEADERS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "GetObject": frozenset({"x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"}),
        "HeadObject": frozenset({"x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"}),
    }
)
"""Headers unknown to the model that are not ignored but refused: a read takes no order how to encrypt.

Source: "should not be sent for GET requests and HEAD requests", https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

EXTRA_OUTPUT_HEADERS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "CompleteMultipartUpload": MappingProxyType(
            {
                "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
                "SSECustomerKeyMD5": "x-amz-server-side-encryption-customer-key-MD5",
            }
        ),
    }
)
"""Text members that answers carry in headers beyond the model, by operation."""

TRANSFER_ONLY_ENCODINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aws-chunked": "frames a signed upload; S3 takes it off and does not store it: "
        "https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html",
    }
)
"""Values of Content-Encoding that say nothing about the object."""

EXTRA_REQUIRED_MEMBERS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "CompletedMultipartUpload": frozenset({"Parts"}),  # an upload without parts is MalformedXML
        "CompletedPart": frozenset({"ETag", "PartNumber"}),
    }
)
"""Members that AWS's schema requires and the model, kind to clients, does not; by structure."""

OPEN_STRUCTURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CompletedPart": "clients send back what ListParts gave them: Size, LastModified",
        "ObjectIdentifier": "clients send back what ListObjectVersions gave them: IsLatest, StorageClass",
    }
)
"""Structures of a request in which unknown elements are ignored; everywhere else they are MalformedXML."""

EXTRA_ROOT_TAGS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "CreateBucket": frozenset({"CreateBucketConstraint"}),  # what boto 2 sends
    }
)
"""Roots of a request that are accepted beside the model's, by operation."""

MALFORMED_ACL_OPERATIONS: Final = frozenset({"PutBucketAcl", "PutObjectAcl"})
"""Operations that answer MalformedACLError where others answer MalformedXML."""

PART_NUMBER_MAX: Final = 10_000
INTEGER_RANGES: Final[Mapping[str, tuple[int, int | None, str]]] = MappingProxyType(
    {
        "partNumber": (
            1,
            PART_NUMBER_MAX,
            f"Part number must be an integer between 1 and {PART_NUMBER_MAX}, inclusive",
        ),
    }
)
"""Bounds and message of integer parameters, by wire name; all others run from zero to their type's maximum."""

EMPTY_INTEGER_IS_ABSENT: Final = frozenset(
    {"max-buckets", "max-keys", "max-parts", "max-uploads", "part-number-marker", "x-amz-max-parts"}
)
"""Counts and markers that AWS takes as absent when they are there without a value (`?max-keys=`)."""

ENUMERATION_MESSAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "encoding-type": "Invalid Encoding Method specified in Request",
        "x-amz-metadata-directive": "Unknown metadata directive.",
        "x-amz-tagging-directive": "Unknown tagging directive.",
        "x-amz-object-attributes": "Invalid attribute name specified.",
        "x-amz-object-lock-legal-hold": "Legal Hold must be either of 'ON' or 'OFF'",
        "x-amz-object-lock-mode": "Unknown wormMode directive.",
        "x-amz-object-ownership": "Invalid x-amz-object-ownership header",
        "x-amz-server-side-encryption": "The encryption method specified is not supported",
    }
)
"""What InvalidArgument says about a value that is none of the defined ones, by wire name."""


def required_members(operation_name: str) -> frozenset[str]:
    """Name the input members that every accepted request carries, so that a handler may count on them."""
    shape = operation_model(operation_name).input_shape
    if shape is None:
        return frozenset()
    payload = shape.serialization.get("payload")
    required = frozenset(shape.required_members)
    return required if payload is None or operation_name in OPTIONAL_PAYLOADS else required | {payload}
