"""The records of the journal, as nodes keep them. Pure: makes and checks buffers, reads and writes nothing.

A record says itself what it is and holds all that is needed to use it, so that a database can be rebuilt from nodes alone.
A SEGMENT holds committed changes in order; a PART holds rows of a snapshot; a MANIFEST says which parts make a snapshot
and is written last: without it there is no snapshot. docs/design/metadata-backup.md tells how they work together.

Version 2, integers little-endian:

    offset  bytes  what
         0      4  magic "OBJj"
         4      1  version, 2
         5      1  kind: 1 segment, 2 part, 3 manifest
         6      2  zero
         8      4  h, length of the header
        12      8  CRC-64/NVME of bytes 0 to 11 followed by the header
        20      h  header: a JSON object, compressed
      20+h         frames, each:
         0      4  length of the content, plain
         4      4  n, length of the content, compressed
         8      8  CRC-64/NVME of the n bytes
        16      n  content
                   end: a frame of two zero lengths, whose CRC-64/NVME is over the checksums of all frames

What is compressed is one frame of zstd (RFC 8878) that says how much it holds; in version 1, which is still read, a stream
of zlib (RFC 1950).

The end tells a record that was cut at a frame from a whole one. Names say what a listing must know:

    journal-<lineage>-<number>-<session><revision>-00.segment
    journal-<lineage>-<number>-<part>-00.part
    journal-<lineage>-<number>-00000000-00.manifest

In hexadecimal digits: lineage 8, number (of the segment or of the snapshot) 10, part 8, session and revision 4 each. A session
is drawn at random by each writer, and so are the last 4 digits of a snapshot's number: two writers of which one does not know
yet that it is none any more write under different names. All end in 00, so that stores keep them in the part of their
listing whose number is 0.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import zstandard
from awscrt.checksums import crc64nvme

MAGIC = b"OBJj"
VERSION = 2
_VERSION_OF_ZLIB = 1
LISTING_SHARD = 0
SESSION_SHIFT = 16  # revisions of a segment are fewer

_FIXED = struct.Struct("<4sBB2xI")
_CHECKSUM = struct.Struct("<Q")
_FRAME = struct.Struct("<IIQ")
_NAME = re.compile(r"journal-([0-9a-f]{8})-([0-9a-f]{10})-([0-9a-f]{8})-00\.(segment|part|manifest)")
_PLAIN_BYTES_MAX = 1 << 30  # no honest frame is so large
_LEVEL = 1  # of zstd: a quarter of the time of zlib's fastest, for fewer bytes


class RecordDamaged(Exception):
    """The bytes are not a whole, intact record of a version that is known here."""


class RecordKind(StrEnum):
    """What a record is; the value ends its name."""

    SEGMENT = "segment"
    PART = "part"
    MANIFEST = "manifest"


_KIND_NUMBERS = {RecordKind.SEGMENT: 1, RecordKind.PART: 2, RecordKind.MANIFEST: 3}


@dataclass(frozen=True, slots=True, order=True)
class RecordName:
    """What the name of a record says. `revision` is a part's number; of a segment, its session and revision."""

    lineage: str
    kind: RecordKind
    number: int
    revision: int = 0

    @property
    def session(self) -> int:
        """Which writer's session a segment is of."""
        return self.revision >> SESSION_SHIFT

    def __str__(self) -> str:
        return f"journal-{self.lineage}-{self.number:010x}-{self.revision:08x}-00.{self.kind}"


def parse_name(text: str) -> RecordName | None:
    """Return what a name says, or None if no record is called so."""
    found = _NAME.fullmatch(text)
    if found is None:
        return None
    lineage, number, revision, kind = found.groups()
    name = RecordName(lineage, RecordKind(kind), int(number, 16), int(revision, 16))
    return name if str(name) == text else None


@dataclass(frozen=True, slots=True)
class Frame:
    """A run of content, compressed and checksummed, ready to be written."""

    data: bytes
    checksum: int


@dataclass(frozen=True, slots=True)
class Record:
    """A checked record."""

    version: int
    kind: RecordKind
    header: Mapping[str, Any]
    frames: Sequence[memoryview]

    def contents(self) -> Iterator[bytes]:
        """Yield the plain contents of its frames. RecordDamaged."""
        for frame in self.frames:
            plain_length = _FRAME.unpack_from(frame)[0]
            if plain_length > _PLAIN_BYTES_MAX:
                raise RecordDamaged(f"a frame of {plain_length} bytes")
            content = _decompress(self.version, frame[_FRAME.size :], plain_length)
            if len(content) != plain_length:
                raise RecordDamaged("a frame is not as long as it says")
            yield content


