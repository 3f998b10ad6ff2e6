"""The form of a browser's upload: multipart/form-data taken apart as it arrives, in bounded memory.

Pure: pieces in, fields and then pieces of the file out. What precedes the file is bounded (S3's own bound), the file is
not kept, and what follows it is skipped, as S3 ignores it. Grammar: RFC 7578 and RFC 2046, section 5.1.1; browsers send
file names as the URL and HTML standards say, old ones with the whole path.

Theory: every part ends at CRLF "--" boundary, and so does the preamble, if the body is read as if a CRLF preceded it. So
the whole body is cut at one delimiter, and a delimiter that is split between pieces is found by keeping back as many
bytes as it has, less one.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from s3protocol import errors

FIELDS_SIZE_BYTES_MAX: Final = 20 * 1024
FILE_FIELD: Final = "file"

_CONTENT_TYPE = re.compile(r"multipart/form-data\s*;(.*)", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(r';\s*([\w!#$%&\'+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))', re.DOTALL)
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_ESCAPED = re.compile(r'\\(["\\])')


def boundary_of(content_type: str) -> bytes:
    """Read the boundary of a form's Content-Type. Raises PreconditionFailed for another type, MalformedPOSTRequest."""
    if (match := _CONTENT_TYPE.fullmatch(content_type.strip())) is None:
        raise errors.PreconditionFailed(Condition="Bucket POST must be of the enclosure-type multipart/form-data")
    boundary = _parameters(f";{match[1]}").get("boundary", "")
    if _BOUNDARY.fullmatch(boundary) is None:
        raise errors.MalformedPOSTRequest
    return boundary.encode()


def _parameters(text: str) -> dict[str, str]:
    """Read parameters, each behind a semicolon; names in lower case, the first of equal ones wins."""
    found: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(text):
        found.setdefault(name.lower(), _ESCAPED.sub(r"\1", quoted) or plain)
    return found


@dataclass(slots=True)
class FormReader:
    """Reads a form once: first `read_fields`, then `file_pieces`.

    After `read_fields`, `fields` holds the fields before the file by lower-case name, `file_name` and `file_type` what
    the file's part says of itself.
    """

    pieces: Iterator[bytes]
    boundary: bytes
    fields: dict[str, str] = field(default_factory=dict)
    file_name: str = ""
    file_type: str = ""
    _buffer: bytearray = field(default_factory=lambda: bytearray(b"\r\n"))
    _read_bytes: int = 0

    def read_fields(self) -> None:
        """Read up to the file's first byte.

        Raises MalformedPOSTRequest, MaxPostPreDataLengthExceededError, InvalidArgument where there is no file.
        """
        self._take_until(self._delimiter)
        while self._begins_part():
            parameters, content_type = self._read_head()
            name = parameters.get("name", "").lower()
            if not name:
                raise errors.MalformedPOSTRequest
            if name == FILE_FIELD:
                self.file_name = parameters.get("filename", "")
                self.file_type = content_type
                return
            if name in self.fields:
                raise errors.InvalidArgument(
                    f"A form holds the field {name} once.", ArgumentName=name, ArgumentValue=self.fields[name]
                )
            self.fields[name] = _decoded(self._take_until(self._delimiter))
        raise errors.InvalidArgument(
            "POST requires exactly one file upload per request.", ArgumentName=FILE_FIELD, ArgumentValue="0"
        )

    def file_pieces(self) -> Iterator[bytes]:
        """Yield the file, and skip what follows it. Raises MalformedPOSTRequest where its end is missing."""
        delimiter, kept = self._delimiter, len(self._delimiter) - 1
        while (end := self._buffer.find(delimiter)) < 0:
            if len(self._buffer) > kept:
                yield bytes(self._buffer[:-kept])
                del self._buffer[:-kept]
            self._receive()
        if end:
            yield bytes(self._buffer[:end])
        self._buffer.clear()
        for _ in self.pieces:
            pass

    @property
    def _delimiter(self) -> bytes:
        return b"\r\n--" + self.boundary

    def _begins_part(self) -> bool:
        """Read what follows a delimiter: nothing but white space before a part, two hyphens at the end."""
        self._fill(2)
        if self._buffer.startswith(b"--"):
            return False
        if self._take_until(b"\r\n").strip(b" \t"):
            raise errors.MalformedPOSTRequest
        return True

    def _read_head(self) -> tuple[dict[str, str], str]:
        """Return the parameters of a part's Content-Disposition, and its Content-Type."""
        self._buffer[:0] = b"\r\n"
        head = _decoded(self._take_until(b"\r\n\r\n"))
        headers: dict[str, str] = {}
        for line in head.split("\r\n"):
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), value.strip())
        disposition, semicolon, rest = headers.get("content-disposition", "").partition(";")
        if disposition.strip().lower() != "form-data":
            raise errors.MalformedPOSTRequest
        return _parameters(semicolon + rest), headers.get("content-type", "")

    def _take_until(self, mark: bytes) -> bytes:
        """Take the bytes before the mark, and the mark with them, within the bound of what precedes the file."""
        searched = 0
        while (end := self._buffer.find(mark, searched)) < 0:
            searched = max(0, len(self._buffer) - len(mark) + 1)
            self._check_bound(len(self._buffer))
            self._receive()
        self._check_bound(end)
        taken = bytes(self._buffer[:end])
        self._read_bytes += end + len(mark)
        del self._buffer[: end + len(mark)]
        return taken

    def _check_bound(self, waiting_bytes: int) -> None:
        if self._read_bytes + waiting_bytes > FIELDS_SIZE_BYTES_MAX:
            raise errors.MaxPostPreDataLengthExceededError

    def _fill(self, size_bytes: int) -> None:
        while len(self._buffer) < size_bytes:
            self._receive()

    def _receive(self) -> None:
        piece = next(self.pieces, None)
        if piece is None:
            raise errors.MalformedPOSTRequest
        self._buffer += piece


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise errors.MalformedPOSTRequest from None


def parse_form(pieces: Iterable[bytes], content_type: str) -> FormReader:
    """Begin to read a form: its fields are read on return, its file is still to come. Errors as above."""
    reader = FormReader(iter(pieces), boundary_of(content_type))
    reader.read_fields()
    return reader


def base_name(file_name: str) -> str:
    """Return a file's own name, of one that may be a path of either kind: what ${filename} stands for."""
    return re.split(r"[/\\]", file_name)[-1]
