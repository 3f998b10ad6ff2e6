"""What the tests of encryption share: ways to encrypt, and a look at the nodes' disks."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from tests.live.system import LiveSystem

Arguments = dict[str, Any]


def customer(key: bytes, prefix: str = "") -> Arguments:
    """Return boto3's arguments for a customer's key."""
    return {
        f"{prefix}SSECustomerAlgorithm": "AES256",
        f"{prefix}SSECustomerKey": base64.b64encode(key).decode(),
        f"{prefix}SSECustomerKeyMD5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }


KEY, OTHER_KEY = b"k" * 32, b"o" * 32

# A way to write, and what it takes to read what was written so.
WAYS: dict[str, tuple[Arguments, Arguments]] = {
    "plain": ({}, {}),
    "sse-s3": ({"ServerSideEncryption": "AES256"}, {}),
    "sse-kms": ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "test-key"}, {}),
    "sse-c": (customer(KEY), customer(KEY)),
    "sse-c-other": (customer(OTHER_KEY), customer(OTHER_KEY)),
}


def source_of(way: str) -> Arguments:
    """Return the arguments by which a copy reads its source."""
    return {f"CopySource{name}": value for name, value in WAYS[way][1].items()}


def shown(response: Arguments) -> Arguments:
    """Return what a response says of encryption, by header."""
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    return {name: value for name, value in headers.items() if name.startswith("x-amz-server-side-encryption")}


def fragments(live: LiveSystem) -> set[tuple[Path, int]]:
    """Return all files of fragments and segments on the nodes' disks, with their sizes."""
    return {
        (path, path.stat().st_size)
        for path in (live.data_dir / "nodes").rglob("*")
        if path.is_file() and path.name not in {"identity", "probe"} and not path.name.startswith("journal-")
    }


def is_on_a_disk(live: LiveSystem, pattern: bytes) -> bool:
    """Say whether bytes can be seen on any node."""
    return any(pattern in path.read_bytes() for path, _ in fragments(live))
