"""ISA-L's Reed-Solomon on the caller's own memory. Pure: no byte of a chunk is copied, parity is written once.

PyECLib (`erasure`) brings ISA-L along and calls it through liberasurecode, which copies every chunk into fragments of its
own with headers of its own. Here the same library is called by its C interface (isa-l/include/erasure_code.h), where it is
found; `erasure` does without it where not. The matrix is the one that liberasurecode uses, so the bytes are the same.

Theory. With C the k+m by k matrix (identity above Cauchy), the fragments are C times the data. Of any k of them, with M
their rows of C, the data is M^-1 times what they hold, and fragment w is row w of C times that: one row of k factors.
"""

import ctypes
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyeclib

Buffer = bytes | bytearray | memoryview

_TABLE_BYTES = 32  # ISA-L's expansion of one factor

_new_bytes: Callable[[None, int], bytes] = ctypes.pythonapi.PyBytes_FromStringAndSize
_new_bytes.restype = ctypes.py_object  # type: ignore[attr-defined]
_new_bytes.argtypes = [ctypes.c_char_p, ctypes.c_ssize_t]  # type: ignore[attr-defined]


class _View(ctypes.Structure):
    """Py_buffer, CPython's description of somebody's memory."""

    _fields_ = (
        ("address", ctypes.c_void_p),
        ("owner", ctypes.py_object),
        ("length", ctypes.c_ssize_t),
        ("item_size", ctypes.c_ssize_t),
        ("is_read_only", ctypes.c_int),
        ("dimension_count", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    )


_get_view: Any = ctypes.pythonapi.PyObject_GetBuffer
_get_view.argtypes = [ctypes.py_object, ctypes.POINTER(_View), ctypes.c_int]
_release_view: Any = ctypes.pythonapi.PyBuffer_Release
_release_view.argtypes = [ctypes.POINTER(_View)]


def is_available() -> bool:
    """Say whether the library is there."""
    return _library() is not None


def parity(data: Sequence[Buffer], parity_count: int) -> list[bytes]:
    """Return the parity fragments of data fragments of one length, which is not 0."""
    data_count = len(data)
    return _multiply(_parity_tables(data_count, parity_count), data, parity_count)


def reconstruct(sources: Sequence[tuple[int, Buffer]], parity_count: int, wanted_index: int) -> bytes:
    """Return a fragment from as many others as there are data fragments, given with their indexes; of one length."""
    indexes = tuple(index for index, _ in sources)
    tables = _reconstruction_tables(parity_count, indexes, wanted_index)
    return _multiply(tables, [buffer for _, buffer in sources], 1)[0]


def _multiply(tables: Any, sources: Sequence[Buffer], row_count: int) -> list[bytes]:
    """Return the products of expanded rows and sources. Lets other threads run meanwhile."""
    library = _library()
    assert library is not None
    views = [_View() for _ in sources]
    held = 0
    try:
        for view, source in zip(views, sources, strict=True):
            _get_view(source, ctypes.byref(view), 0)
            held += 1
        length = views[0].length
        if any(view.length != length for view in views):
            raise ValueError("fragments of one chunk have one length")
        products = [_new_bytes(None, length) for _ in range(row_count)]
        inputs = (ctypes.c_void_p * len(views))(*[view.address for view in views])
        # They are nobody else's yet, as C code is to fill a new bytes object.
        outputs = (ctypes.c_void_p * row_count)(
            *[ctypes.cast(ctypes.c_char_p(product), ctypes.c_void_p).value for product in products]
        )
        library.ec_encode_data(length, len(views), row_count, tables, inputs, outputs)
        return products
    finally:
        for view in views[:held]:
            _release_view(ctypes.byref(view))


@lru_cache(maxsize=64)
def _parity_tables(data_count: int, parity_count: int) -> Any:
    matrix = _matrix(data_count, parity_count)
    return _expanded(matrix[data_count * data_count :], data_count)


@lru_cache(maxsize=1024)
def _reconstruction_tables(parity_count: int, indexes: tuple[int, ...], wanted_index: int) -> Any:
    library = _library()
    assert library is not None
    data_count = len(indexes)
    matrix = _matrix(data_count, parity_count)
    rows = b"".join(matrix[index * data_count : (index + 1) * data_count] for index in indexes)
    inverse = ctypes.create_string_buffer(len(rows))
    if library.gf_invert_matrix(ctypes.create_string_buffer(rows, len(rows)), inverse, data_count):
        raise AssertionError(f"fragments {indexes} of {data_count}+{parity_count} do not give the chunk")
    wanted = matrix[wanted_index * data_count : (wanted_index + 1) * data_count]
    factors = bytearray(data_count)
    for column in range(data_count):
        for row in range(data_count):
            factors[column] ^= library.gf_mul(wanted[row], inverse.raw[row * data_count + column])
    return _expanded(bytes(factors), data_count)


def _matrix(data_count: int, parity_count: int) -> bytes:
    library = _library()
    assert library is not None
    matrix = ctypes.create_string_buffer(data_count * (data_count + parity_count))
    library.gf_gen_cauchy1_matrix(matrix, data_count + parity_count, data_count)
    return matrix.raw


def _expanded(rows: bytes, data_count: int) -> Any:
    library = _library()
    assert library is not None
    row_count = len(rows) // data_count
    tables = ctypes.create_string_buffer(_TABLE_BYTES * len(rows))
    library.ec_init_tables(data_count, row_count, ctypes.create_string_buffer(rows, len(rows)), tables)
    return tables


@lru_cache(maxsize=1)
def _library() -> Any | None:
    """Load the library that PyECLib's wheel brings along, beside the package; None where there is none."""
    place = Path(pyeclib.__file__).parent.parent / "pyeclib.libs"
    for path in sorted(place.glob("libisal*")):
        try:
            library = ctypes.CDLL(str(path))
            library.gf_gen_cauchy1_matrix.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
            library.gf_invert_matrix.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
            library.gf_mul.argtypes = [ctypes.c_ubyte, ctypes.c_ubyte]
            library.gf_mul.restype = ctypes.c_ubyte
            library.ec_init_tables.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
            library.ec_encode_data.argtypes = [ctypes.c_int] * 3 + [ctypes.c_void_p] * 3
        except (OSError, AttributeError):
            continue
        return library
    return None
