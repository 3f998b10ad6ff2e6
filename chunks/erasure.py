"""Turn a chunk into fragments and back. Pure: bytes in, bytes out.

This is not about where fragments lie (`placement`) or how they look on a disk (`fragment_format`).

Theory. A scheme has k data fragments and m parity fragments; any k of the k+m give the chunk back. `replicate-3` is
the case k=1 in which a parity fragment is simply a copy. `rs-4+2` is systematic Reed-Solomon over GF(2^8): the chunk is
cut into k runs of L = ceil(size / k) bytes, the last padded with zeros, so that data fragment i holds the chunk's bytes
[i*L, (i+1)*L) as they are and a healthy range read is a plain read. Parity fragment p holds, at each position,
    sum over j of data[j] / ((k + p) xor j)        in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1
Each position stands alone: a range of a lost fragment needs only the same range of k others.

The Cauchy matrix (J. Bloemer et al., "An XOR-based erasure-resilient coding scheme", 1995) has no singular square
submatrix for any k+m <= 256; ISA-L's plain Vandermonde does from m=4 on. Its inverted form is as safe and measures the
same as Cauchy, so there is nothing to weigh.

ISA-L is called directly where it can be (`isal`), on the chunk as it lies in memory; what follows is for where it can't.
PyECLib calls ISA-L. It puts a header of 80 bytes of its own before each fragment; that never reaches a disk: encoding
drops it, and decoding makes it anew from a template that the installed library wrote. It is fed strips of 64 KiB
because whole chunks leave the processor's cache and make it allocate afresh: 1.9 GB/s against 0.8 GB/s on one core.
"""

import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from pyeclib.ec_iface import ECDriver

from chunks import isal
from chunks.errors import NotEnoughFragments, UnknownScheme

Buffer: TypeAlias = bytes | bytearray | memoryview

STRIP_BYTES = 64 * 1024
FRAGMENT_COUNT_MAX = 32  # liberasurecode's limit

_SCHEME_TEXT = re.compile(r"replicate-(?P<copies>\d{1,2})|rs-(?P<data>\d{1,2})\+(?P<parity>\d{1,2})")

# liberasurecode's fragment header: what it says of the fragment, covered by a CRC-32 at 67.
_CODEC_HEADER_BYTES = 80
_CODEC_COVERED_BYTES = 59
_CODEC_INDEX_AND_SIZE = struct.Struct("<II")  # at 0
_CODEC_CHUNK_SIZE = struct.Struct("<Q")  # at 12
_CODEC_CHECKSUM = struct.Struct("<I")  # at 67


