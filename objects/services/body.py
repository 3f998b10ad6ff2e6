"""Turn the body of a request into durable chunks and digests, in bounded memory.

Write ordering, paragraph 1: fragments first. Nothing here touches the database; until a version is published, what was
written is invisible, and whoever fails to publish discards it. At most CHUNKS_IN_FLIGHT chunks of a body are held:
while one is hashed and another written, the next is received.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Protocol

from django.db import DatabaseError, OperationalError, connection

from chunks import services as chunk_services
from chunks import topology, writer
from chunks.errors import NoSpace, NotEnoughNodes
from chunks.ids import new_chunk_id
from chunks.records import WrittenChunk
from objects.chunk_cipher import encrypt_chunk, plain_size
from objects.chunk_compression import compress_chunk, may_shrink
from s3protocol import errors
from s3protocol.checksums import Checksum, ChecksumAlgorithm, encode_digest, new_checksum

CHUNKS_IN_FLIGHT = 2
INLINE_SIZE_BYTES_MAX = 1 << 19

_hashing_threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="hash")
_writing_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="write")


class Body(Protocol):
    """A request's body: pieces in order, and then what was claimed about them."""

    size_bytes: int | None
    checksum_algorithm: ChecksumAlgorithm | None

    def pieces(self) -> Iterator[bytes | memoryview]:
        """Yield the payload. Raises S3's errors for a truncated body, wrong signatures and wrong digests."""

    def claimed_md5(self) -> bytes | None:
        """Return the digest of the Content-MD5 header."""

    def claimed_checksum(self) -> bytes | None:
        """Return the claimed digest of `checksum_algorithm`, of a header or, once all is read, of a trailer."""


@dataclass(frozen=True, slots=True)
class StoredBody:
    """Bytes that are durable but not yet visible, and their digests."""

    size_bytes: int
    md5: bytes
    checksum_algorithm: ChecksumAlgorithm
    checksum_digest: bytes
    chunks: tuple[WrittenChunk, ...]
    is_encrypted: bool

    @property
    def checksum(self) -> str:
        """Render the checksum as headers and XML carry it."""
        return encode_digest(self.checksum_digest)

    def chunk_rows(self) -> list[dict[str, Any]] | None:
        """Describe the chunks for `objects_insert_chunks`; None for an empty body."""
        rows, offset = [], 0
        for chunk in self.chunks:
            extent_bytes = chunk.plain_bytes or (
                plain_size(chunk.size_bytes) if self.is_encrypted else chunk.size_bytes
            )
            rows.append(_chunk_row(chunk, offset, extent_bytes))
            offset += extent_bytes
        return rows or None


def _chunk_row(chunk: WrittenChunk, offset_bytes: int, extent_bytes: int) -> dict[str, Any]:
    row = {
        "id": str(chunk.id),
        "size_bytes": chunk.size_bytes,
        "extent_bytes": extent_bytes,
        "scheme": chunk.scheme,
        "node_ids": chunk.node_ids,
        "checksum": chunk.checksum,
        "storage_class": chunk.storage_class,
        "plain_bytes": chunk.plain_bytes,
        "offset_bytes": offset_bytes,
    }
    if chunk.segment_id is not None:
        row |= {"segment_id": str(chunk.segment_id), "segment_offset": chunk.segment_offset}
    if chunk.faults:
        row["faults"] = [
            {
                "fragment_index": fault.fragment_index,
                "node_id": fault.node_id,
                "kind": fault.kind,
                "last_error": fault.last_error,
            }
            for fault in chunk.faults
        ]
    return row


