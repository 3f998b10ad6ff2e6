"""Requests: an operation's input shape compiled to one function from the request's parts to keyword arguments.

The function looks at the headers and query names that the request has, not at the many that the model knows. Values
that do not fit are InvalidArgument when they stand in a header or the query, MalformedXML when in the body. What is
absent is absent from the result: no default is invented here. Streaming bodies are none of this module's business.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, Protocol

from botocore.model import OperationModel, Shape

from s3protocol import errors, quirks
from s3protocol.codec.scalars import TextReader, read_text, text_reader
from s3protocol.codec.xml_reader import ElementReader, element_reader
from s3protocol.codec.xml_tree import parse_document, refuse
from s3protocol.model import snake_case

# What a response header cannot hold must not come in by ?response-content-disposition=...%0d%0aSet-Cookie.
_UNFIT_FOR_HEADER: Final = re.compile("[^\t\x20-\x7e\x80-\xff]")
_RESPONSE_HEADER_PREFIX: Final = "response-"


class ParseRequest(Protocol):
    """The compiled function. Header names are in lower case; the first of a repeated query parameter counts."""

    def __call__(
        self,
        *,
        bucket: str | None,
        key: str | None,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
        query_lists: Mapping[str, list[str]],
    ) -> dict[str, Any]:
        """Read a request; see OperationCodec.parse."""
        ...


BodyParser = Callable[[bytes, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A header or query parameter: the keyword it becomes, and its reader, None for text taken as it is."""

    keyword: str
    read: TextReader | None


class _Absent(Exception):
    """Raised by a reader for a value that counts as not sent."""


def compile_request(model: OperationModel) -> ParseRequest:
    """Compile the parser of an operation's requests."""
    members: Mapping[str, Shape] = {} if model.input_shape is None else model.input_shape.members
    header_parameters = _parameters(members, "header")
    query_parameters = _parameters(members, "querystring")
    repeated = query_lists_of(model)
    prefixes = _header_prefixes(members)
    takes_bucket, takes_key = "Bucket" in members, "Key" in members
    required = _required_parameters(model)
    refused_headers = quirks.REFUSED_HEADERS.get(model.name, frozenset())
    parse_body = body_parser(model)

    def parse(
        *,
        bucket: str | None,
        key: str | None,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
        query_lists: Mapping[str, list[str]],
    ) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if takes_bucket:
            arguments["bucket"] = bucket
            if takes_key:
                arguments["key"] = key
        for name in refused_headers & headers.keys():
            _refuse_argument(name, headers[name], f"{name} header is not supported for this operation.")
        _read_present(query, query_parameters, arguments)
        _read_present(headers, header_parameters, arguments)
        arguments |= {keyword: query_lists[name] for name, keyword in repeated.items() if name in query_lists}
        for prefix, keyword in prefixes:
            _read_prefixed(headers, prefix, keyword, arguments)
        for keyword, wire_name in required:
            if keyword not in arguments:
                _refuse_argument(wire_name, "", f"Missing required parameter {wire_name}")
        if parse_body is not None:
            parse_body(body, arguments)
        return arguments

    return parse


def _read_present(present: Mapping[str, str], parameters: Mapping[str, _Parameter], arguments: dict[str, Any]) -> None:
    for wire_name in present:
        parameter = parameters.get(wire_name)
        if parameter is None:
            continue
        text = present[wire_name]
        if parameter.read is None:
            arguments[parameter.keyword] = text
            continue
        try:
            arguments[parameter.keyword] = parameter.read(text)
        except _Absent:
            continue


def _read_prefixed(headers: Mapping[str, str], prefix: str, keyword: str, arguments: dict[str, Any]) -> None:
    values = {name[len(prefix) :]: value for name, value in headers.items() if name.startswith(prefix)}
    if values:
        arguments[keyword] = values


def _parameters(members: Mapping[str, Shape], location: str) -> dict[str, _Parameter]:
    parameters = {}
    for name, shape in members.items():
        is_repeated = location == "querystring" and shape.type_name == "list"
        if shape.serialization.get("location") == location and not is_repeated:
            wire_name = shape.serialization["name"]
            if location == "header":
                wire_name = wire_name.lower()
            parameters[wire_name] = _Parameter(snake_case(name), _parameter_reader(shape, wire_name))
    return parameters


def query_lists_of(model: OperationModel) -> dict[str, str]:
    """Map names that a query may hold several times, each an item of a list of texts, to their keywords."""
    members: Mapping[str, Shape] = {} if model.input_shape is None else model.input_shape.members
    return {
        shape.serialization["name"]: snake_case(name)
        for name, shape in members.items()
        if shape.serialization.get("location") == "querystring" and shape.type_name == "list"
    }


def _header_prefixes(members: Mapping[str, Shape]) -> list[tuple[str, str]]:
    return [
        (shape.serialization["name"].lower(), snake_case(name))
        for name, shape in members.items()
        if shape.serialization.get("location") == "headers"
    ]


def _required_parameters(model: OperationModel) -> list[tuple[str, str]]:
    if model.input_shape is None:
        return []
    members = model.input_shape.members
    return [
        (snake_case(name), members[name].serialization["name"])
        for name in model.input_shape.required_members
        if members[name].serialization.get("location") in {"header", "querystring"}
    ]


