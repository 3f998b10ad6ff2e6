"""The kinds of documents that a bucket has, in the order of the page that lists them."""

from __future__ import annotations

from console.configurations import POLICY, Configuration

_KINDS = (
    Configuration(
        "policy",
        "Bucket policy",
        "Who may do what in this bucket, and under which conditions, beside what their own policies say.",
        "GetBucketPolicy",
        "PutBucketPolicy",
        POLICY,
        deletes="DeleteBucketPolicy",
        example={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                    "Action": ["s3:GetObject", "s3:ListBucket"],
                    "Resource": ["arn:aws:s3:::BUCKET", "arn:aws:s3:::BUCKET/*"],
                }
            ],
        },
    ),
    Configuration(
        "public-access-block",
        "Public access block",
        "What the bucket refuses to share with everyone, whatever policies and access control lists say.",
        "GetPublicAccessBlock",
        "PutPublicAccessBlock",
        "PublicAccessBlockConfiguration",
        deletes="DeletePublicAccessBlock",
        example={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    ),
    Configuration(
        "ownership",
        "Object ownership",
        "Who owns what other accounts write here. BucketOwnerEnforced turns access control lists off.",
        "GetBucketOwnershipControls",
        "PutBucketOwnershipControls",
        "OwnershipControls",
        deletes="DeleteBucketOwnershipControls",
        example={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    ),
    Configuration(
        "acl",
        "Access control list",
        "The older way to share: grants to accounts and groups. A policy says more, and is easier to read.",
        "GetBucketAcl",
        "PutBucketAcl",
        "AccessControlPolicy",
    ),
    Configuration(
        "cors",
        "Cross-origin rules",
        "Which web pages may use this bucket from a browser.",
        "GetBucketCors",
        "PutBucketCors",
        "CORSConfiguration",
        deletes="DeleteBucketCors",
        example={
            "CORSRules": [
                {
                    "AllowedOrigins": ["https://www.example.org"],
                    "AllowedMethods": ["GET", "PUT"],
                    "AllowedHeaders": ["*"],
                    "ExposeHeaders": ["ETag"],
                    "MaxAgeSeconds": 3000,
                }
            ]
        },
    ),
    Configuration(
        "lifecycle",
        "Lifecycle rules",
        "What expires, moves to another storage class or is aborted, and when. Carried out at once, and then every day.",
        "GetBucketLifecycleConfiguration",
        "PutBucketLifecycleConfiguration",
        "LifecycleConfiguration",
        deletes="DeleteBucketLifecycle",
        beside=("TransitionDefaultMinimumObjectSize",),
        example={
            "Rules": [
                {
                    "ID": "logs go after a month",
                    "Status": "Enabled",
                    "Filter": {"Prefix": "logs/"},
                    "Expiration": {"Days": 30},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
                },
                {
                    "ID": "uploads that nobody finished",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                },
            ]
        },
    ),
    Configuration(
        "object-lock",
        "Object lock",
        "Versions that nobody deletes before their time: the retention that new ones get. Once on, it stays on.",
        "GetObjectLockConfiguration",
        "PutObjectLockConfiguration",
        "ObjectLockConfiguration",
        example={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}},
        },
    ),
    Configuration(
        "encryption",
        "Default encryption",
        "How objects are encrypted whose writer asks for nothing.",
        "GetBucketEncryption",
        "PutBucketEncryption",
        "ServerSideEncryptionConfiguration",
        deletes="DeleteBucketEncryption",
        example={"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]},
    ),
    Configuration(
        "notification",
        "Notifications",
        "Which changes are told to webhooks, Redis streams and AMQP exchanges. Operators register the targets.",
        "GetBucketNotificationConfiguration",
        "PutBucketNotificationConfiguration",
        "NotificationConfiguration",
        clears={},
        example={
            "QueueConfigurations": [
                {
                    "QueueArn": "arn:objstore:sqs::TARGET:webhook",
                    "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "incoming/"}]}},
                }
            ]
        },
    ),
    Configuration(
        "replication",
        "Replication",
        "To which other buckets, here or elsewhere, new versions are carried.",
        "GetBucketReplication",
        "PutBucketReplication",
        "ReplicationConfiguration",
        deletes="DeleteBucketReplication",
        example={
            "Role": "arn:aws:iam::123456789012:role/replication",
            "Rules": [
                {
                    "ID": "everything",
                    "Priority": 1,
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "DeleteMarkerReplication": {"Status": "Enabled"},
                    "Destination": {"Bucket": "arn:aws:s3:::OTHER"},
                }
            ],
        },
    ),
    Configuration(
        "website",
        "Website",
        "How the bucket is served as a website: index and error pages, redirects.",
        "GetBucketWebsite",
        "PutBucketWebsite",
        "WebsiteConfiguration",
        deletes="DeleteBucketWebsite",
        example={"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}},
    ),
    Configuration(
        "logging",
        "Access logs",
        "Into which bucket a line for each request is delivered. The audit log has them all, with or without.",
        "GetBucketLogging",
        "PutBucketLogging",
        "BucketLoggingStatus",
        clears={},
        example={"LoggingEnabled": {"TargetBucket": "LOGS", "TargetPrefix": "BUCKET/"}},
    ),
    Configuration(
        "request-payment",
        "Request payment",
        "Whether others who read here say that they pay for it.",
        "GetBucketRequestPayment",
        "PutBucketRequestPayment",
        "RequestPaymentConfiguration",
    ),
    Configuration(
        "inventory",
        "Inventories",
        "Lists of all objects, delivered every day or week.",
        "GetBucketInventoryConfiguration",
        "PutBucketInventoryConfiguration",
        "InventoryConfiguration",
        deletes="DeleteBucketInventoryConfiguration",
        lists="ListBucketInventoryConfigurations",
        example={
            "Id": "daily",
            "IsEnabled": True,
            "IncludedObjectVersions": "Current",
            "Schedule": {"Frequency": "Daily"},
            "Destination": {
                "S3BucketDestination": {"Bucket": "arn:aws:s3:::LISTS", "Format": "CSV", "Prefix": "BUCKET"}
            },
            "OptionalFields": ["Size", "LastModifiedDate", "ETag", "StorageClass"],
        },
    ),
    Configuration(
        "analytics",
        "Storage class analyses",
        "How old and how large what is here is, and how much of it would be cheaper elsewhere.",
        "GetBucketAnalyticsConfiguration",
        "PutBucketAnalyticsConfiguration",
        "AnalyticsConfiguration",
        deletes="DeleteBucketAnalyticsConfiguration",
        lists="ListBucketAnalyticsConfigurations",
        example={"Id": "all", "StorageClassAnalysis": {}},
    ),
    Configuration(
        "metrics",
        "Metrics",
        "Parts of the bucket whose requests and bytes are counted apart.",
        "GetBucketMetricsConfiguration",
        "PutBucketMetricsConfiguration",
        "MetricsConfiguration",
        deletes="DeleteBucketMetricsConfiguration",
        lists="ListBucketMetricsConfigurations",
        example={"Id": "photos", "Filter": {"Prefix": "photos/"}},
    ),
    Configuration(
        "intelligent-tiering",
        "Intelligent tiering",
        "When what nobody reads moves to the archive tiers of its class.",
        "GetBucketIntelligentTieringConfiguration",
        "PutBucketIntelligentTieringConfiguration",
        "IntelligentTieringConfiguration",
        deletes="DeleteBucketIntelligentTieringConfiguration",
        lists="ListBucketIntelligentTieringConfigurations",
        example={
            "Id": "archive",
            "Status": "Enabled",
            "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}],
        },
    ),
)

KINDS = {kind.slug: kind for kind in _KINDS}
