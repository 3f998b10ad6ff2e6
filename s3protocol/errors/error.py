"""The root of the S3 error catalogue: what every error carries, and how its class states code, status and message.

An S3 error is raised where it is noticed and rendered once, by the endpoint (`errors.error_document`). Not here: the
errors of storage (`chunks` has its own), and any decision about what to log.
"""

from collections.abc import Mapping
from typing import ClassVar


class S3Error(Exception):
    """An answer that S3 defines as an error.

    `members` become elements of the <Error> document (`Key="k"`), `headers` go to the HTTP response. Both hold text
    from the request as it came: escaping is the renderer's business.
    """

    code: ClassVar[str] = "InternalError"
    status: ClassVar[int] = 500
    default_message: ClassVar[str] = "We encountered an internal error. Please try again."

    def __init_subclass__(cls, *, status: int, message: str, code: str | None = None) -> None:
        """Take the catalogue's facts from the class line; the code is the class's name unless it cannot be one."""
        super().__init_subclass__()
        cls.code = code or cls.__name__
        cls.status = status
        cls.default_message = message

    def __init__(self, message: str | None = None, *, headers: Mapping[str, str] | None = None, **members: str) -> None:
        self.message = self.default_message if message is None else message
        self.headers: Mapping[str, str] = headers or {}
        self.members: Mapping[str, str] = members
        super().__init__(self.message)
