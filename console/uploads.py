"""A browser's upload as the body that `objects` stores: the request's stream, piece by piece, never as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.http.request import UnreadablePostError

from s3protocol import errors
from s3protocol.checksums import ChecksumAlgorithm

PIECE_SIZE_BYTES = 1 << 20
DRAIN_SIZE_BYTES_MAX = 4 << 20


class UploadedStream:
    """A request's raw body of known length. A browser claims no digests: what arrives is what is stored."""

    def __init__(self, request: HttpRequest) -> None:
        """Take the request. Raises MissingContentLength."""
        length = request.META.get("CONTENT_LENGTH") or ""
        if not (length.isascii() and length.isdecimal() and len(length) < 20):
            raise errors.MissingContentLength
        self._request = request
        self.size_bytes: int | None = int(length)
        self.checksum_algorithm: ChecksumAlgorithm | None = ChecksumAlgorithm.CRC64NVME

    def pieces(self) -> Iterator[bytes | memoryview]:
        """Yield the body. Raises IncompleteBody when the connection breaks."""
        received = 0
        while True:
            try:
                piece = self._request.read(PIECE_SIZE_BYTES)
            except (OSError, UnreadablePostError):
                raise errors.IncompleteBody from None
            if not piece:
                break
            received += len(piece)
            yield piece
        if received != self.size_bytes:
            raise errors.IncompleteBody

    def claimed_md5(self) -> bytes | None:
        """Return nothing: browsers send no Content-MD5."""
        return None

    def claimed_checksum(self) -> bytes | None:
        """Return nothing: browsers send no checksum."""
        return None


def drain(request: HttpRequest) -> None:
    """Read what is left of a refused upload, within bounds, so that the browser gets to read the answer."""
    left = DRAIN_SIZE_BYTES_MAX
    try:
        while left > 0 and (piece := request.read(min(left, PIECE_SIZE_BYTES))):
            left -= len(piece)
    except (OSError, UnreadablePostError):
        return
