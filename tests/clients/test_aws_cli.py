"""The AWS CLI: cp, sync, ls, rm, mv, and its multipart uploads."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.clients.tools import Tool, find_program
from tests.clients.trees import fingerprints
from tests.live.system import LiveSystem


@pytest.fixture
def aws(system: LiveSystem, aws_environment: dict[str, str], home: Path) -> Tool:
    """The CLI's `aws s3`."""
    program = find_program("aws", "pip install awscli")
    return Tool(program, aws_environment, home, ("--endpoint-url", system.endpoint, "s3"))


def test_a_tree_is_synced_up_and_down(
    aws: Tool, bucket: str, tree: Path, tree_fingerprints: dict[str, str], tmp_path: Path
) -> None:
    aws.run("sync", tree, f"s3://{bucket}/tree", "--only-show-errors")
    assert aws.run("sync", tree, f"s3://{bucket}/tree", "--only-show-errors", "--dryrun") == ""
    aws.run("sync", f"s3://{bucket}/tree", tmp_path / "back", "--only-show-errors")
    assert fingerprints(tmp_path / "back") == tree_fingerprints


def test_listing_and_removing_see_every_object(
    aws: Tool, client: Any, bucket: str, tree: Path, tree_fingerprints: dict[str, str]
) -> None:
    aws.run("cp", tree, f"s3://{bucket}", "--recursive", "--only-show-errors", "--exclude", "large.bin")
    listing = aws.run("ls", f"s3://{bucket}", "--recursive", "--summarize")
    assert f"Total Objects: {len(tree_fingerprints) - 1}" in listing
    assert "日本語.txt" in listing
    aws.run("rm", f"s3://{bucket}", "--recursive", "--only-show-errors")
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    aws.run("rb", f"s3://{bucket}")


def test_empty_files_among_others_do_not_hold_up_the_rest(aws: Tool, bucket: str, tmp_path: Path) -> None:
    """The CLI keeps connections; after an empty upload one that was kept used to hang for 15 seconds."""
    for number in range(40):
        (tmp_path / f"f{number}").write_bytes(b"x" * (number % 4))
    started_at = time.monotonic()
    aws.run("cp", tmp_path, f"s3://{bucket}", "--recursive", "--only-show-errors", "--exclude", "home/*")
    assert time.monotonic() - started_at < 14


def test_a_large_file_goes_up_in_parts_is_copied_moved_and_streamed(
    aws: Tool, client: Any, bucket: str, tree: Path, tree_fingerprints: dict[str, str], tmp_path: Path
) -> None:
    aws.run("cp", tree / "large.bin", f"s3://{bucket}/one", "--only-show-errors")
    assert "-" in client.head_object(Bucket=bucket, Key="one")["ETag"]
    aws.run("cp", f"s3://{bucket}/one", f"s3://{bucket}/two", "--only-show-errors")
    aws.run("mv", f"s3://{bucket}/two", f"s3://{bucket}/three", "--only-show-errors")
    aws.run("cp", f"s3://{bucket}/three", tmp_path / "back" / "large.bin", "--only-show-errors")
    assert fingerprints(tmp_path / "back") == {"large.bin": tree_fingerprints["large.bin"]}
    aws.run("cp", "-", f"s3://{bucket}/stream", stdin="hello")
    assert aws.run("cp", f"s3://{bucket}/stream", "-") == "hello"
