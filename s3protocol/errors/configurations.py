"""Errors about configurations: of a bucket (policy, lifecycle, CORS ...), of an object (tags, ACL, lock, encryption).

Codes and statuses: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and the page of each operation.
Messages are our own wording wherever AWS's is long.
"""

# Classes bear the names of the codes, and their messages are their documentation.
# ruff: noqa: D101

from s3protocol.errors.error import S3Error


class AccessControlListNotSupported(S3Error, status=400, message="The bucket does not allow ACLs"): ...


class AmbiguousGrantByEmailAddress(
    S3Error, status=400, message="The email address that you provided is associated with more than one account."
): ...


class IllegalLocationConstraintException(
    S3Error,
    status=400,
    message="The location constraint is incompatible with the region specific endpoint this request was sent to.",
): ...


class IllegalVersioningConfigurationException(
    S3Error, status=400, message="The versioning configuration specified in the request is not valid."
): ...


class InvalidBucketAclWithBlockPublicAccessError(
    S3Error, status=400, message="Block Public Access does not allow this bucket ACL."
): ...


class InvalidBucketAclWithObjectOwnership(
    S3Error, status=400, message="Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
): ...


class InvalidBucketOwnerAWSAccountID(
    S3Error, status=400, message="The value of the expected bucket owner parameter must be an account ID."
): ...


class InvalidConfigurationId(S3Error, status=400, message="The specified configuration id is invalid."): ...


class InvalidEncryptionAlgorithmError(
    S3Error,
    status=400,
    message="The encryption request that you specified is not valid. The valid values are AES256 and aws:kms.",
): ...


class InvalidLocationConstraint(S3Error, status=400, message="The specified location-constraint is not valid"): ...


class InvalidPolicyDocument(
    S3Error,
    status=400,
    message="The content of the form does not meet the conditions specified in the policy document.",
): ...


class InvalidRetentionPeriod(
    S3Error, status=400, message="Default retention period must be a positive integer value."
): ...


class InvalidS3DestinationBucket(
    S3Error, status=400, message="The destination bucket that you specified is not valid."
): ...


class InvalidStorageClass(S3Error, status=400, message="The storage class you specified is not valid"): ...


class InvalidTag(S3Error, status=400, message="The tag provided was not a valid tag."): ...


class InvalidTargetBucketForLogging(
    S3Error,
    status=400,
    message="The target bucket for logging does not exist, is not yours, or does not let logs be written.",
): ...


class KMSDisabledException(
    S3Error,
    status=400,
    code="KMS.DisabledException",
    message="The request was rejected because the specified key is disabled.",
): ...


class KMSInvalidKeyUsageException(
    S3Error,
    status=400,
    code="KMS.InvalidKeyUsageException",
    message="The request was rejected because the key cannot be used for this operation.",
): ...


class KMSInvalidStateException(
    S3Error,
    status=400,
    code="KMS.KMSInvalidStateException",
    message="The request was rejected because the state of the key does not allow this operation.",
): ...


class KMSNotFoundException(
    S3Error,
    status=400,
    code="KMS.NotFoundException",
    message="The request was rejected because the specified key was not found.",
): ...


class MalformedACLError(
    S3Error,
    status=400,
    message="The XML you provided was not well-formed or did not validate against our published schema",
): ...


class MalformedPolicy(S3Error, status=400, message="This policy contains invalid Json"): ...


class MetadataConfigurationNotFound(S3Error, status=404, message="The metadata configuration was not found."): ...


class NoLoggingStatusForKey(
    S3Error, status=400, message="There is no such thing as a logging status subresource for a key."
): ...


class NoSuchBucketPolicy(S3Error, status=404, message="The bucket policy does not exist"): ...


class NoSuchConfiguration(S3Error, status=404, message="The specified configuration does not exist."): ...


class NoSuchCORSConfiguration(S3Error, status=404, message="The CORS configuration does not exist"): ...


class NoSuchLifecycleConfiguration(S3Error, status=404, message="The lifecycle configuration does not exist"): ...


class NoSuchObjectLockConfiguration(
    S3Error, status=404, message="The specified object does not have a ObjectLock configuration"
): ...


class NoSuchPublicAccessBlockConfiguration(
    S3Error, status=404, message="The public access block configuration was not found"
): ...


class NoSuchTagSet(S3Error, status=404, message="The TagSet does not exist"): ...


class NoSuchTagSetError(S3Error, status=404, message="There is no tag set associated with the bucket."): ...


class NoSuchWebsiteConfiguration(
    S3Error, status=404, message="The specified bucket does not have a website configuration"
): ...


class ObjectLockConfigurationNotFoundError(
    S3Error, status=404, message="Object Lock configuration does not exist for this bucket"
): ...


class OwnershipControlsNotFoundError(S3Error, status=404, message="The bucket ownership controls were not found"): ...


class ReplicationConfigurationNotFoundError(
    S3Error, status=404, message="The replication configuration was not found"
): ...


class ServerSideEncryptionConfigurationNotFoundError(
    S3Error, status=404, message="The server side encryption configuration was not found"
): ...


class TagPolicyException(
    S3Error, status=400, message="The tag policy does not allow the specified value for the tag."
): ...


class TooManyConfigurations(
    S3Error, status=400, message="You are attempting to create a new configuration but have already reached the limit."
): ...


class UnresolvableGrantByEmailAddress(
    S3Error, status=400, message="The e-mail address you provided does not match any account on record."
): ...
