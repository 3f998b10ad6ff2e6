"""The errors of IAM and STS: one class for each code, named as the code.

https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and the operations' own pages. An error is raised
where it is noticed and rendered once, by the endpoint.
"""

# Classes bear the names of the codes, and their messages are their documentation.
# ruff: noqa: D101

from __future__ import annotations

from typing import ClassVar


class QueryError(Exception):
    """An answer that IAM or STS define as an error."""

    code: ClassVar[str] = "InternalFailure"
    status: ClassVar[int] = 500
    default_message: ClassVar[str] = "The request processing has failed because of an internal error."

    def __init_subclass__(cls, *, status: int, message: str, code: str | None = None) -> None:
        """Take the catalogue's facts from the class line; the code is the class's name unless it cannot be one."""
        super().__init_subclass__()
        cls.code = code or cls.__name__
        cls.status = status
        cls.default_message = message

    def __init__(self, message: str | None = None) -> None:
        self.message = self.default_message if message is None else message
        super().__init__(self.message)


class AccessDenied(QueryError, status=403, message="Access denied"): ...


class ConcurrentModification(
    QueryError, status=409, message="Another request changed the entity at the same time. Try again."
): ...


class DeleteConflict(QueryError, status=409, message="Cannot delete entity, something is still attached to it."): ...


class EntityAlreadyExists(QueryError, status=409, message="The entity exists already."): ...


class ExpiredToken(QueryError, status=403, message="The security token included in the request is expired"): ...


class ExpiredTokenException(QueryError, status=400, message="Token must not be expired"): ...


class IDPCommunicationError(QueryError, status=400, message="The identity provider could not be reached."): ...


class IDPRejectedClaim(QueryError, status=403, message="The identity provider's claim is not valid here."): ...


class IncompleteSignature(QueryError, status=400, message="The request signature does not conform to standards."): ...


class InternalFailure(QueryError, status=500, message=QueryError.default_message): ...


class InvalidAction(QueryError, status=400, message="The action or operation requested is invalid."): ...


class InvalidAuthorizationMessageException(
    QueryError, status=400, message="The encoded message is not one of ours, has expired, or is not yours."
): ...


class InvalidClientTokenId(
    QueryError, status=403, message="The security token included in the request is invalid."
): ...


class InvalidIdentityToken(QueryError, status=400, message="The web identity token could not be validated."): ...


class InvalidInput(QueryError, status=400, message="The request has an invalid or out-of-range value."): ...


class InvalidUserType(QueryError, status=400, message="The request is not valid for this kind of user."): ...


class LimitExceeded(QueryError, status=409, message="The request exceeds a limit of the account."): ...


class MalformedPolicyDocument(QueryError, status=400, message="The policy is malformed."): ...


class MalformedQueryString(QueryError, status=400, message="The query string contains a syntax error."): ...


class MissingAction(QueryError, status=400, message="The request is missing an action."): ...


class MissingAuthenticationToken(QueryError, status=403, message="Request is missing Authentication Token"): ...


class NoSuchEntity(QueryError, status=404, message="The entity cannot be found."): ...


class NotImplemented(QueryError, status=501, message="This operation is not implemented."): ...  # noqa: A001


class PackedPolicyTooLarge(QueryError, status=400, message="The session's policies and tags are too large."): ...


class PasswordPolicyViolation(
    QueryError, status=400, message="The password does not meet the account's password policy."
): ...


class PolicyNotAttachable(QueryError, status=400, message="The policy cannot be attached."): ...


class ReportExpired(QueryError, status=410, message="The credential report has expired."): ...


class ReportNotPresent(QueryError, status=410, message="There is no credential report; generate one."): ...


class RequestEntityTooLarge(QueryError, status=413, message="The request is too large."): ...


class RequestExpired(QueryError, status=400, message="The request's time is too far from the server's."): ...


class ServiceUnavailable(QueryError, status=503, message="The service is unavailable at the moment."): ...


class SignatureDoesNotMatch(
    QueryError,
    status=403,
    message="The request signature we calculated does not match the signature you provided. Check your key and signing method.",
): ...


class Throttling(QueryError, status=400, message="Rate exceeded"): ...


class UnmodifiableEntity(QueryError, status=400, message="The entity cannot be changed."): ...


class ValidationError(QueryError, status=400, message="The input does not satisfy the constraints."): ...


_CODES_OF_S3 = {
    "InvalidAccessKeyId": InvalidClientTokenId,
    "InvalidToken": InvalidClientTokenId,
    "ExpiredToken": ExpiredToken,
    "RequestTimeTooSkewed": RequestExpired,
    "SignatureDoesNotMatch": SignatureDoesNotMatch,
    "AuthorizationHeaderMalformed": IncompleteSignature,
    "AuthorizationQueryParametersError": IncompleteSignature,
    "InvalidArgument": IncompleteSignature,
    "InvalidRequest": IncompleteSignature,
    "NotImplemented": IncompleteSignature,
    "InvalidURI": MalformedQueryString,
    "ServiceUnavailable": ServiceUnavailable,
    "SlowDown": Throttling,
}


def of_s3(code: str, message: str) -> QueryError:
    """Say an error of S3's, as authentication raises them, in the words of the query protocol."""
    found = _CODES_OF_S3.get(code, AccessDenied)
    # S3's message would name its own service's terms; only what helps to find the mistake is kept.
    return found(message) if found is IncompleteSignature else found()
