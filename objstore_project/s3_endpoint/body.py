"""The body of a request as a stream of payload: unframed, counted, and verified against what was claimed.

Framing is `s3protocol.chunked`, digests of the payload as a whole are compared by whoever stores it (`objects`). Nothing
here keeps more than one piece of a body, but for documents, which are bounded.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from accesscontrol.authentication import Authenticated
from s3protocol import errors
from s3protocol.checksums import ChecksumAlgorithm, new_checksum, parse_checksum, parse_content_md5
from s3protocol.chunked import AwsChunkedDecoder

PIECE_SIZE_BYTES = 1 << 20
DOCUMENT_SIZE_BYTES_MAX = 5 << 20
DRAIN_SIZE_BYTES_MAX = 4 << 20

_CHECKSUM_PREFIX = "x-amz-checksum-"
_CHECKSUM_HEADERS = {f"{_CHECKSUM_PREFIX}{algorithm.value.lower()}": algorithm for algorithm in ChecksumAlgorithm}


class RequestBody:
    """A body that can be read once. `checksum_algorithm` may be set before, to have one where none was claimed.

    One that is delimited says itself where it ends, whatever the headers say.
    """

    def __init__(
        self, stream: Any, headers: Mapping[str, str], authenticated: Authenticated, *, is_delimited: bool = False
    ) -> None:
        self._stream = stream
        self._headers = headers
        self._payload = authenticated.payload
        self._is_delimited = is_delimited
        self._trailers: dict[str, str] = {}
        self._sent_bytes = _parse_length(headers.get("content-length"))
        self._decoder: AwsChunkedDecoder | None = None
        self.size_bytes = self._sent_bytes
        if self._payload.mode.is_aws_chunked:
            self.size_bytes = _parse_length(headers.get("x-amz-decoded-content-length"))
            if self.size_bytes is None:
                raise errors.MissingContentLength
            self._decoder = AwsChunkedDecoder(
                self._payload.mode,
                authenticated.signing_context,
                trailer_names=_trailer_names(headers),
                decoded_length=self.size_bytes,
            )
        self._claimed_header, self.checksum_algorithm = _claimed_algorithm(headers)

    def require_length(self) -> None:
        """Raise MissingContentLength for a body of which nobody says where it ends."""
        if self._sent_bytes is None and not self._is_delimited and "transfer-encoding" not in self._headers:
            raise errors.MissingContentLength

    def pieces(self) -> Iterator[bytes | memoryview]:
        """Yield the payload in pieces of about PIECE_SIZE_BYTES.

        Raises IncompleteBody, XAmzContentSHA256Mismatch, SignatureDoesNotMatch, InvalidRequest for bad framing.
        """
        if self._decoder is not None:
            yield from self._decoded_pieces(self._decoder)
            return
        expected = self._payload.sha256_hex
        digest = hashlib.sha256() if expected is not None else None
        received = 0
        for piece in self._sent_pieces():
            received += len(piece)
            if digest is not None:
                digest.update(piece)
            yield piece
        if self._sent_bytes is not None and received != self._sent_bytes:
            raise errors.IncompleteBody
        if digest is not None and digest.hexdigest() != expected:
            raise errors.XAmzContentSHA256Mismatch(
                ClientComputedContentSHA256=expected or "", S3ComputedContentSHA256=digest.hexdigest()
            )

    def _decoded_pieces(self, decoder: AwsChunkedDecoder) -> Iterator[memoryview]:
        for sent in self._sent_pieces():
            yield from decoder.feed(sent)
        self._trailers = decoder.finish()

    def _sent_pieces(self) -> Iterator[bytes]:
        """Yield what arrives. A connection that breaks shows as an early end."""
        while True:
            try:
                piece = self._stream.read(PIECE_SIZE_BYTES)
            except TimeoutError:
                raise errors.RequestTimeout from None
            except OSError:
                raise errors.IncompleteBody from None
            if not piece:
                return
            yield piece

    def claimed_md5(self) -> bytes | None:
        """Return the digest of the Content-MD5 header. Raises InvalidDigest."""
        claimed = self._headers.get("content-md5")
        return None if claimed is None else parse_content_md5(claimed)

    def claimed_checksum(self) -> bytes | None:
        """Return the claimed checksum: that of a header, or once all is read of a trailer. Raises InvalidRequest."""
        if self._claimed_header is None or self.checksum_algorithm is None:
            return None
        claimed = self._headers.get(self._claimed_header) or self._trailers.get(self._claimed_header)
        if claimed is None:
            raise errors.InvalidRequest(f"The trailer {self._claimed_header} is missing.")
        return parse_checksum(self.checksum_algorithm, claimed)

    def read_document(self, *, is_checksummed: bool = True) -> bytes:
        """Return a body that is a document; the checksum headers are of it unless told otherwise.

        Raises MaxMessageLengthExceeded, BadDigest, InvalidDigest.
        """
        pieces, size_bytes = [], 0
        for piece in self.pieces():
            size_bytes += len(piece)
            if size_bytes > DOCUMENT_SIZE_BYTES_MAX:
                raise errors.MaxMessageLengthExceeded(MaxMessageLengthBytes=str(DOCUMENT_SIZE_BYTES_MAX))
            pieces.append(piece)
        document = b"".join(pieces)
        self._verify_document_md5(document)
        if is_checksummed:
            self._verify_document_checksum(document)
        return document

    def _verify_document_md5(self, document: bytes) -> None:
        claimed_md5 = self.claimed_md5()
        md5 = hashlib.md5(document, usedforsecurity=False).digest()
        if claimed_md5 is not None and claimed_md5 != md5:
            raise errors.BadDigest(
                ExpectedDigest=base64.b64encode(claimed_md5).decode(), CalculatedDigest=base64.b64encode(md5).decode()
            )

    def _verify_document_checksum(self, document: bytes) -> None:
        claimed = self.claimed_checksum()
        if claimed is not None and self.checksum_algorithm is not None:
            checksum = new_checksum(self.checksum_algorithm)
            checksum.update(document)
            if checksum.digest() != claimed:
                raise errors.BadDigest(
                    f"The {self.checksum_algorithm} you specified did not match the calculated checksum."
                )


def drain(environ: Mapping[str, Any]) -> None:
    """Read what is left of a refused body, within bounds, so that the client gets to read the answer.

    A client that waits for 100 Continue sends nothing, and one that sends more than the bound is cut off.
    """
    if "100-continue" in environ.get("HTTP_EXPECT", "").lower():
        return
    left = DRAIN_SIZE_BYTES_MAX
    try:
        while left > 0 and (piece := environ["wsgi.input"].read(PIECE_SIZE_BYTES)):
            left -= len(piece)
    except OSError:
        return


def is_expectation_left(environ: Mapping[str, Any], *, was_refused: bool) -> bool:
    """Tell whether the client may have waited for 100 Continue in vain: it was refused, or had nothing to send.

    Such a connection is closed, as S3 closes it: botocore up to 1.43 (the AWS CLI has its own) would take the status of
    this answer for that of the next one too, and then wait for its end until the connection times out.
    """
    if "100-continue" not in environ.get("HTTP_EXPECT", "").lower():
        return False
    return was_refused or environ.get("CONTENT_LENGTH") in (None, "", "0")


def _parse_length(text: str | None) -> int | None:
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise errors.InvalidArgument(ArgumentName="Content-Length", ArgumentValue=text)
    return int(text)


def _trailer_names(headers: Mapping[str, str]) -> list[str]:
    """Return the trailing headers that are announced. Raises InvalidRequest for one that would not be verified."""
    names = [name for name in headers.get("x-amz-trailer", "").lower().replace(" ", "").split(",") if name]
    if any(name not in _CHECKSUM_HEADERS for name in names):
        raise errors.InvalidRequest("The value specified in the x-amz-trailer header is not supported")
    return names


def _claimed_algorithm(headers: Mapping[str, str]) -> tuple[str | None, ChecksumAlgorithm | None]:
    """Return the header or trailer that carries the client's checksum, and its algorithm.

    Raises InvalidRequest for several, for an unknown one, and for an announced one that is not there.
    """
    claimed = [name for name in (*headers, *_trailer_names(headers)) if name in _CHECKSUM_HEADERS]
    announced = headers.get("x-amz-sdk-checksum-algorithm")
    if len(claimed) > 1:
        raise errors.InvalidRequest(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    if announced is not None and announced.upper() not in ChecksumAlgorithm.__members__:
        raise errors.InvalidRequest(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            f"[{', '.join(ChecksumAlgorithm)}]"
        )
    if not claimed:
        if announced is not None:
            raise errors.InvalidRequest(
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer "
                "headers were found."
            )
        return None, None
    algorithm = _CHECKSUM_HEADERS[claimed[0]]
    if announced is not None and announced.upper() != algorithm.value:
        raise errors.InvalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.")
    return claimed[0], algorithm
