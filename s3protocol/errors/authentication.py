"""Errors about who asks and how the request was signed; the refusals of access control live here too.

Codes and statuses: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. Messages are our own wording
wherever AWS's is long. Not here: anything about what the request says once it is believed (`requests`).
"""

# Classes bear the names of the codes, and their messages are their documentation.
# ruff: noqa: D101

from s3protocol.errors.error import S3Error


class AccessDenied(S3Error, status=403, message="Access Denied"): ...


class AccessForbidden(
    S3Error, status=403, message="CORSResponse: This CORS request is not allowed by the resource's CORS configuration."
): ...


class AccountProblem(
    S3Error, status=403, message="There is a problem with your account that keeps the operation from completing."
): ...


class AllAccessDisabled(S3Error, status=403, message="All access to this resource has been disabled."): ...


class AuthorizationHeaderMalformed(
    S3Error, status=400, message="The authorization header that you provided is not valid."
): ...


class AuthorizationQueryParametersError(
    S3Error, status=400, message="The authorization query parameters that you provided are not valid."
): ...


class CredentialsNotSupported(S3Error, status=400, message="This request does not support credentials."): ...


class CrossLocationLoggingProhibited(
    S3Error, status=403, message="Buckets in one location cannot log to a bucket in another location."
): ...


class ExpiredToken(S3Error, status=400, message="The provided token has expired."): ...


class InvalidAccessKeyId(
    S3Error, status=403, message="The access key ID that you provided does not exist in our records."
): ...


class InvalidChunkSizeError(
    S3Error, status=403, message="Only the last chunk is allowed to have a size smaller than 8192 bytes."
): ...


class InvalidPayer(S3Error, status=403, message="All access to this object has been disabled."): ...


class InvalidRegion(S3Error, status=403, message="The region is not enabled for this account."): ...


class InvalidSecurity(S3Error, status=403, message="The provided security credentials are not valid."): ...


class InvalidSignature(
    S3Error,
    status=400,
    message="The request signature that the server calculated does not match the signature that you provided.",
): ...


class InvalidToken(S3Error, status=400, message="The provided token is malformed or otherwise not valid."): ...


class MissingAuthenticationToken(S3Error, status=403, message="The request was not signed."): ...


class MissingSecurityElement(S3Error, status=400, message="The request is missing a security element."): ...


class MissingSecurityHeader(S3Error, status=400, message="Your request is missing a required header."): ...


class NotSignedUp(S3Error, status=403, message="Your account is not signed up for this service."): ...


class RequestTimeTooSkewed(
    S3Error, status=403, message="The difference between the request time and the server's time is too large."
): ...


class SignatureDoesNotMatch(
    S3Error,
    status=403,
    message="The request signature we calculated does not match the one you provided. Check your key and signing method.",
): ...


class TokenCodeInvalidError(
    S3Error, status=400, message="The serial number or token code that you provided is not valid."
): ...


class TokenRefreshRequired(S3Error, status=400, message="The provided token must be refreshed."): ...


class UnauthorizedAccessError(S3Error, status=403, message="Access to this resource is not authorized."): ...


class UnexpectedIPError(
    S3Error, status=403, message="This request was rejected because the IP address was unexpected."
): ...


class UnsupportedSignature(
    S3Error, status=400, message="The provided request is signed with an unsupported STS token or signature version."
): ...
