"""The encryption of chunks: every byte counts, every block is in its place, every range comes back."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given, settings
from hypothesis import strategies as st

from objects.chunk_cipher import (
    BLOCK_BYTES,
    SEALED_BLOCK_BYTES,
    TAG_BYTES,
    ChunkTampered,
    cipher_range,
    cipher_size,
    decrypt_range,
    encrypt_chunk,
    plain_size,
)

KEY = bytes(range(32))
CHUNK = UUID("01890000-0000-7000-8000-000000000001")
OTHER = UUID("01890000-0000-7000-8000-000000000002")


def pattern(size: int) -> bytes:
    return (hashlib.sha256(b"pattern").digest() * (size // 32 + 1))[:size]


LARGE = pattern(3 * BLOCK_BYTES + 777)
LARGE_SEALED = bytes(encrypt_chunk(KEY, CHUNK, LARGE))


def decrypt(
    sealed: bytes, start: int, end: int, *, key: bytes = KEY, chunk: UUID = CHUNK, step: int = 1 << 20
) -> bytes:
    low, high = cipher_range(start, end, len(sealed))
    pieces = [sealed[at : min(at + step, high)] for at in range(low, high, step)]
    return b"".join(decrypt_range(key, chunk, pieces, cipher_bytes=len(sealed), start=start, end=end))


def test_the_format_never_changes():
    sealed = bytes(encrypt_chunk(KEY, CHUNK, b"the quick brown fox"))
    assert sealed.hex() == GOLDEN


GOLDEN = "e26567ab5430f32940bd631ce13d02a5110c8c752a9ab0aa680ec2b5854b6549427345"


def test_the_format_is_what_its_description_says():
    key = HKDFExpand(algorithm=SHA256(), length=32, info=b"objstore chunk 1" + CHUNK.bytes).derive(KEY)
    associated = b"objchnk1" + CHUNK.bytes + len(LARGE).to_bytes(8, "big")
    blocks = [
        AESGCM(key).encrypt((index).to_bytes(12, "big"), LARGE[index * 65536 : (index + 1) * 65536], associated)
        for index in range(4)
    ]
    assert b"".join(blocks) == LARGE_SEALED


@pytest.mark.parametrize("size", [1, 15, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES])
def test_a_chunk_comes_back_whole(size):
    sealed = bytes(encrypt_chunk(KEY, CHUNK, pattern(size)))
    assert len(sealed) == cipher_size(size)
    assert plain_size(len(sealed)) == size
    assert decrypt(sealed, 0, size) == pattern(size)


def test_an_empty_chunk_has_no_block():
    assert bytes(encrypt_chunk(KEY, CHUNK, b"")) == b""
    assert cipher_size(0) == plain_size(0) == 0


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_range_comes_back_however_the_stored_bytes_are_cut(data):
    start = data.draw(st.integers(0, len(LARGE) - 1))
    end = data.draw(st.integers(start + 1, len(LARGE)))
    step = data.draw(st.sampled_from([1 << 20, SEALED_BLOCK_BYTES, BLOCK_BYTES, 9_973, 1_000]))
    assert decrypt(LARGE_SEALED, start, end, step=step) == LARGE[start:end]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 200_000))
def test_sizes_are_each_others_inverse(size):
    assert plain_size(cipher_size(size)) == size


def test_a_range_reads_the_blocks_that_it_needs_and_no_more():
    assert cipher_range(0, 1, len(LARGE_SEALED)) == (0, SEALED_BLOCK_BYTES)
    assert cipher_range(BLOCK_BYTES, 2 * BLOCK_BYTES, len(LARGE_SEALED)) == (SEALED_BLOCK_BYTES, 2 * SEALED_BLOCK_BYTES)
    assert cipher_range(len(LARGE) - 1, len(LARGE), len(LARGE_SEALED)) == (3 * SEALED_BLOCK_BYTES, len(LARGE_SEALED))


def test_every_flipped_byte_is_noticed():
    plain = pattern(300)
    sealed = bytes(encrypt_chunk(KEY, CHUNK, plain))
    for index in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[index] ^= 0x01
        with pytest.raises(ChunkTampered):
            decrypt(bytes(damaged), 0, len(plain))


def test_a_damaged_block_is_noticed_only_where_it_is_read():
    damaged = bytearray(LARGE_SEALED)
    damaged[SEALED_BLOCK_BYTES + 5] ^= 0xFF
    assert decrypt(bytes(damaged), 0, BLOCK_BYTES) == LARGE[:BLOCK_BYTES]
    with pytest.raises(ChunkTampered):
        decrypt(bytes(damaged), BLOCK_BYTES - 1, BLOCK_BYTES + 1)


def test_swapped_blocks_are_noticed():
    swapped = LARGE_SEALED[SEALED_BLOCK_BYTES : 2 * SEALED_BLOCK_BYTES] + LARGE_SEALED[:SEALED_BLOCK_BYTES]
    with pytest.raises(ChunkTampered):
        decrypt(swapped + LARGE_SEALED[2 * SEALED_BLOCK_BYTES :], 0, 10)


def test_a_chunk_under_another_id_is_noticed():
    with pytest.raises(ChunkTampered):
        decrypt(LARGE_SEALED, 0, 10, chunk=OTHER)


def test_a_chunk_under_another_key_is_noticed():
    with pytest.raises(ChunkTampered):
        decrypt(LARGE_SEALED, 0, 10, key=bytes(32))


@pytest.mark.parametrize("kept", [SEALED_BLOCK_BYTES, 2 * SEALED_BLOCK_BYTES, SEALED_BLOCK_BYTES + TAG_BYTES + 1])
def test_a_chunk_that_is_cut_is_noticed(kept):
    with pytest.raises(ChunkTampered):
        decrypt(LARGE_SEALED[:kept], 0, 10)


@pytest.mark.parametrize("kept", [0, 1, TAG_BYTES, SEALED_BLOCK_BYTES - 1, SEALED_BLOCK_BYTES])
def test_stored_bytes_that_end_too_early_are_noticed(kept):
    with pytest.raises(ChunkTampered):
        list(
            decrypt_range(
                KEY, CHUNK, [LARGE_SEALED[:kept]], cipher_bytes=len(LARGE_SEALED), start=0, end=BLOCK_BYTES + 1
            )
        )


def test_equal_bytes_look_different_in_every_chunk():
    assert bytes(encrypt_chunk(KEY, OTHER, LARGE))[:BLOCK_BYTES] != LARGE_SEALED[:BLOCK_BYTES]
