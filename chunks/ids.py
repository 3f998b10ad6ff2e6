"""Ids of chunks and segments."""

import os
import time
from uuid import UUID


def new_chunk_id() -> UUID:
    """Return an id whose first 48 bits are the time (UUID version 7, RFC 9562), so that new rows share index pages."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10))
    return UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)
