"""Encrypt the bytes of a chunk, and decrypt any range of them. Pure: key and bytes in, bytes out.

Not for: where the data key comes from (`objects.services.encryption`), nor for what becomes of the encrypted chunk:
`chunks` stores it like any other and never sees a key.

Theory. A chunk is cut into blocks of 64 KiB, each sealed by AES-256-GCM (NIST SP 800-38D) and followed by its tag:

    stored chunk  =  block 0 | tag 0 | block 1 | tag 1 | ... | last block (1 byte to 64 KiB) | its tag (16 bytes)
    block key     =  HKDF-Expand-SHA256 (RFC 5869) of the version's random 256-bit data key, info = "objstore chunk 1"
                     followed by the 16 bytes of the chunk's id
    nonce         =  the block's index, 12 bytes big-endian
    associated    =  "objchnk1" | chunk id, 16 bytes | plain size of the chunk, 8 bytes big-endian

A chunk id is drawn once and a chunk never changes, so no pair of key and nonce seals twice. A block that is moved within
its chunk fails by its nonce, one from another chunk by its key, and a chunk that is cut at a block's end by the size in
the associated data. Data keys are random for each version, so equal contents look different everywhere.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

KEY_BYTES = 32
BLOCK_BYTES = 64 * 1024
TAG_BYTES = 16
SEALED_BLOCK_BYTES = BLOCK_BYTES + TAG_BYTES

_KEY_INFO = b"objstore chunk 1"
_ASSOCIATED = struct.Struct(">8s16sQ")
_MAGIC = b"objchnk1"


class ChunkTampered(Exception):
    """A block's tag does not fit: wrong key, wrong chunk, or bytes that are not the ones that were sealed."""


def cipher_size(plain_bytes: int) -> int:
    """Return the stored size of a chunk of so many bytes."""
    return plain_bytes + TAG_BYTES * -(-plain_bytes // BLOCK_BYTES)


def plain_size(cipher_bytes: int) -> int:
    """Return how many bytes a stored chunk of this size holds."""
    return cipher_bytes - TAG_BYTES * -(-cipher_bytes // SEALED_BLOCK_BYTES)


def cipher_range(start: int, end: int, cipher_bytes: int) -> tuple[int, int]:
    """Return where in a stored chunk the blocks lie that hold the plain bytes [start, end), which are not none."""
    first, last = start // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
    return first * SEALED_BLOCK_BYTES, min((last + 1) * SEALED_BLOCK_BYTES, cipher_bytes)


def encrypt_chunk(data_key: bytes, chunk_id: UUID, plain: bytes | bytearray | memoryview) -> memoryview:
    """Return the stored form of a chunk, in memory of its own."""
    view = memoryview(plain).cast("B")
    cipher, associated = _cipher(data_key, chunk_id), _associated(chunk_id, len(view))
    sealed = memoryview(bytearray(cipher_size(len(view))))
    for index in range(-(-len(view) // BLOCK_BYTES)):
        block = view[index * BLOCK_BYTES : (index + 1) * BLOCK_BYTES]
        start = index * SEALED_BLOCK_BYTES
        cipher.encrypt_into(_nonce(index), block, associated, sealed[start : start + len(block) + TAG_BYTES])
    return sealed


def decrypt_range(
    data_key: bytes,
    chunk_id: UUID,
    pieces: Iterable[bytes | memoryview],
    *,
    cipher_bytes: int,
    start: int,
    end: int,
) -> Iterator[bytes]:
    """Yield the plain bytes [start, end) of a chunk from the stored bytes of `cipher_range`, however they are cut.

    Each block is checked before a byte of it is given out. Raises ChunkTampered. Holds one piece and one block.
    """
    opener = _BlockOpener(data_key, chunk_id, cipher_bytes, first_index=start // BLOCK_BYTES)
    position = start // BLOCK_BYTES * BLOCK_BYTES
    for piece in pieces:
        plain = opener.open_blocks(piece)
        if plain:
            low, high = max(start - position, 0), min(end - position, len(plain))
            position += len(plain)
            yield bytes(plain[low:high])
    if opener.has_rest or position < end:
        raise ChunkTampered(f"chunk {chunk_id} ends within a block")


class _BlockOpener:
    """The blocks of a chunk in order, from pieces that end anywhere."""

    def __init__(self, data_key: bytes, chunk_id: UUID, cipher_bytes: int, first_index: int) -> None:
        self._cipher = _cipher(data_key, chunk_id)
        self._chunk_id = chunk_id
        self._associated = _associated(chunk_id, plain_size(cipher_bytes))
        self._left = cipher_bytes - first_index * SEALED_BLOCK_BYTES
        self._index = first_index
        self._rest: bytes | memoryview = b""

    @property
    def has_rest(self) -> bool:
        """Whether bytes are left of which no whole block came."""
        return len(self._rest) > 0

    def open_blocks(self, piece: bytes | memoryview) -> memoryview:
        """Take a piece and return what is plain of it and of the rest before."""
        sealed = memoryview(b"".join((self._rest, piece)) if len(self._rest) else piece)
        ready = len(sealed) if len(sealed) >= self._left else len(sealed) - len(sealed) % SEALED_BLOCK_BYTES
        plain = memoryview(bytearray(plain_size(ready)))
        filled = 0
        for start in range(0, ready, SEALED_BLOCK_BYTES):
            block = sealed[start : min(start + SEALED_BLOCK_BYTES, ready)]
            filled += self._open_block(block, plain[filled : filled + len(block) - TAG_BYTES])
        self._rest = bytes(sealed[ready:])
        self._left -= ready
        return plain

    def _open_block(self, block: memoryview, into: memoryview) -> int:
        try:
            self._cipher.decrypt_into(_nonce(self._index), block, self._associated, into)
        except (InvalidTag, ValueError):
            raise ChunkTampered(f"block {self._index} of chunk {self._chunk_id} is not what was sealed") from None
        self._index += 1
        return len(into)


def _cipher(data_key: bytes, chunk_id: UUID) -> AESGCM:
    assert len(data_key) == KEY_BYTES
    return AESGCM(HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=_KEY_INFO + chunk_id.bytes).derive(data_key))


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")


def _associated(chunk_id: UUID, plain_bytes: int) -> bytes:
    return _ASSOCIATED.pack(_MAGIC, chunk_id.bytes, plain_bytes)
