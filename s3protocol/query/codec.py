"""The codec of an operation: a form to keyword arguments, a handler's dict to a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from s3protocol.codec.xml_writer import DECLARATION, MemberWriters, member_writers
from s3protocol.model import snake_case
from s3protocol.query.errors import QueryError
from s3protocol.query.form import tree_of
from s3protocol.query.model import Service, operation_model, service_model
from s3protocol.query.reading import Reader, compile_reader
from s3protocol.xmltext import escape_text


@dataclass(frozen=True, slots=True)
class QueryCodec:
    """One operation's wire."""

    service: Service
    name: str
    read: Reader | None
    writers: MemberWriters
    wrapper: str | None

    def parse(self, form: dict[str, str]) -> dict[str, Any]:
        """Read a form into the members that it carries, by snake-case name. Raises ValidationError."""
        tree = tree_of(form)
        if self.read is None:
            return {}
        return {snake_case(name): value for name, value in self.read(tree, "").items()}

    def serialize(self, result: Mapping[str, Any], request_id: str) -> bytes:
        """Render a handler's result, in the model's member names. Raises KeyError for one that the model lacks."""
        pieces = [DECLARATION, f'<{self.name}Response xmlns="{namespace(self.service)}">']
        if self.wrapper is not None:
            pieces.append(f"<{self.wrapper}>")
            for name, value in result.items():
                if value is not None:
                    self.writers[name](value, pieces.append)
            pieces.append(f"</{self.wrapper}>")
        pieces.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{self.name}Response>")
        return "".join(pieces).encode()


@cache
def codec_for(service: Service, name: str) -> QueryCodec:
    """Compile the codec of an operation, or return it; KeyError for an unknown name."""
    model = operation_model(service, name)
    output = model.output_shape
    return QueryCodec(
        service=service,
        name=name,
        read=None if model.input_shape is None else compile_reader(model.input_shape),
        writers={} if output is None else member_writers(output),
        wrapper=None if output is None else output.serialization.get("resultWrapper", f"{name}Result"),
    )


def namespace(service: Service) -> str:
    """Return the namespace of a service's documents."""
    return str(service_model(service).metadata["xmlNamespace"])


def error_document(error: QueryError, *, service: Service, request_id: str) -> bytes:
    """Render an error."""
    kind = "Receiver" if error.status >= 500 else "Sender"
    inner = "".join(
        f"<{name}>{escape_text(text)}</{name}>"
        for name, text in (("Type", kind), ("Code", error.code), ("Message", error.message))
    )
    return (
        f'{DECLARATION}<ErrorResponse xmlns="{namespace(service)}"><Error>{inner}</Error>'
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()