def build_frame(content: Iterable[bytes]) -> Frame:
    """Compress a run of content; it is held in memory twice."""
    plain = b"".join(content)
    compressed = _compress(plain)
    checksum = crc64nvme(compressed)
    return Frame(_FRAME.pack(len(plain), len(compressed), checksum) + compressed, checksum)


def build_record(kind: RecordKind, header: Mapping[str, Any], frames: Sequence[Frame] = ()) -> list[bytes]:
    """Return the buffers of a record."""
    described = _compress(json.dumps(header, separators=(",", ":")).encode())
    fixed = _FIXED.pack(MAGIC, VERSION, _KIND_NUMBERS[kind], len(described))
    checksum = _CHECKSUM.pack(crc64nvme(fixed + described))
    end = _FRAME.pack(0, 0, _checksum_of_all(frame.checksum for frame in frames))
    return [fixed, checksum, described, *(frame.data for frame in frames), end]


def parse_record(data: bytes) -> Record:
    """Return a record, all of it checked but the plain contents; RecordDamaged."""
    version, kind, header, start = _parse_header(data)
    return Record(version, kind, header, _parse_frames(memoryview(data), start))


def _parse_header(data: bytes) -> tuple[int, RecordKind, Mapping[str, Any], int]:
    start = _FIXED.size + _CHECKSUM.size
    if len(data) < start:
        raise RecordDamaged(f"{len(data)} bytes are too few for a record")
    magic, version, kind_number, length = _FIXED.unpack_from(data)
    if magic != MAGIC or version not in (VERSION, _VERSION_OF_ZLIB) or kind_number not in _KIND_NUMBERS.values():
        raise RecordDamaged("not a record of a version that is known here")
    described = data[start : start + length]
    if crc64nvme(data[: _FIXED.size] + described) != _CHECKSUM.unpack_from(data, _FIXED.size)[0]:
        raise RecordDamaged("the header is damaged")
    kind = next(kind for kind, number in _KIND_NUMBERS.items() if number == kind_number)
    return version, kind, json.loads(_decompress(version, described, _PLAIN_BYTES_MAX)), start + length


def _parse_frames(view: memoryview, at: int) -> list[memoryview]:
    frames: list[memoryview] = []
    checksums: list[int] = []
    while True:
        if len(view) < at + _FRAME.size:
            raise RecordDamaged("the record has no end")
        plain_length, length, checksum = _FRAME.unpack_from(view, at)
        if length == 0:
            break
        frame = view[at : at + _FRAME.size + length]
        if crc64nvme(frame[_FRAME.size :]) != checksum or len(frame) != _FRAME.size + length:
            raise RecordDamaged(f"frame {len(frames)} is damaged")
        frames.append(frame)
        checksums.append(checksum)
        at += len(frame)
    if plain_length or checksum != _checksum_of_all(checksums) or len(view) != at + _FRAME.size:
        raise RecordDamaged("the end is damaged")
    return frames


def _checksum_of_all(checksums: Iterable[int]) -> int:
    found: int = crc64nvme(b"".join(_CHECKSUM.pack(checksum) for checksum in checksums))
    return found


def _compress(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(plain)


def _decompress(version: int, data: bytes | memoryview, length_max: int) -> bytes:
    """Return the plain bytes, a few more than asked at most; RecordDamaged where there are more, or none."""
    try:
        if version == _VERSION_OF_ZLIB:
            return zlib.decompressobj().decompress(data, length_max + 1)
        if not 0 <= zstandard.frame_content_size(data) <= length_max:
            raise RecordDamaged("it holds more than it says")
        return zstandard.ZstdDecompressor().decompress(data)
    except (zlib.error, zstandard.ZstdError) as error:
        raise RecordDamaged(str(error)) from error


def join_messages(messages: Iterable[bytes]) -> Iterator[bytes]:
    """Yield messages with their lengths in front: the content of a segment's frame."""
    for message in messages:
        yield len(message).to_bytes(4, "little")
        yield message


def split_messages(content: bytes) -> Iterator[bytes]:
    """Yield the messages of a segment's frame; RecordDamaged if they don't fill it exactly."""
    at = 0
    while at < len(content):
        end = at + 4 + int.from_bytes(content[at : at + 4], "little")
        if end > len(content):
            raise RecordDamaged("a message is cut")
        yield content[at + 4 : end]
        at = end
