"""The codec: S3's requests to keyword arguments, handlers' dicts to responses, compiled from botocore's model.

Each operation is compiled on first use, once: its shapes become closures that look at what a request or result holds,
not at all that the model knows. Values are plain Python; nested structures keep S3's member names. Corrections to the
model stand in `s3protocol.quirks`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from s3protocol.codec.keys import encode_key as encode_key
from s3protocol.codec.request import ParseRequest, body_parser, compile_request, query_lists_of
from s3protocol.codec.response import SerializeResponse, compile_response
from s3protocol.codec.response import WireResponse as WireResponse
from s3protocol.model import input_members, operation_model


@dataclass(frozen=True, slots=True)
class OperationCodec:
    """One operation's wire. `needs_body` says that `parse` must be given the whole body; a stream is not read here.

    `has_query_lists` says that it must be given all values of the query's names, too.
    """

    operation_name: str
    has_streaming_input: bool
    needs_body: bool
    has_query_lists: bool
    input_members: frozenset[str]
    parse_request: ParseRequest
    serialize_result: SerializeResponse

    def parse(
        self,
        *,
        bucket: str | None,
        key: str | None,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
        query_lists: Mapping[str, list[str]] | None = None,
    ) -> dict[str, Any]:
        """Read a request into the members that it carries, by snake-case name.

        `body` is ignored unless `needs_body`, and its size is bounded by the caller. Raises S3 errors alone:
        InvalidArgument, InvalidStorageClass, MalformedXML, MalformedACLError, MissingRequestBodyError, MalformedPolicy.
        """
        return self.parse_request(
            bucket=bucket, key=key, query=query, headers=headers, body=body, query_lists=query_lists or {}
        )

    def serialize(self, result: Mapping[str, Any]) -> WireResponse:
        """Render a handler's result, in the model's member names; `__status__` overrides the status.

        Raises KeyError for a member that the model does not know, TypeError for a value of the wrong type.
        """
        return self.serialize_result(result)


@cache
def codec_for(operation_name: str) -> OperationCodec:
    """Compile the codec of an operation (some milliseconds), or return it; KeyError for an unknown name."""
    model = operation_model(operation_name)
    return OperationCodec(
        operation_name=operation_name,
        has_streaming_input=model.has_streaming_input,
        needs_body=body_parser(model) is not None,
        has_query_lists=bool(query_lists_of(model)),
        input_members=frozenset(input_members(operation_name)),
        parse_request=compile_request(model),
        serialize_result=compile_response(model),
    )
