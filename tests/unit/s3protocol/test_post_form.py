"""Forms of browsers, in pieces of any size."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3protocol import errors
from s3protocol.post_form import FIELDS_SIZE_BYTES_MAX, base_name, boundary_of, parse_form

TYPE = "multipart/form-data; boundary=XbX"


def form(*parts, end=b"--XbX--\r\n"):
    body = b""
    for disposition, value, *more in parts:
        head = f"Content-Disposition: form-data; {disposition}\r\n".encode() + b"".join(more)
        body += b"--XbX\r\n" + head + b"\r\n" + value + b"\r\n"
    return body + end


def read(body, content_type=TYPE, size=7):
    reader = parse_form((body[i : i + size] for i in range(0, len(body), size)), content_type)
    return reader, b"".join(reader.file_pieces())


SIMPLE = form(
    ('name="kEy"', b"a/${filename}"), ('name="file"; filename="x.txt"', b"bytes", b"Content-Type: text/a\r\n")
)


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1000])
def test_fields_and_the_file_are_found_however_the_body_arrives(size):
    reader, file = read(SIMPLE, size=size)
    assert reader.fields == {"key": "a/${filename}"}
    assert (reader.file_name, reader.file_type, file) == ("x.txt", "text/a", b"bytes")


@given(
    st.dictionaries(
        st.from_regex(r"\A[a-z-]{1,9}\Z").filter(lambda name: name != "file"), st.text(max_size=30), max_size=4
    ),
    st.binary(max_size=300),
    st.integers(1, 64),
)
def test_any_fields_and_any_file_come_through(fields, file, size):
    if b"\r\n--XbX" in b"\r\n" + file or any("--XbX" in value for value in fields.values()):
        return
    body = form(*((f'name="{name}"', value.encode()) for name, value in fields.items()), ('name="file"', file))
    reader, found = read(body, size=size)
    assert (reader.fields, found) == (fields, file)


@given(st.binary(max_size=400), st.integers(1, 50), st.randoms())
def test_whatever_arrives_is_a_form_or_an_s3_error(noise, size, chance):
    body = bytearray(SIMPLE)
    for byte in noise[:5]:
        body[chance.randrange(len(body))] = byte
    for damaged in (bytes(body), bytes(body[: chance.randrange(len(body))]), noise):
        with contextlib.suppress(errors.S3Error):
            read(damaged, size=size)


def test_a_file_that_nearly_holds_the_boundary_is_whole():
    for file in (b"\r\n--Xb", b"\r\n--XbY\r\n", b"--XbX", b"\r\n\r\n-", b""):
        assert read(form(('name="file"', file)), size=1)[1] == file


def test_what_follows_the_file_is_skipped():
    pieces = iter([form(('name="file"', b"x"), ('name="key"', b"late")), b"epilogue", b"more"])
    reader = parse_form(pieces, TYPE)
    assert b"".join(reader.file_pieces()) == b"x"
    assert reader.fields == {}
    assert next(pieces, None) is None


def test_memory_is_bounded_by_fields_and_a_piece():
    def endless():
        yield b"--XbX\r\n" + b"a" * 100
        for _ in range(10_000):
            yield b"a" * 1_000
        raise AssertionError("read on for too long")

    with pytest.raises(errors.MaxPostPreDataLengthExceededError):
        parse_form(endless(), TYPE)
    with pytest.raises(errors.MaxPostPreDataLengthExceededError):
        read(form(('name="a"', b"x" * FIELDS_SIZE_BYTES_MAX), ('name="file"', b"")), size=4096)
    file = random.Random(1).randbytes(1 << 20)
    assert read(form(('name="file"', file)), size=1 << 14)[1] == file


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--XbX",
        b"--Xb",
        form(("name=file", b"x"), end=b""),
        form(("name=file", b"x"))[:-11],
        b"--XbX\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--XbX--",
        b"--XbX\r\n\r\nx\r\n--XbX--",
        b"--XbX oops\r\nContent-Disposition: form-data; name=file\r\n\r\nx\r\n--XbX--",
        form(('name=""', b"x"), ("name=file", b"x")),
        form(("name=a", b"\xff"), ("name=file", b"x")),
    ],
)
def test_a_form_that_is_none_is_malformed(body):
    with pytest.raises(errors.MalformedPOSTRequest):
        read(body)


def test_a_form_needs_a_file_and_each_field_once():
    with pytest.raises(errors.InvalidArgument):
        read(form(("name=a", b"x")))
    with pytest.raises(errors.InvalidArgument):
        read(form(("name=a", b"x"), ("name=A", b"y"), ("name=file", b"")))


def test_the_enclosure_says_multipart_and_a_boundary():
    assert boundary_of('Multipart/Form-Data; charset=utf-8; boundary="a b"') == b"a b"
    for other in ("", "text/plain", "application/x-www-form-urlencoded"):
        with pytest.raises(errors.PreconditionFailed):
            boundary_of(other)
    for bad in ("multipart/form-data;", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "a" * 71):
        with pytest.raises(errors.MalformedPOSTRequest):
            boundary_of(bad)


@pytest.mark.parametrize(
    ("path", "name"), [("a.txt", "a.txt"), ("/x/a.txt", "a.txt"), (r"C:\x\a.txt", "a.txt"), ("", "")]
)
def test_a_file_name_may_be_a_path(path, name):
    assert base_name(path) == name
