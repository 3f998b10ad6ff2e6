"""Taking an aws-chunked body apart: a state machine without I/O, fed with what arrives, giving out payload.

Not for: HTTP's own chunked transfer coding (the server's business), and comparing trailing checksums with the payload
(the caller hashes the payload anyway).

    body      = *chunk last-chunk trailer
    chunk     = size-in-hex [ ";chunk-signature=" 64 hex digits ] CRLF payload CRLF
    trailer   = *( name ":" value line-end ) [ "x-amz-trailer-signature:" signature line-end ] [ CRLF ]

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and sigv4-streaming-trailers.html. Each signature
covers that of the chunk before and the SHA-256 of the chunk's payload; the first is chained to the request's own.

The rule that callers keep: the payload of a chunk is given out before its signature is known, since a chunk can be as
large as the whole object. So nothing may be committed until `finish` has returned.

What clients do differently, and is accepted: the last CRLF may be missing; lines of the trailer may end in LF alone (as
in AWS's own example) and have empty lines between them; an unsigned body may carry chunk extensions.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from enum import Enum, auto
from typing import Final

from s3protocol import errors
from s3protocol.signatures.canonical import is_same_signature
from s3protocol.signatures.presented import PayloadMode, SigningContext

# A header is up to 16 digits of size and 81 characters of signature; extensions that nobody uses could make it longer.
HEADER_BYTES_MAX: Final = 512
TRAILER_BYTES_MAX: Final = 16 * 1024
# The largest body of one request in S3. Some SDKs send all of it as one chunk.
CHUNK_BYTES_MAX: Final = 5 * 1024**3
SIGNED_CHUNK_BYTES_MIN: Final = 8 * 1024
TRAILER_SIGNATURE: Final = "x-amz-trailer-signature"

_EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()
_HEADER = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;(.*))?", re.DOTALL)
_CHUNK_SIGNATURE = re.compile(rb"[ \t]*chunk-signature=([0-9a-f]{64})[ \t]*")
_TRAILER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")


class _State(Enum):
    HEADER = auto()
    PAYLOAD = auto()
    PAYLOAD_END = auto()
    TRAILER = auto()


class SignatureChain:
    """The signatures of a body, each made over the one before. SignatureDoesNotMatch where the chain breaks."""

    __slots__ = ("_context", "_expected", "_hash", "_previous")

    def __init__(self, context: SigningContext) -> None:
        self._context = context
        self._previous = context.seed_signature
        self._expected = ""
        self._hash = hashlib.sha256()

    def begin_chunk(self, expected: str) -> None:
        """Start a chunk whose header claims a signature."""
        self._expected = expected
        self._hash = hashlib.sha256()

    def update(self, payload: memoryview) -> None:
        """Take a piece of the chunk's payload."""
        self._hash.update(payload)

    def end_chunk(self) -> None:
        """Compare the claim with what the payload gives."""
        self._check("AWS4-HMAC-SHA256-PAYLOAD", f"{_EMPTY_SHA256}\n{self._hash.hexdigest()}", self._expected)

    def check_trailer(self, trailers: Sequence[tuple[str, str]], expected: str) -> None:
        """Compare the trailer's signature with what its lines give, in the order in which they came."""
        text = "".join([f"{name}:{value}\n" for name, value in trailers])
        self._check("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(text.encode("latin-1")).hexdigest(), expected)

    def _check(self, algorithm: str, hashes: str, expected: str) -> None:
        context = self._context
        text = f"{algorithm}\n{context.timestamp_text}\n{context.scope.text}\n{self._previous}\n{hashes}"
        signature = hmac.digest(context.signing_key, text.encode(), "sha256").hex()
        if not is_same_signature(signature, expected):
            raise errors.SignatureDoesNotMatch(
                StringToSign=text, SignatureProvided=expected, StringToSignBytes=text.encode().hex(" ")
            )
        self._previous = signature


class AwsChunkedDecoder:
    """One body being taken apart. After an error the decoder is of no more use.

    `mode` is one of the three streaming modes; signed ones need the request's `signing_context`. `trailer_names` are
    those that the request announced in x-amz-trailer. `decoded_length` is x-amz-decoded-content-length, if it was sent.
    """

    __slots__ = (
        "_buffer",
        "_chain",
        "_chunk_count",
        "_chunk_size_bytes",
        "_decoded_length",
        "_has_trailer",
        "_received_bytes",
        "_remaining_bytes",
        "_state",
        "_trailer_names",
    )

    def __init__(
        self,
        mode: PayloadMode,
        signing_context: SigningContext | None,
        *,
        trailer_names: Iterable[str] = (),
        decoded_length: int | None = None,
    ) -> None:
        assert mode.is_aws_chunked
        assert signing_context is not None or not mode.has_signed_chunks
        self._chain = SignatureChain(signing_context) if signing_context and mode.has_signed_chunks else None
        self._has_trailer = mode is not PayloadMode.STREAMING_SIGNED
        self._trailer_names = frozenset(name.strip().lower() for name in trailer_names)
        self._decoded_length = decoded_length
        self._state = _State.HEADER
        self._buffer = bytearray()  # of a line, or of the trailer: never payload
        self._chunk_count = 0
        self._chunk_size_bytes = 0
        self._remaining_bytes = 0
        self._received_bytes = 0

    @property
    def received_bytes(self) -> int:
        """How much payload was given out so far."""
        return self._received_bytes

    def feed(self, data: bytes | bytearray | memoryview) -> list[memoryview]:
        """Take bytes of the body, give the payload in them as views: no byte of it is copied.

        The views hold on to `data`, which must not change while they are in use. Errors: IncompleteBody (more payload
        than declared), InvalidRequest (framing), InvalidChunkSizeError, EntityTooLarge, SignatureDoesNotMatch.
        """
        view = memoryview(data)
        end = len(view)
        position = 0
        pieces: list[memoryview] = []
        while position < end:
            if self._state is _State.PAYLOAD:
                piece = view[position : position + self._remaining_bytes]
                position += len(piece)
                self._take_payload(piece)
                pieces.append(piece)
            elif self._state is _State.TRAILER:
                self._take_trailer(view[position:])
                position = end
            else:
                position = self._take_line(view, position)
        return pieces

    def finish(self) -> dict[str, str]:
        """Declare the body at its end; give its trailers, lower-case names, without their signature.

        Errors: IncompleteBody (cut short, or not of the declared length), InvalidRequest (trailer malformed, missing
        or not announced), SignatureDoesNotMatch.
        """
        if self._state is not _State.TRAILER:
            raise errors.IncompleteBody("The request body ended before its last chunk.")
        if self._decoded_length is not None and self._received_bytes != self._decoded_length:
            raise _wrong_length(self._decoded_length)
        trailers = _parse_trailer(bytes(self._buffer))
        signatures = [value for name, value in trailers if name == TRAILER_SIGNATURE]
        trailers = [(name, value) for name, value in trailers if name != TRAILER_SIGNATURE]
        names = {name for name, _ in trailers}
        if len(names) != len(trailers) or names != self._trailer_names or len(signatures) > 1:
            raise errors.InvalidRequest("The trailing headers are not those that x-amz-trailer announced.")
        if self._chain is not None and self._has_trailer:
            self._chain.check_trailer(trailers, signatures[0] if signatures else "")
        return dict(trailers)

    def _take_payload(self, piece: memoryview) -> None:
        self._remaining_bytes -= len(piece)
        self._received_bytes += len(piece)
        if self._chain is not None:
            self._chain.update(piece)
        if not self._remaining_bytes:
            if self._chain is not None:
                self._chain.end_chunk()
            self._state = _State.PAYLOAD_END

    def _take_line(self, view: memoryview, position: int) -> int:
        """Take the bytes up to the end of a line, and the line if it is whole; give the position behind it."""
        buffer = self._buffer
        buffered_bytes = len(buffer)
        buffer += view[position : position + HEADER_BYTES_MAX]
        line_end = buffer.find(b"\r\n")
        if line_end > HEADER_BYTES_MAX or (line_end < 0 and len(buffer) > HEADER_BYTES_MAX):
            raise errors.InvalidRequest("A chunk header of the aws-chunked body is too long.")
        if line_end < 0:
            return position + len(buffer) - buffered_bytes
        line = bytes(buffer[:line_end])
        buffer.clear()
        if self._state is _State.HEADER:
            self._begin_chunk(line)
        elif line:
            raise _malformed("A chunk is longer than its header says.")
        else:
            self._state = _State.HEADER
        return position + line_end + 2 - buffered_bytes

    def _begin_chunk(self, line: bytes) -> None:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise _malformed("A chunk does not begin with its size in hexadecimal.")
        size_bytes = int(match[1], 16)
        self._check_size(size_bytes)
        chain = self._chain
        if chain is not None:
            signature = _CHUNK_SIGNATURE.fullmatch(match[2] or b"")
            if signature is None:
                raise _malformed("A chunk of the signed body has no chunk-signature.")
            chain.begin_chunk(signature[1].decode("ascii"))
        self._chunk_size_bytes = self._remaining_bytes = size_bytes
        if size_bytes:
            self._chunk_count += 1
            self._state = _State.PAYLOAD
            return
        if chain is not None:
            chain.end_chunk()
        self._state = _State.TRAILER

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > CHUNK_BYTES_MAX:
            raise errors.EntityTooLarge(ProposedSize=str(size_bytes), MaxSizeAllowed=str(CHUNK_BYTES_MAX))
        if self._decoded_length is not None and self._received_bytes + size_bytes > self._decoded_length:
            raise _wrong_length(self._decoded_length)
        # S3 asks this of all bodies, but JavaScript clients send chunks as small as their source gives them, unsigned.
        # Those that sign chunks (Java, C++, minio-go) keep a fixed size; there the rule bounds the hashing of trifles.
        if self._chain is not None and size_bytes and 0 < self._chunk_size_bytes < SIGNED_CHUNK_BYTES_MIN:
            raise errors.InvalidChunkSizeError(
                Chunk=str(self._chunk_count), BadChunkSizeInBytes=str(self._chunk_size_bytes)
            )

    def _take_trailer(self, piece: memoryview) -> None:
        """Keep what follows the last chunk until the end: only there it can be told whether a line is whole."""
        if len(self._buffer) + len(piece) > TRAILER_BYTES_MAX:
            raise errors.InvalidRequest("There is too much data behind the last chunk of the aws-chunked body.")
        self._buffer += piece


def _parse_trailer(data: bytes) -> list[tuple[str, str]]:
    trailers = []
    for line in data.decode("latin-1").replace("\r\n", "\n").split("\n"):
        if not line:
            continue
        name, colon, value = line.partition(":")
        name, value = name.strip(" \t").lower(), value.strip(" \t")
        if not colon or not _TRAILER_NAME.fullmatch(name) or not value.isprintable():
            raise errors.InvalidRequest("The data behind the last chunk is not a list of trailing headers.")
        trailers.append((name, value))
    return trailers


def _malformed(problem: str) -> errors.InvalidRequest:
    return errors.InvalidRequest(f"The aws-chunked body is malformed. {problem}")


def _wrong_length(decoded_length: int) -> errors.IncompleteBody:
    return errors.IncompleteBody(
        "The body does not have the length that x-amz-decoded-content-length declares.",
        NumberBytesExpected=str(decoded_length),
    )
