"""The arguments that say how a storage class keeps its bytes, the same for making one and for changing one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

_COLUMNS = ("small_scheme", "large_scheme", "large_from_bytes", "chunk_size_bytes", "compression_level", "node_label")


def add_arguments(parser: CommandParser) -> None:
    """Declare them."""
    parser.add_argument("name", help="as clients say it: STANDARD_IA, ARCHIVE_2")
    parser.add_argument("--small-scheme", help="of small chunks: replicate-N, rs-K+M, or automatic: by the nodes")
    parser.add_argument("--large-scheme", help="of large chunks, likewise")
    parser.add_argument("--large-from-bytes", type=int, help="chunks of at least this size are large")
    parser.add_argument("--chunk-size-bytes", type=int, help="objects are cut into chunks of this size")
    parser.add_argument(
        "--compression-level", type=_level, help="of zstd, 1 to 19, or none: chunks are kept as they are"
    )
    parser.add_argument("--node-label", help="only nodes with this label take its fragments; empty: all do")


def given_columns(options: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that were given."""
    given = {name: options[name] for name in _COLUMNS if options[name] is not None}
    if given.get("compression_level") == 0:
        given["compression_level"] = None
    return given


def _level(text: str) -> int:
    return 0 if text == "none" else int(text)
