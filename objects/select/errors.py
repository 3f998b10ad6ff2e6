"""What is wrong with a query or with the data that it meets: S3 Select's codes, which are not in the catalogue of S3's."""

from __future__ import annotations


class SelectError(Exception):
    """An error by its code; the catalogue of codes is in the API reference of SelectObjectContent."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
