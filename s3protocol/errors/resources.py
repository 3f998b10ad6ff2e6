"""Errors about the bucket, object, version or upload that a request names: absent, taken, or in the wrong state.

Codes and statuses: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. Messages are our own wording
wherever AWS's is long. Not here: the configurations of a bucket (`configurations`).
"""

# Classes bear the names of the codes, and their messages are their documentation.
# ruff: noqa: D101

from s3protocol.errors.error import S3Error


class AccessPointAlreadyOwnedByYou(
    S3Error, status=409, message="An access point with an identical name already exists in your account."
): ...


class AnnotationLimitExceeded(
    S3Error, status=400, message="The object has reached the maximum number of annotations."
): ...


class AnnotationNameTooLong(S3Error, status=400, message="The annotation name is too long."): ...


class BucketAlreadyExists(
    S3Error, status=409, message="The requested bucket name is not available. Select a different name and try again."
): ...


class BucketAlreadyOwnedByYou(
    S3Error, status=409, message="Your previous request to create the named bucket succeeded and you already own it."
): ...


class BucketHasAccessPointsAttached(
    S3Error, status=400, message="The bucket that you are attempting to delete has access points attached."
): ...


class BucketNotEmpty(S3Error, status=409, message="The bucket you tried to delete is not empty"): ...


class ClientTokenConflict(
    S3Error, status=409, message="Your request token has been used before by a different request."
): ...


class ConditionalRequestConflict(
    S3Error,
    status=409,
    message="A conflicting operation occurred during this request. Fetch the current state and try again.",
): ...


class EncryptionTypeMismatch(
    S3Error, status=400, message="The encryption type of the object does not match that of the request."
): ...


class InvalidAnnotationName(S3Error, status=400, message="The annotation name is not valid."): ...


class InvalidBucketName(S3Error, status=400, message="The specified bucket is not valid."): ...


class InvalidBucketState(
    S3Error, status=409, message="The request is not valid for the current state of the bucket."
): ...


class InvalidObjectState(
    S3Error, status=403, message="The operation is not valid for the current state of the object."
): ...


class InvalidPart(
    S3Error,
    status=400,
    message="One or more of the specified parts could not be found, or the specified entity tag did not match.",
): ...


class InvalidPartNumber(S3Error, status=416, message="The requested partnumber is not satisfiable"): ...


class InvalidPartOrder(
    S3Error, status=400, message="The list of parts was not in ascending order. Parts must be ordered by part number."
): ...


class NoSuchAccessPoint(S3Error, status=404, message="The specified access point does not exist."): ...


class NoSuchAnnotation(S3Error, status=404, message="The specified annotation does not exist."): ...


class NoSuchAsyncRequest(S3Error, status=404, message="The specified request was not found."): ...


class NoSuchBucket(S3Error, status=404, message="The specified bucket does not exist"): ...


class NoSuchKey(S3Error, status=404, message="The specified key does not exist."): ...


class NoSuchMultiRegionAccessPoint(
    S3Error, status=404, message="The specified multi-region access point does not exist."
): ...


class NoSuchUpload(
    S3Error,
    status=404,
    message="The specified upload does not exist. Its ID may be wrong, or it may have been aborted or completed.",
): ...


class NoSuchVersion(S3Error, status=404, message="The specified version does not exist."): ...


class ObjectAlreadyInActiveTierError(
    S3Error, status=403, message="This object is already in an active tier and needs no restore."
): ...


class ObjectNotInActiveTierError(
    S3Error, status=403, message="The source object of the copy is not in an active tier. Restore it first."
): ...


class OperationAborted(
    S3Error,
    status=409,
    message="A conflicting conditional operation is currently in progress against this resource. Please try again.",
): ...


class QuotaExceeded(S3Error, status=403, message="The quota of the bucket or of the account is used up."): ...


class RequestTorrentOfBucketError(
    S3Error, status=400, message="Requesting the torrent file of a bucket is not permitted."
): ...


class RestoreAlreadyInProgress(S3Error, status=409, message="The object restore is already in progress."): ...


class TooManyAccessPoints(
    S3Error, status=400, message="You have attempted to create more access points than are allowed for an account."
): ...


class TooManyBuckets(S3Error, status=400, message="You have attempted to create more buckets than allowed"): ...


class TooManyParts(
    S3Error, status=400, message="You have attempted to add more parts than the maximum number of parts."
): ...
