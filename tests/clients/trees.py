"""Trees of files for tools to carry: many small ones with odd names, and a large one; and what became of them."""

from __future__ import annotations

import hashlib
import os
import random
from dataclasses import dataclass
from pathlib import Path

ODD_NAMES = (
    "with space.txt",
    "größe/ä ö ü.txt",
    "日本語.txt",
    "plus+plus",
    "percent%41",
    "a&b=c;d",
    "quote'quote",
    "tilde~",
    "comma,comma",
    "(brackets)[1]{2}",
    "@at:colon",
    "dollar$HOME",
    "hash#hash",
    "bang!",
    "deep/er/and/deeper/file",
    "emoji😀",
    "trailing.",
    "UPPER/lower",
    "-dash",
    "equals=1",
)
PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Scale:
    """How much a tool has to carry."""

    small_file_count: int
    large_file_bytes: int


SCALES = {"suite": Scale(60, 24 << 20), "full": Scale(2_000, 1 << 30)}


def chosen_scale() -> Scale:
    """Return the scale that OBJSTORE_TEST_SCALE names."""
    return SCALES[os.environ.get("OBJSTORE_TEST_SCALE", "suite")]


def grow_tree(root: Path, scale: Scale) -> Path:
    """Write the files, the same ones each time."""
    source = random.Random(2024)
    for number in range(scale.small_file_count):
        name = ODD_NAMES[number] if number < len(ODD_NAMES) else f"directory {number % 10}/file-{number:05}.bin"
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.randbytes(source.choice([0, 1, 100, 4_096, 20_000])))
    with (root / "large.bin").open("wb") as large:
        for _ in range(scale.large_file_bytes // PIECE_BYTES):
            large.write(source.randbytes(PIECE_BYTES))
    # A tool that carried less than was asked for must not pass for one that carried all of it.
    assert (root / "large.bin").stat().st_size == scale.large_file_bytes
    assert len(fingerprints(root)) == scale.small_file_count + 1
    return root


def fingerprints(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a directory, by its relative path."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[path.relative_to(root).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
