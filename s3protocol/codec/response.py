"""Responses: an operation's output shape compiled to one function from a handler's dict to status, headers and body.

The dict is in the model's member names. A member that the model does not know is our mistake and raises KeyError; None
is absent. ETags come with their quotes. Streams pass through untouched. Not here: headers that every answer has
(request id, Date, CORS) and the choice of 206.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.model import OperationModel, Shape

from s3protocol import quirks
from s3protocol.codec.scalars import TextWriter, text_writer
from s3protocol.codec.xml_writer import Append, MemberWriters, member_writers, root_start_tag
from s3protocol.model import CONTROL_OPERATIONS
from s3protocol.xmltext import escape_text

STATUS_KEY: Final = "__status__"
"""The key under which a result overrides the model's status: 206 for a range, 202 for a restore under way."""

Header = tuple[str, str]
Body = bytes | Iterable[bytes]
HeaderWriter = Callable[[Any, list[Header]], None]
BodyWriter = Callable[[Mapping[str, Any], list[Header]], Body]

_XML: Final = ("Content-Type", "application/xml")
_JSON: Final = ("Content-Type", "application/json")
# HTTP allows less than the database: what it cannot hold was refused on the way in, and is disarmed here once more.
_CONTROL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class WireResponse:
    """What goes to the client. Header values are text of one line, which whoever sends it makes fit for the wire."""

    status: int
    headers: list[Header]
    body: Body


SerializeResponse = Callable[[Mapping[str, Any]], WireResponse]


def compile_response(model: OperationModel) -> SerializeResponse:
    """Compile the serializer of an operation's answers."""
    members: Mapping[str, Shape] = {} if model.output_shape is None else model.output_shape.members
    header_writers = _header_writers(members)
    body_members = frozenset(members) - frozenset(header_writers)
    for name, header_name in quirks.EXTRA_OUTPUT_HEADERS.get(model.name, {}).items():
        header_writers[name] = _header_writer(header_name, str)
    write_body = _body_writer(model)
    model_status = int(model.http.get("responseCode", 200))

    def serialize(result: Mapping[str, Any]) -> WireResponse:
        headers: list[Header] = []
        status = model_status
        for name, value in result.items():
            write = header_writers.get(name)
            if write is not None:
                if value is not None:
                    write(value, headers)
            elif name == STATUS_KEY:
                status = int(value)
            elif name not in body_members:
                raise KeyError(f"{name} is no member of {model.name}'s output")
        return WireResponse(status, headers, write_body(result, headers))

    return serialize


def header_text(text: str) -> str:
    """Make text fit for a header's value: without control characters. Letters beyond ASCII are the sender's to encode."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub(" ", text)


def _header_writers(members: Mapping[str, Shape]) -> dict[str, HeaderWriter]:
    writers = {}
    for name, shape in members.items():
        match shape.serialization.get("location"):
            case "header":
                writers[name] = _header_writer(shape.serialization["name"], text_writer(shape, "rfc822"))
            case "headers":
                writers[name] = _prefixed_headers_writer(shape.serialization["name"])
    return writers


def _header_writer(header_name: str, to_text: TextWriter) -> HeaderWriter:
    def write_header(value: Any, headers: list[Header]) -> None:
        headers.append((header_name, header_text(to_text(value))))

    return write_header


def _prefixed_headers_writer(prefix: str) -> HeaderWriter:
    def write_headers(value: Mapping[str, str], headers: list[Header]) -> None:
        headers.extend((f"{prefix}{key}", header_text(text)) for key, text in value.items())

    return write_headers


def _body_writer(model: OperationModel) -> BodyWriter:
    shape = model.output_shape
    if shape is None:
        return _write_nothing
    if model.name == "GetBucketLocation":
        return _location_writer()
    payload_name = shape.serialization.get("payload")
    if payload_name is None:
        writers = member_writers(shape)
        return _document_writer(model.name, writers) if writers else _write_nothing
    payload = shape.members[payload_name]
    if payload.type_name == "string":
        return _text_writer(payload_name)
    if payload.type_name == "blob" or payload.serialization.get("eventstream"):
        return _stream_writer(payload_name)
    return _payload_writer(payload_name, payload)


def _write_nothing(_result: Mapping[str, Any], _headers: list[Header]) -> bytes:
    return b""


def _document_writer(operation_name: str, writers: MemberWriters) -> BodyWriter:
    """Write the output itself as the document: its members without a location, in the result's order."""
    root = quirks.OUTPUT_ROOT_TAGS[operation_name]
    start, end = root_start_tag(root, is_control=operation_name in CONTROL_OPERATIONS), f"</{root}>"

    def write_document(result: Mapping[str, Any], headers: list[Header]) -> bytes:
        headers.append(_XML)
        pieces = [start]
        append: Append = pieces.append
        for name, value in result.items():
            if value is not None:
                write = writers.get(name)
                if write is not None:
                    write(value, append)
        pieces.append(end)
        return "".join(pieces).encode()

    return write_document


def _payload_writer(payload_name: str, payload: Shape) -> BodyWriter:
    """Write one structure of the output as the document."""
    root = payload.serialization.get("name", payload.name)
    start, end = root_start_tag(root), f"</{root}>"
    writers = member_writers(payload)

    def write_payload(result: Mapping[str, Any], headers: list[Header]) -> bytes:
        headers.append(_XML)
        pieces = [start]
        for name, value in (result.get(payload_name) or {}).items():
            if value is not None:
                writers[name](value, pieces.append)
        pieces.append(end)
        return "".join(pieces).encode()

    return write_payload


def _text_writer(payload_name: str) -> BodyWriter:
    """Write a string as the body: the JSON of GetBucketPolicy alone."""

    def write_text(result: Mapping[str, Any], headers: list[Header]) -> bytes:
        headers.append(_JSON)
        return str(result[payload_name]).encode()

    return write_text


def _stream_writer(payload_name: str) -> BodyWriter:
    def write_stream(result: Mapping[str, Any], _headers: list[Header]) -> Body:
        body: Body | None = result.get(payload_name)
        return b"" if body is None else body

    return write_stream


def _location_writer() -> BodyWriter:
    """Write GetBucketLocation: the root itself holds the text, and nothing for the oldest region."""
    start, end = root_start_tag("LocationConstraint"), "</LocationConstraint>"

    def write_location(result: Mapping[str, Any], headers: list[Header]) -> bytes:
        headers.append(_XML)
        return f"{start}{escape_text(result.get('LocationConstraint') or '')}{end}".encode()

    return write_location
