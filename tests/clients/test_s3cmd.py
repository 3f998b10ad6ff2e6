"""s3cmd: put, get, sync, ls, info, del, cp and its multipart uploads."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.clients.tools import Tool, find_program
from tests.clients.trees import fingerprints
from tests.live.system import LiveSystem


@pytest.fixture
def s3cmd(system: LiveSystem, aws_environment: dict[str, str], home: Path) -> Tool:
    """The program with its own configuration file."""
    address = urlsplit(system.endpoint).netloc
    (home / ".s3cfg").write_text(
        f"[default]\naccess_key = {system.access_key}\nsecret_key = {system.secret_key}\nhost_base = {address}\n"
        f"host_bucket = {address}\nuse_https = False\nbucket_location = us-east-1\nmultipart_chunk_size_mb = 15\n"
    )
    environment = {"PATH": aws_environment["PATH"], "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    return Tool(find_program("s3cmd", "pip install s3cmd"), environment, home, ("--no-progress",))


def test_a_tree_is_synced_up_and_down(
    s3cmd: Tool, bucket: str, tree: Path, tree_fingerprints: dict[str, str], tmp_path: Path
) -> None:
    s3cmd.run("sync", f"{tree}/", f"s3://{bucket}/tree/")
    (tmp_path / "back").mkdir()
    s3cmd.run("sync", f"s3://{bucket}/tree/", f"{tmp_path}/back/")
    assert fingerprints(tmp_path / "back") == tree_fingerprints


def test_a_file_is_put_listed_copied_got_and_deleted(
    s3cmd: Tool, client: Any, bucket: str, tree: Path, tree_fingerprints: dict[str, str], tmp_path: Path
) -> None:
    s3cmd.run("put", tree / "日本語.txt", f"s3://{bucket}/日本語.txt")
    s3cmd.run("cp", f"s3://{bucket}/日本語.txt", f"s3://{bucket}/copy of it")
    listing = s3cmd.run("ls", f"s3://{bucket}")
    assert f"s3://{bucket}/日本語.txt" in listing
    assert f"s3://{bucket}/copy of it" in listing
    s3cmd.run("get", f"s3://{bucket}/copy of it", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == (tree / "日本語.txt").read_bytes()
    s3cmd.run("del", "--recursive", "--force", f"s3://{bucket}")
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_large_file_goes_up_in_parts(
    s3cmd: Tool, client: Any, bucket: str, tree: Path, tree_fingerprints: dict[str, str], tmp_path: Path
) -> None:
    s3cmd.run("put", tree / "large.bin", f"s3://{bucket}/large.bin")
    assert "-" in client.head_object(Bucket=bucket, Key="large.bin")["ETag"]
    (tmp_path / "back").mkdir()
    s3cmd.run("get", f"s3://{bucket}/large.bin", tmp_path / "back" / "large.bin")
    assert fingerprints(tmp_path / "back") == {"large.bin": tree_fingerprints["large.bin"]}