def _parameter_reader(shape: Shape, wire_name: str) -> TextReader | None:
    if wire_name.startswith(_RESPONSE_HEADER_PREFIX):
        return _response_header_reader(wire_name)
    if wire_name == "content-encoding":
        return _read_content_encoding
    if shape.type_name in {"integer", "long"}:
        return _count_reader(shape, wire_name)
    if shape.type_name == "list":
        return _list_reader(shape, wire_name)
    read = text_reader(shape)
    if read is read_text:
        return None
    ignores_unreadable = wire_name in quirks.IGNORED_WHEN_UNREADABLE

    def read_parameter(text: str) -> Any:
        try:
            return read(text)
        except ValueError as problem:
            if ignores_unreadable:
                raise _Absent from None
            _refuse_argument(
                wire_name, text, quirks.ENUMERATION_MESSAGES.get(wire_name, f"The value of {wire_name} is {problem}")
            )

    return read_parameter


def _count_reader(shape: Shape, wire_name: str) -> TextReader:
    read = text_reader(shape)
    lowest, highest, message = quirks.INTEGER_RANGES.get(
        wire_name, (0, None, f"Provided {wire_name} not an integer or within integer range")
    )
    empty_is_absent = wire_name in quirks.EMPTY_INTEGER_IS_ABSENT

    def read_count(text: str) -> Any:
        if empty_is_absent and not text:
            raise _Absent
        try:
            value = read(text)
        except ValueError:
            _refuse_argument(wire_name, text, message)
        if value < lowest or (highest is not None and value > highest):
            _refuse_argument(wire_name, text, message)
        return value

    return read_count


def _list_reader(shape: Shape, wire_name: str) -> TextReader:
    """Read a header that holds names between commas."""
    read_item = text_reader(shape.member)

    def read_list(text: str) -> list[Any]:
        try:
            return [read_item(item.strip()) for item in text.split(",") if item.strip()]
        except ValueError as problem:
            message = quirks.ENUMERATION_MESSAGES.get(wire_name, f"The value of {wire_name} is {problem}")
            _refuse_argument(wire_name, text, message)

    return read_list


def _read_content_encoding(text: str) -> str:
    """Read the object's own encodings, leaving out those that only the transfer has."""
    encodings = [encoding.strip() for encoding in text.split(",")]
    kept = [encoding for encoding in encodings if encoding and encoding.lower() not in quirks.TRANSFER_ONLY_ENCODINGS]
    if not kept:
        raise _Absent
    return text if len(kept) == len(encodings) else ",".join(kept)


def _response_header_reader(wire_name: str) -> TextReader:
    def read_response_header(text: str) -> str:
        if _UNFIT_FOR_HEADER.search(text) is not None:
            _refuse_argument(wire_name, text, "Header value cannot be represented using ISO-8859-1.")
        return text

    return read_response_header


def _refuse_argument(wire_name: str, value: str, message: str) -> NoReturn:
    raise errors.InvalidArgument(message, ArgumentName=wire_name, ArgumentValue=value)


def body_parser(model: OperationModel) -> BodyParser | None:
    """Compile the parser of an operation's body; None if it has none to be parsed (streams among them)."""
    shape = model.input_shape
    if shape is None:
        return None
    payload_name = shape.serialization.get("payload")
    if payload_name is None:
        return _members_body_parser(model, shape)
    payload = shape.members[payload_name]
    keyword = snake_case(payload_name)
    if payload.type_name == "structure":
        return _document_body_parser(model, payload, keyword)
    if payload.type_name == "string":
        return _text_body_parser(keyword)
    return None


def _members_body_parser(model: OperationModel, shape: Shape) -> BodyParser | None:
    """Parse a body whose root is the input itself: SelectObjectContent alone."""
    if all("location" in member.serialization for member in shape.members.values()):
        return None
    read = _document_reader(model, shape, element_reader(shape))

    def parse_members(body: bytes, arguments: dict[str, Any]) -> None:
        arguments.update((snake_case(name), value) for name, value in read(body).items())

    return parse_members


def _document_body_parser(model: OperationModel, payload: Shape, keyword: str) -> BodyParser:
    read = _document_reader(model, payload, element_reader(payload))
    is_optional = model.name in quirks.OPTIONAL_PAYLOADS

    def parse_payload(body: bytes, arguments: dict[str, Any]) -> None:
        if body or not is_optional:
            arguments[keyword] = read(body)

    return parse_payload


def _document_reader(model: OperationModel, shape: Shape, read: ElementReader) -> Callable[[bytes], Any]:
    roots = {shape.serialization.get("name", shape.name), shape.name} | quirks.EXTRA_ROOT_TAGS.get(
        model.name, frozenset()
    )
    empty_is_malformed = model.name in quirks.EMPTY_PAYLOAD_IS_MALFORMED

    def read_document(body: bytes) -> Any:
        if not body.strip() and not empty_is_malformed:
            raise errors.MissingRequestBodyError
        root = parse_document(body)
        if root.name not in roots:
            refuse(f"the root is <{root.name}>")
        return read(root)

    if model.name not in quirks.MALFORMED_ACL_OPERATIONS:
        return read_document

    def read_acl_document(body: bytes) -> Any:
        try:
            return read_document(body)
        except errors.MalformedXML as error:
            raise errors.MalformedACLError(error.message) from None

    return read_acl_document


def _text_body_parser(keyword: str) -> BodyParser:
    """Parse a body that is text: the JSON of PutBucketPolicy alone."""

    def parse_text(body: bytes, arguments: dict[str, Any]) -> None:
        if not body:
            raise errors.MissingRequestBodyError
        try:
            arguments[keyword] = body.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise errors.MalformedPolicy("The policy is not valid UTF-8") from None

    return parse_text
