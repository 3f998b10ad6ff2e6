"""The query protocol of IAM and STS: a form in, XML out, compiled from botocore's models like S3's codec.

A request is `POST /` with a form as its body (or `GET /?Action=…`): the action, the version of the service, and the
members of the input by dotted names. `operation_of` finds what a form asks for, `codec_for` reads and answers it,
`registry` knows who serves it. Pure: no Django, no clock.
https://docs.aws.amazon.com/IAM/latest/APIReference/programming.html
"""

from s3protocol.query.codec import QueryCodec, codec_for, error_document
from s3protocol.query.form import FORM_BYTES_MAX, read_form
from s3protocol.query.model import Service, operation_names, operation_of

__all__ = [
    "FORM_BYTES_MAX",
    "QueryCodec",
    "Service",
    "codec_for",
    "error_document",
    "operation_names",
    "operation_of",
    "read_form",
]
