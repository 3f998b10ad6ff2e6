from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks.erasure import STRIP_BYTES, decode, encode, parse_scheme, reconstruct
from chunks.errors import NotEnoughFragments, UnknownScheme

SCHEMES = ["replicate-1", "replicate-3", "rs-1+1", "rs-2+1", "rs-4+2", "rs-10+4", "rs-3+5"]
SIZES = [0, 1, 2, 3, 4, 5, 7, 4095, 4096, 65536, 4 * STRIP_BYTES - 1, 4 * STRIP_BYTES + 1, 1_000_003]


def bytes_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize(
    "text", ["", "replicate-0", "rs-4", "rs-0+2", "rs-4+0", "rs-40+2", "replicate-33", "RS-4+2", "x"]
)
def test_text_that_names_no_scheme_is_refused(text: str) -> None:
    with pytest.raises(UnknownScheme):
        parse_scheme(text)


@pytest.mark.parametrize("text", SCHEMES)
def test_a_scheme_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_scheme(text)) == text


@pytest.mark.parametrize("size", SIZES)
def test_every_loss_of_two_of_six_is_survived(size: int) -> None:
    scheme, chunk = parse_scheme("rs-4+2"), bytes_of(size)
    fragments = encode(scheme, chunk)
    for lost in combinations(range(6), 2):
        available = {index: fragments[index] for index in range(6) if index not in lost}
        assert decode(scheme, available, size) == chunk
        for index in lost:
            assert reconstruct(scheme, available, index) == fragments[index]


@given(
    text=st.sampled_from(SCHEMES),
    chunk=st.one_of(st.binary(max_size=300), st.integers(0, 400_000).map(bytes_of)),
    seed=st.randoms(use_true_random=False),
)
@settings(max_examples=150, deadline=None)
def test_any_tolerated_loss_gives_the_chunk_back(text: str, chunk: bytes, seed: random.Random) -> None:
    scheme = parse_scheme(text)
    fragments = encode(scheme, chunk)
    assert len(fragments) == scheme.fragment_count
    assert {len(fragment) for fragment in fragments} == {scheme.fragment_length_bytes(len(chunk))}
    kept = seed.sample(range(scheme.fragment_count), scheme.fragment_count - scheme.tolerated_losses)
    assert decode(scheme, {index: fragments[index] for index in kept}, len(chunk)) == chunk


@given(data=st.data(), size=st.integers(1, 700_000))
@settings(max_examples=60, deadline=None)
def test_a_range_of_a_lost_fragment_needs_that_range_of_others_alone(data: st.DataObject, size: int) -> None:
    scheme = parse_scheme("rs-4+2")
    fragments = encode(scheme, bytes_of(size))
    length = len(fragments[0])
    start = data.draw(st.integers(0, length - 1))
    end = data.draw(st.integers(start + 1, length))
    lost = data.draw(st.integers(0, 5))
    available = {index: fragments[index][start:end] for index in range(6) if index != lost}
    assert reconstruct(scheme, available, lost) == fragments[lost][start:end]


def test_data_fragments_are_the_bytes_of_the_chunk_uncopied() -> None:
    chunk = bytearray(bytes_of(4096))
    fragments = encode(parse_scheme("rs-4+2"), chunk)
    assert b"".join(fragments[:4]) == chunk
    chunk[0] ^= 1
    assert fragments[0][0] == chunk[0]


def test_fewer_fragments_than_needed_are_not_enough() -> None:
    scheme, chunk = parse_scheme("rs-4+2"), bytes_of(1000)
    fragments = encode(scheme, chunk)
    with pytest.raises(NotEnoughFragments):
        decode(scheme, {index: fragments[index] for index in (0, 1, 5)}, len(chunk))


def test_parity_is_the_documented_cauchy_code() -> None:
    """Computed here from the definition alone: fragments can be read without the library that wrote them."""
    powers = [1]
    for _ in range(254):
        doubled = powers[-1] << 1
        powers.append(doubled ^ 0x11D if doubled & 0x100 else doubled)
    logarithms = {value: exponent for exponent, value in enumerate(powers)}

    def divided(numerator: int, denominator: int) -> int:
        return powers[(logarithms[numerator] - logarithms[denominator]) % 255] if numerator else 0

    fragments = encode(parse_scheme("rs-4+2"), bytes_of(1000))
    for parity in (0, 1):
        for position in range(250):
            expected = 0
            for column in range(4):
                expected ^= divided(fragments[column][position], (4 + parity) ^ column)
            assert fragments[4 + parity][position] == expected
