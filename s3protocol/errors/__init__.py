"""The S3 error catalogue: one class for each code, named as the code. Use as `errors.NoSuchKey(Key=key)`.

The classes stand in files by what they are about; everybody imports this package alone. `by_code` finds a class from
text (a console filter, an answer of another S3 server). Codes that belong to S3 Select's own grammar are left out.
"""

# The catalogue is whole by construction, where a list of 149 names would rot.
# ruff: noqa: F403

from typing import Final

from s3protocol.errors.authentication import *
from s3protocol.errors.configurations import *
from s3protocol.errors.document import control_error_document as control_error_document
from s3protocol.errors.document import error_document as error_document
from s3protocol.errors.error import S3Error as S3Error
from s3protocol.errors.requests import *
from s3protocol.errors.resources import *
from s3protocol.errors.select import *
from s3protocol.errors.service import *

by_code: Final = {error_class.code: error_class for error_class in S3Error.__subclasses__()}
