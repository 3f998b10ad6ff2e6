"""The object's bytes on their way to DuckDB: counted, decompressed, cut to the records that count."""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from objects.select.errors import SelectError
from objects.select.job import Job

PIECE_BYTES = 1 << 18
_GZIP_OR_ZLIB = 47


class Intake:
    """A stream that can be read once, and how much of it has been read. Sizes in bytes."""

    def __init__(self, job: Job, stream: BinaryIO) -> None:
        self._job = job
        self._stream = stream
        self.scanned = 0
        self.processed = 0

    def pieces(self) -> Iterator[bytes]:
        """Yield the data. Raises SelectError for what cannot be decompressed."""
        for piece in self._in_range(self._decompressed()):
            self.processed += len(piece)
            yield piece

    def records(self) -> Iterator[bytes]:
        """Yield the data with records that end in a line feed, whatever they end in."""
        delimiter = self._job.record_delimiter.encode()
        if delimiter in {b"\n", b"\r\n"}:
            yield from self.pieces()
            return
        kept = b""
        for piece in self.pieces():
            data = kept + piece
            if b"\n" in data:
                raise SelectError("CSVParsingError", "A field holds a line feed where records end in something else.")
            cut = len(data) - (len(delimiter) - 1)
            kept = data[cut:] if len(delimiter) > 1 else b""
            yield data[: len(data) - len(kept)].replace(delimiter, b"\n")
        yield kept

    def _raw(self) -> Iterator[bytes]:
        while piece := self._stream.read(PIECE_BYTES):
            self.scanned += len(piece)
            yield piece

    def _decompressed(self) -> Iterator[bytes]:
        if self._job.compression == "NONE":
            yield from self._raw()
            return
        try:
            yield from self._unpacked()
        except (OSError, zlib.error, ValueError):
            raise SelectError("InvalidCompressionFormat", "The data is not compressed as the request says.") from None

    def _unpacked(self) -> Iterator[bytes]:
        """Decompress members that follow one another, a bounded piece at a time."""
        is_gzip = self._job.compression == "GZIP"
        unpacker: object = None
        for piece in self._raw():
            data = piece
            while data:
                if unpacker is None:
                    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB) if is_gzip else bz2.BZ2Decompressor()
                if is_gzip:
                    yield unpacker.decompress(data, PIECE_BYTES)  # type: ignore[attr-defined]
                    data = unpacker.unconsumed_tail  # type: ignore[attr-defined]
                    if unpacker.eof:  # type: ignore[attr-defined]
                        data, unpacker = unpacker.unused_data, None  # type: ignore[attr-defined]
                else:
                    yield unpacker.decompress(data)  # type: ignore[attr-defined]
                    data = b""
                    if unpacker.eof:  # type: ignore[attr-defined]
                        data, unpacker = unpacker.unused_data, None  # type: ignore[attr-defined]
        if unpacker is not None:
            raise SelectError("TruncatedInput", "The compressed data ends too early.")

    def _in_range(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Cut to the records that begin within the scan range; the data begins one byte before it, unless at its start."""
        delimiter, job = self._job.record_delimiter.encode(), self._job
        position, has_begun, kept = max(job.first_byte - 1, 0), job.first_byte == 0, b""
        for piece in pieces:
            data = kept + piece
            if not has_begun:
                found = data.find(delimiter)
                if found < 0:
                    kept = data[-(len(delimiter) - 1) :] if len(delimiter) > 1 else b""
                    position += len(data) - len(kept)
                    continue
                position += found + len(delimiter)
                data, kept, has_begun = data[found + len(delimiter) :], b"", True
            if job.end is None:
                yield data
                continue
            # The last record that counts begins at `end` or before it, so it is over at the first delimiter from there on.
            search_from = max(job.end - position + 1 - len(delimiter), 0)
            if position > job.end:
                return
            if search_from < len(data) and (found := data.find(delimiter, search_from)) >= 0:
                yield data[: found + len(delimiter)]
                return
            kept = data[-(len(delimiter) - 1) :] if len(delimiter) > 1 else b""
            yield data[: len(data) - len(kept)]
            position += len(data) - len(kept)
        if has_begun and kept:
            yield kept
