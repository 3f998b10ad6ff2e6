"""The framing of event streams, in which SelectObjectContent answers. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html

| bytes | what |
|---|---|
| 4 | length of the message, all of it |
| 4 | length of the headers |
| 4 | CRC32 of these eight bytes |
| … | headers: length of the name (1), name, 7 for text (1), length of the value (2), value |
| … | payload |
| 4 | CRC32 of all before |
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Final

_LENGTHS: Final = struct.Struct(">II")
_CRC: Final = struct.Struct(">I")
_TEXT: Final = 7


def encode_event(event_type: str, payload: bytes = b"", content_type: str | None = None) -> bytes:
    """Frame an event."""
    headers = {":message-type": "event", ":event-type": event_type}
    if content_type is not None:
        headers[":content-type"] = content_type
    return encode_message(headers, payload)


def encode_failure(code: str, message: str) -> bytes:
    """Frame an error, which ends a stream."""
    return encode_message({":message-type": "error", ":error-code": code, ":error-message": message}, b"")


def encode_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Frame a message."""
    encoded = b"".join(_encode_header(name, value) for name, value in headers.items())
    prelude = _LENGTHS.pack(len(encoded) + len(payload) + 16, len(encoded))
    message = prelude + _CRC.pack(zlib.crc32(prelude)) + encoded + payload
    return message + _CRC.pack(zlib.crc32(message))


def _encode_header(name: str, value: str) -> bytes:
    encoded = value.encode()[:0x7FFF]
    return bytes([len(name)]) + name.encode() + bytes([_TEXT]) + len(encoded).to_bytes(2, "big") + encoded
