"""ISA-L called directly gives the bytes that PyECLib gives."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from chunks import isal
from chunks.erasure import decode, encode, parse_scheme, reconstruct

SCHEMES = ["rs-1+1", "rs-2+1", "rs-4+2", "rs-8+4", "rs-16+4", "rs-3+5"]
pytestmark = pytest.mark.skipif(not isal.is_available(), reason="PyECLib's wheel brings no ISA-L here")


@pytest.mark.parametrize("text", SCHEMES)
@pytest.mark.parametrize("size", [1, 63, 64, 4096, 100_003, 300_000])
def test_parity_is_the_same(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chunk, scheme = random.Random(size).randbytes(size), parse_scheme(text)
    direct = [bytes(fragment) for fragment in encode(scheme, chunk)]
    monkeypatch.setattr(isal, "is_available", lambda: False)
    assert direct == [bytes(fragment) for fragment in encode(scheme, chunk)]


@pytest.mark.parametrize("text", ["rs-2+2", "rs-4+2", "rs-3+3"])
def test_any_fragment_comes_back_from_any_others(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scheme = parse_scheme(text)
    chunk = random.Random(1).randbytes(70_001)
    fragments = encode(scheme, chunk)
    for lost in combinations(range(scheme.fragment_count), scheme.parity_count):
        left = {index: fragment for index, fragment in enumerate(fragments) if index not in lost}
        for index in lost:
            assert reconstruct(scheme, left, index) == fragments[index]
        assert decode(scheme, left, len(chunk)) == chunk
    monkeypatch.setattr(isal, "is_available", lambda: False)
    assert decode(scheme, dict(list(enumerate(fragments))[scheme.parity_count :]), len(chunk)) == chunk


def test_memory_of_any_kind_is_read_where_it_lies() -> None:
    chunk = random.Random(2).randbytes(80_000)
    expected = isal.parity([chunk[:40_000], chunk[40_000:]], 2)
    mutable = bytearray(b"before" + chunk + b"behind")
    view = memoryview(mutable)[6:-6]
    assert isal.parity([view[:40_000], view[40_000:]], 2) == expected
    assert isal.parity([bytearray(chunk[:40_000]), memoryview(chunk)[40_000:]], 2) == expected
    view.release()
    mutable.extend(b"nobody holds it any more")


def test_fragments_of_several_lengths_are_refused_and_let_go() -> None:
    mutable = bytearray(100)
    with pytest.raises(ValueError, match="one length"):
        isal.parity([mutable, bytes(99)], 1)
    mutable.append(0)
