"""Errors of SelectObjectContent. Its grammar has some hundred codes, all of status 400: one class carries them."""

from __future__ import annotations

from s3protocol.errors.error import S3Error


class SelectFailure(S3Error, status=400, message="The query could not be answered."):
    """A query or data that S3 Select refuses; the code is its own for each."""

    def __init__(self, code: str = "SelectFailure", message: str | None = None) -> None:
        super().__init__(message)
        self.code = code  # type: ignore[misc]  # the one class whose codes differ
