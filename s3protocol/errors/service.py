"""Errors about the service itself: what it does not do, where to go instead, and when it cannot answer.

Codes and statuses: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. Messages are our own wording
wherever AWS's is long. The class NotImplemented bears the name of a builtin: import the module, not the name.
"""

# Classes bear the names of the codes, and their messages are their documentation.
# ruff: noqa: D101, A001

from s3protocol.errors.error import S3Error


class DeviceNotActiveError(S3Error, status=400, message="The device is not currently active."): ...


class EndpointNotFound(S3Error, status=400, message="Direct requests to the correct endpoint."): ...


class IncorrectEndpoint(
    S3Error,
    status=400,
    message="The specified bucket exists in another region. Direct requests to the correct endpoint.",
): ...


# Not AWS's, whose stores are never full. The status is WebDAV's (RFC 4918, section 11.5). SDKs repeat 500, 502, 503 and
# 504, and fail at once on 507, as they should: space does not come back within seconds.
class InsufficientStorage(S3Error, status=507, message="There is not enough space left to store the object."): ...


class InternalError(S3Error, status=500, message="We encountered an internal error. Please try again."): ...


class MethodNotAllowed(S3Error, status=405, message="The specified method is not allowed against this resource."): ...


class NotImplemented(
    S3Error, status=501, message="A header or query you provided implies functionality that is not implemented."
): ...


class PermanentRedirect(
    S3Error,
    status=301,
    message="The bucket you are attempting to access must be addressed using the specified endpoint.",
): ...


class Redirect(
    S3Error,
    status=307,
    message="Temporary redirect. You are being redirected to the bucket while the DNS server is being updated.",
): ...


class ResponseInterrupted(S3Error, status=400, message="The response was interrupted. Try again."): ...


class ServiceUnavailable(
    S3Error, status=503, message="Service is unable to handle request. Please reduce your request rate."
): ...


class SlowDown(S3Error, status=503, message="Please reduce your request rate."): ...


class TemporaryRedirect(
    S3Error, status=307, message="You are being redirected to the bucket while the DNS server is being updated."
): ...
