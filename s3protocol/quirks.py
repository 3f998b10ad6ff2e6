"""Quirks: where the wire differs from the model, as short tables, each row with its reason.

The model (botocore's service-2.json) was written for clients. It leaves out what a client does not need: the root tag
of most answers, which bodies may be empty, what a bad value is refused with. Not here: code that walks shapes (codec).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from s3protocol.model import operation_model

XML_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
XSI_NAMESPACE: Final = "http://www.w3.org/2001/XMLSchema-instance"

# The model names an output after the operation (ListObjectsOutput) where the answer's root is another word. Clients
# mostly ignore the root; those that do not (Go's encoding/xml with an XMLName, C clients by path) need AWS's. Source:
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
        "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationsResult",
        # Three of the four lists of configurations leave "Bucket" out, as seen on AWS; the documentation has it.
        "ListBucketIntelligentTieringConfigurations": "ListIntelligentTieringConfigurationsResult",
        "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
        "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
        "ListBuckets": "ListAllMyBucketsResult",
        "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
        "ListMultipartUploads": "ListMultipartUploadsResult",
        "ListObjectAnnotations": "ListObjectAnnotationsResult",
        "ListObjectVersions": "ListVersionsResult",
        "ListObjects": "ListBucketResult",
        "ListObjectsV2": "ListBucketResult",
        "ListParts": "ListPartsResult",
        "PutObjectAnnotation": "PutObjectAnnotationResult",
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


def required_members(operation_name: str) -> frozenset[str]:
    """Name the input members that every accepted request carries, so that a handler may count on them."""
    shape = operation_model(operation_name).input_shape
    if shape is None:
        return frozenset()
    payload = shape.serialization.get("payload")
    required = frozenset(shape.required_members)
    return required if payload is None or operation_name in OPTIONAL_PAYLOADS else required | {payload}
