"""The <Error> document: an S3Error as the XML that clients read.

Layout: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses. It bears no namespace,
unlike every other S3 document. It never fails: whatever the text holds, the result parses.
"""

from s3protocol.errors.error import S3Error
from s3protocol.xmltext import escape_text


def error_document(error: S3Error, *, resource: str, request_id: str, host_id: str) -> bytes:
    """Render the error: Code and Message first, its own members, then where and in which request it happened."""
    elements = {
        "Code": error.code,
        "Message": error.message,
        **error.members,
        "Resource": resource,
        "RequestId": request_id,
        "HostId": host_id,
    }
    inner = "".join(f"<{name}>{escape_text(str(text))}</{name}>" for name, text in elements.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'.encode()
