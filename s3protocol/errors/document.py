"""The <Error> document: an S3Error as the XML that clients read; those of S3 Control want it wrapped.

Layout: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses. It bears no namespace,
unlike every other S3 document. It never fails: whatever the text holds, the result parses.
"""

from collections.abc import Mapping

from s3protocol.errors.error import S3Error
from s3protocol.xmltext import escape_text

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def error_document(error: S3Error, *, resource: str, request_id: str, host_id: str) -> bytes:
    """Render the error: Code and Message first, its own members, then where and in which request it happened."""
    inner = _elements(
        {
            "Code": error.code,
            "Message": error.message,
            **error.members,
            "Resource": resource,
            "RequestId": request_id,
            "HostId": host_id,
        }
    )
    return f"{_DECLARATION}<Error>{inner}</Error>".encode()


def control_error_document(error: S3Error, *, resource: str, request_id: str, host_id: str) -> bytes:
    """Render the error as S3 Control does: what it is inside, in which request it happened beside."""
    inner = _elements({"Code": error.code, "Message": error.message, **error.members, "Resource": resource})
    request = _elements({"RequestId": request_id, "HostId": host_id})
    return f"{_DECLARATION}<ErrorResponse><Error>{inner}</Error>{request}</ErrorResponse>".encode()


def _elements(texts: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escape_text(str(text))}</{name}>" for name, text in texts.items())