@dataclass(frozen=True, slots=True)
class Scheme:
    """How many fragments a chunk has, and how many of them may be lost."""

    data_count: int
    parity_count: int
    is_replicated: bool

    @property
    def fragment_count(self) -> int:
        """Return how many fragments a chunk has."""
        return self.data_count + self.parity_count

    @property
    def tolerated_losses(self) -> int:
        """Return how many fragments may be lost without losing a byte."""
        return self.parity_count

    def fragment_length_bytes(self, chunk_size_bytes: int) -> int:
        """Return the length of each fragment's payload."""
        return -(-chunk_size_bytes // self.data_count)

    def __str__(self) -> str:
        if self.is_replicated:
            return f"replicate-{self.fragment_count}"
        return f"rs-{self.data_count}+{self.parity_count}"


@lru_cache(maxsize=64)
def parse_scheme(text: str) -> Scheme:
    """Return the scheme that `replicate-N` or `rs-K+M` names; UnknownScheme for anything else."""
    match = _SCHEME_TEXT.fullmatch(text)
    if match is None:
        raise UnknownScheme(f"{text!r} is neither replicate-N nor rs-K+M")
    if match["copies"]:
        scheme = Scheme(data_count=1, parity_count=int(match["copies"]) - 1, is_replicated=True)
    else:
        scheme = Scheme(data_count=int(match["data"]), parity_count=int(match["parity"]), is_replicated=False)
    if scheme.parity_count < (0 if scheme.is_replicated else 1) or scheme.data_count < 1:
        raise UnknownScheme(f"{text!r} names too few fragments")
    if scheme.fragment_count > FRAGMENT_COUNT_MAX:
        raise UnknownScheme(f"{text!r} names more than {FRAGMENT_COUNT_MAX} fragments")
    return scheme


def encode(scheme: Scheme, chunk: Buffer) -> list[memoryview]:
    """Return the payload of every fragment, all of the same length.

    Data fragments and copies are views of `chunk`, except one that has to be padded; parity is new.
    """
    view = memoryview(chunk).cast("B")
    if scheme.is_replicated:
        return [view] * scheme.fragment_count
    length = scheme.fragment_length_bytes(len(view))
    data = [_padded(view[index * length : (index + 1) * length], length) for index in range(scheme.data_count)]
    return data + _parity(scheme, data, length)


def decode(scheme: Scheme, available: Mapping[int, Buffer], chunk_size_bytes: int) -> bytes:
    """Return the chunk from any `data_count` payloads, given by fragment index; NotEnoughFragments from fewer."""
    payloads = []
    left = chunk_size_bytes
    for index in range(scheme.data_count):
        payload = available[index] if index in available else reconstruct(scheme, available, index)
        payloads.append(memoryview(payload)[:left])
        left -= len(payloads[-1])
    return b"".join(payloads)


def reconstruct(scheme: Scheme, available: Mapping[int, Buffer], wanted_index: int) -> bytes:
    """Return the payload of one fragment from those of others, or any range of it from the same range of others.

    All buffers given have the same length, and so has the result. NotEnoughFragments if fewer than `data_count`.
    """
    sources = sorted(index for index in available if index != wanted_index)[: scheme.data_count]
    if len(sources) < scheme.data_count:
        raise NotEnoughFragments(f"{len(sources)} fragments of a chunk that needs {scheme.data_count}")
    if scheme.is_replicated:
        return bytes(available[sources[0]])
    views = {index: memoryview(available[index]) for index in sources}
    length = len(views[sources[0]])
    if length and isal.is_available():
        return isal.reconstruct(list(views.items()), scheme.parity_count, wanted_index)
    codec = _codec(scheme)
    strips = []
    for start in range(0, length, STRIP_BYTES):
        end = min(start + STRIP_BYTES, length)
        framed = [
            b"".join((_codec_header(scheme, index, end - start), view[start:end])) for index, view in views.items()
        ]
        strips.append(memoryview(codec.reconstruct(framed, [wanted_index])[0])[_CODEC_HEADER_BYTES:])
    return b"".join(strips)


def _padded(payload: memoryview, length: int) -> memoryview:
    if len(payload) == length:
        return payload
    return memoryview(bytes(payload).ljust(length, b"\0"))


def _parity(scheme: Scheme, data: Sequence[memoryview], length: int) -> list[memoryview]:
    if length and isal.is_available():
        return [memoryview(fragment) for fragment in isal.parity(data, scheme.parity_count)]
    codec = _codec(scheme)
    strips: list[list[memoryview]] = [[] for _ in range(scheme.parity_count)]
    for start in range(0, length, STRIP_BYTES):
        stripe = b"".join([payload[start : start + STRIP_BYTES] for payload in data])
        parity = codec.encode(stripe)[scheme.data_count :]
        for index, fragment in enumerate(parity):
            strips[index].append(memoryview(fragment)[_CODEC_HEADER_BYTES:])
    return [memoryview(b"".join(strips[index])) for index in range(scheme.parity_count)]


@lru_cache(maxsize=16)
def _codec(scheme: Scheme) -> Any:
    return ECDriver(k=scheme.data_count, m=scheme.parity_count, ec_type="isa_l_rs_cauchy")


@lru_cache(maxsize=16)
def _codec_header_template(scheme: Scheme) -> bytes:
    first_fragment: bytes = _codec(scheme).encode(bytes(scheme.data_count))[0]
    return first_fragment[:_CODEC_HEADER_BYTES]


@lru_cache(maxsize=1024)
def _codec_header(scheme: Scheme, fragment_index: int, length: int) -> bytes:
    header = bytearray(_codec_header_template(scheme))
    _CODEC_INDEX_AND_SIZE.pack_into(header, 0, fragment_index, length)
    _CODEC_CHUNK_SIZE.pack_into(header, 12, length * scheme.data_count)
    _CODEC_CHECKSUM.pack_into(header, 67, zlib.crc32(header[:_CODEC_COVERED_BYTES]))
    return bytes(header)
