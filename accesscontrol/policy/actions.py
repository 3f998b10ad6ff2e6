"""The actions of S3, so that a bucket policy with a misspelt one is refused and does not wait for ever to match.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html, those on buckets, objects
and the service itself.
"""

from __future__ import annotations

from typing import Final

_READ_AND_PUT = """
    AccelerateConfiguration AnalyticsConfiguration BucketAcl BucketCORS BucketLogging BucketNotification
    BucketObjectLockConfiguration BucketOwnershipControls BucketPolicy BucketPublicAccessBlock BucketRequestPayment
    BucketTagging BucketVersioning BucketWebsite EncryptionConfiguration IntelligentTieringConfiguration
    InventoryConfiguration LifecycleConfiguration MetricsConfiguration ObjectAcl ObjectLegalHold ObjectRetention
    ObjectTagging ObjectVersionAcl ObjectVersionTagging ReplicationConfiguration AccountPublicAccessBlock
    BucketAbac BucketMetadataTableConfiguration ObjectAnnotation ObjectVersionAnnotation
"""
_OTHERS = """
    AbortMultipartUpload BypassGovernanceRetention CreateBucket CreateBucketMetadataTableConfiguration CreateSession
    DeleteBucket DeleteBucketMetadataTableConfiguration DeleteBucketOwnershipControls DeleteBucketPolicy
    DeleteBucketWebsite DeleteObject DeleteObjectAnnotation DeleteObjectTagging DeleteObjectVersion
    DeleteObjectVersionAnnotation DeleteObjectVersionTagging GetBucketLocation GetBucketPolicyStatus GetObject
    GetObjectAttributes GetObjectTorrent GetObjectVersion GetObjectVersionAttributes GetObjectVersionForReplication
    GetObjectVersionTorrent HeadBucket InitiateReplication ListAllMyBuckets ListBucket ListBucketMultipartUploads
    ListBucketVersions ListMultipartUploadParts ListObjectAnnotations ListTagsForResource ObjectOwnerOverrideToBucketOwner
    PostBucketLogging PutBucketOwnershipControls PutObject RenameObject ReplicateDelete ReplicateObject ReplicateTags
    RestoreObject SelectObjectContent TagResource UntagResource UpdateBucketMetadataInventoryTableConfiguration
    UpdateBucketMetadataJournalTableConfiguration UpdateObjectEncryption
"""

S3_ACTIONS: Final = frozenset(
    [f"s3:{verb}{name}" for name in _READ_AND_PUT.split() for verb in ("Get", "Put")]
    + [f"s3:{name}" for name in _OTHERS.split()]
)
"""Every action that a policy may name, in AWS's spelling."""

_ON_OBJECTS_TOO = """
    AbortMultipartUpload BypassGovernanceRetention InitiateReplication ListMultipartUploadParts ReplicateDelete ReplicateTags
"""
OBJECT_ACTIONS: Final = frozenset(
    [action for action in S3_ACTIONS if "Object" in action and "BucketObjectLock" not in action]
    + [f"s3:{name}" for name in _ON_OBJECTS_TOO.split()]
)
"""Those that are about an object; the others are about a bucket, or about neither."""