def store_body(
    body: Body,
    *,
    storage_class: str,
    size_bytes_max: int,
    data_key: bytes | None = None,
    content_type: str = "",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> StoredBody:
    """Write a body to the nodes, encrypted by the data key if there is one, and verify what was claimed about it.

    Where the class compresses, content type and headers (by the model's names) say whether that is worth a trial.

    Without a checksum of the client's choice, CRC64NVME is computed, as S3 does. Raises BadDigest, EntityTooLarge,
    InsufficientStorage when the nodes are full, ServiceUnavailable when too few take the data; then nothing of it stays.
    """
    if body.size_bytes is not None and body.size_bytes > size_bytes_max:
        raise errors.EntityTooLarge(ProposedSize=str(body.size_bytes), MaxSizeAllowed=str(size_bytes_max))
    layout = _Layout(storage_class, _compression_level(storage_class, content_type, headers), data_key)
    receiver = _Receiver(body, layout=layout, size_bytes_max=size_bytes_max)
    try:
        receiver.receive()
        _verify(body, receiver)
    except BaseException:
        receiver.abandon()
        raise
    return StoredBody(
        size_bytes=receiver.size_bytes,
        md5=receiver.md5.digest(),
        checksum_algorithm=receiver.checksum.algorithm,
        checksum_digest=receiver.checksum.digest(),
        chunks=tuple(receiver.written),
        is_encrypted=data_key is not None,
    )


def discard_body(stored: StoredBody) -> None:
    """Remove the fragments of a body that was refused when it was to be published."""
    chunk_services.discard_chunks(stored.chunks)


@contextmanager
def discarded_if_refused(stored: StoredBody) -> Iterator[None]:
    """Remove a body whose publishing, inside, is refused: by S3's errors or by the database. Whatever else comes stays.

    A connection that is lost leaves open whether it was committed, and so does an exception of no statement's making: a
    signal that ends the process, or the memory running out, may come when the commit is done. The sweep knows better.
    """
    try:
        yield
    except OperationalError:
        raise
    except (errors.S3Error, DatabaseError):
        discard_body(stored)
        raise


def _verify(body: Body, receiver: _Receiver) -> None:
    claimed_md5 = body.claimed_md5()
    if claimed_md5 is not None and claimed_md5 != receiver.md5.digest():
        raise errors.BadDigest(ExpectedDigest=claimed_md5.hex(), CalculatedDigest=encode_digest(receiver.md5.digest()))
    claimed = body.claimed_checksum()
    if claimed is not None and claimed != receiver.checksum.digest():
        raise errors.BadDigest(
            f"The {receiver.checksum.algorithm} you specified did not match the calculated checksum."
        )


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the chunks of a body are kept."""

    storage_class: str
    compression_level: int | None
    data_key: bytes | None


def _compression_level(storage_class: str, content_type: str, headers: Mapping[str, str]) -> int | None:
    level = topology.current().storage_class(storage_class).compression_level
    if level is None or not may_shrink(content_type, headers.get("ContentEncoding", "")):
        return None
    return level


class _Receiver:
    """The state of one body on its way to the nodes."""

    def __init__(self, body: Body, *, layout: _Layout, size_bytes_max: int) -> None:
        self.body = body
        self.layout = layout
        self.size_bytes_max = size_bytes_max
        self.size_bytes = 0
        self.md5 = hashlib.md5(usedforsecurity=False)
        self.checksum: Checksum = new_checksum(body.checksum_algorithm or ChecksumAlgorithm.CRC64NVME)
        self.written: list[WrittenChunk] = []
        self._writing: list[Future[WrittenChunk]] = []
        self._hashing: Future[None] | None = None

    def receive(self) -> None:
        """Read the whole body; on return all of it is hashed and durable."""
        if self.body.size_bytes is not None and self.body.size_bytes <= INLINE_SIZE_BYTES_MAX:
            self._receive_inline()
            return
        for chunk in self._chunks():
            self._hash_behind(chunk)
            self._write_behind(chunk)
        if self._hashing is not None:
            self._hashing.result()
        while self._writing:
            self._await_oldest_write()

    def _receive_inline(self) -> None:
        pieces = list(self.body.pieces())
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._hash(data)
        self.size_bytes = len(data)
        if data:
            self.written.append(_write_chunk(data, self.layout))

    def _chunks(self) -> Iterator[memoryview]:
        """Cut the pieces into chunks of the storage class's size."""
        chunk_size = topology.current().storage_class(self.layout.storage_class).chunk_size_bytes
        buffer, filled = bytearray(chunk_size), 0
        for piece in self.body.pieces():
            rest = memoryview(piece)
            self.size_bytes += len(rest)
            if self.size_bytes > self.size_bytes_max:
                raise errors.EntityTooLarge(ProposedSize=str(self.size_bytes), MaxSizeAllowed=str(self.size_bytes_max))
            while rest:
                taken = min(len(rest), chunk_size - filled)
                buffer[filled : filled + taken] = rest[:taken]
                filled += taken
                rest = rest[taken:]
                if filled == chunk_size:
                    yield memoryview(buffer)
                    buffer, filled = bytearray(chunk_size), 0
        if filled:
            yield memoryview(buffer)[:filled]

    def _hash(self, data: bytes | memoryview) -> None:
        self.md5.update(data)
        self.checksum.update(data)

    def _hash_behind(self, chunk: memoryview) -> None:
        """Hash a chunk on another thread, once its predecessor is hashed."""
        if self._hashing is not None:
            self._hashing.result()
        self._hashing = _hashing_threads.submit(self._hash, chunk)

    def _write_behind(self, chunk: memoryview) -> None:
        """Write a chunk on another thread, once fewer than CHUNKS_IN_FLIGHT are under way."""
        while len(self._writing) >= CHUNKS_IN_FLIGHT:
            self._await_oldest_write()
        self._writing.append(_writing_threads.submit(_write_aside, chunk, self.layout))

    def _await_oldest_write(self) -> None:
        self.written.append(self._writing.pop(0).result())

    def abandon(self) -> None:
        """Remove what was written, after a failure."""
        for future in self._writing:
            if future.exception() is None:
                self.written.append(future.result())
        chunk_services.discard_chunks(self.written)


def _write_aside(data: bytes | memoryview, layout: _Layout) -> WrittenChunk:
    """Write one chunk on a thread of the pool, which serves no request, so that nobody else looks after its connection.

    It has one where it led a group of small chunks into a new segment.
    """
    connection.close_if_unusable_or_obsolete()
    try:
        return _write_chunk(data, layout)
    finally:
        connection.release()  # type: ignore[attr-defined]  # our engine's


def _write_chunk(data: bytes | memoryview, layout: _Layout) -> WrittenChunk:
    """Write one chunk, compressed where that pays and encrypted if there is a data key, in S3's errors."""
    chunk_id = new_chunk_id()
    plain_bytes = None
    if layout.compression_level is not None:
        compressed = compress_chunk(data, layout.compression_level)
        if compressed is not None:
            plain_bytes, data = len(data), compressed
    if layout.data_key is not None:
        data = encrypt_chunk(layout.data_key, chunk_id, data)
    try:
        written = writer.write_chunk(
            data, storage_class=layout.storage_class, chunk_id=chunk_id, packer=chunk_services.process_packer()
        )
        return written if plain_bytes is None else replace(written, plain_bytes=plain_bytes)
    except NoSpace as failure:
        raise errors.InsufficientStorage from failure
    except NotEnoughNodes as failure:
        raise errors.ServiceUnavailable("Too few storage nodes accept data at the moment.") from failure
