"""Errors about what a request says: its address, headers, XML, form and the bytes of its body.

Codes and statuses: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. Messages are our own wording
wherever AWS's is long. Not here: what the request is about (`resources`), and what is wrong with a configuration or
an object's content once it was read (`configurations`).
"""

# Classes bear the names of the codes, and their messages are their documentation.
# ruff: noqa: D101

from s3protocol.errors.error import S3Error


class BadDigest(
    S3Error,
    status=400,
    message="The Content-MD5 or checksum value that you specified did not match what the server received.",
): ...


class BadRequest(S3Error, status=400, message="The request cannot be served as it is."): ...


class ConnectionClosedByRequester(S3Error, status=400, message="The connection was closed by the requester."): ...


class EntityTooLarge(S3Error, status=400, message="Your proposed upload exceeds the maximum allowed object size."): ...


class EntityTooSmall(S3Error, status=400, message="Your proposed upload is smaller than the minimum allowed size."): ...


class IdempotencyParameterMismatch(
    S3Error,
    status=400,
    message="The parameters on this idempotent request are inconsistent with those of the earlier request.",
): ...


class IncompleteBody(
    S3Error, status=400, message="You did not provide the number of bytes specified by the Content-Length HTTP header."
): ...


class IncorrectNumberOfFilesInPostRequest(
    S3Error, status=400, message="POST requires exactly one file upload per request."
): ...


class InlineDataTooLarge(S3Error, status=400, message="Inline data exceeds the maximum allowed size."): ...


class InvalidAddressingHeader(S3Error, status=400, message="The requested addressing is not valid."): ...


class InvalidArgument(S3Error, status=400, message="Invalid Argument"): ...


class InvalidDigest(
    S3Error, status=400, message="The Content-MD5 or checksum value that you specified is not valid."
): ...


class InvalidHostHeader(
    S3Error, status=400, message="The host headers provided in the request used the incorrect style of addressing."
): ...


class InvalidHttpMethod(S3Error, status=400, message="The HTTP method is not valid for this request."): ...


class InvalidPrefix(S3Error, status=400, message="The specified prefix is not valid."): ...


class InvalidRange(S3Error, status=416, message="The requested range is not satisfiable"): ...


class InvalidRequest(S3Error, status=400, message="Invalid Request"): ...


class InvalidSOAPRequest(S3Error, status=400, message="The SOAP request body is not valid."): ...


class InvalidURI(S3Error, status=400, message="Couldn't parse the specified URI."): ...


class InvalidWriteOffset(
    S3Error, status=400, message="The write offset value that you specified does not match the current object size."
): ...


class KeyTooLongError(S3Error, status=400, message="Your key is too long"): ...


class MalformedPOSTRequest(
    S3Error, status=400, message="The body of your POST request is not well-formed multipart/form-data."
): ...


class MalformedXML(
    S3Error,
    status=400,
    message="The XML you provided was not well-formed or did not validate against our published schema",
): ...


class MaxMessageLengthExceeded(S3Error, status=400, message="Your request was too big."): ...


class MaxPostPreDataLengthExceededError(
    S3Error, status=400, message="Your POST request fields preceding the upload file were too large."
): ...


class MetadataTooLarge(
    S3Error, status=400, message="Your metadata headers exceed the maximum allowed metadata size"
): ...


class MissingAttachment(S3Error, status=400, message="A SOAP attachment was expected, but none was found."): ...


class MissingContentLength(S3Error, status=411, message="You must provide the Content-Length HTTP header."): ...


class MissingRequestBodyError(S3Error, status=400, message="Request body is empty"): ...


class PreconditionFailed(
    S3Error, status=412, message="At least one of the pre-conditions you specified did not hold"
): ...


class NotModified(S3Error, status=304, message="Not Modified"): ...


class RequestHeaderSectionTooLarge(
    S3Error, status=400, message="The request header and query parameters exceed the maximum allowed size."
): ...


class RequestIsNotMultiPartContent(
    S3Error, status=400, message="A bucket POST must be of the enclosure type multipart/form-data."
): ...


class RequestTimeout(
    S3Error,
    status=400,
    message="Your socket connection to the server was not read from or written to within the timeout period.",
): ...


class UnexpectedContent(S3Error, status=400, message="This request contains unsupported content."): ...


class UnsupportedArgument(S3Error, status=400, message="The request contained an argument that is not supported."): ...


class UnsupportedMediaType(
    S3Error, status=415, message="The media type or the encoding of the body is not supported."
): ...


class UserKeyMustBeSpecified(
    S3Error,
    status=400,
    message="The bucket POST must contain the specified field name. If it is specified, check the order of the fields.",
): ...


class XAmzContentSHA256Mismatch(
    S3Error, status=400, message="The provided 'x-amz-content-sha256' header does not match what was computed."
): ...
