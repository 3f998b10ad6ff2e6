"""restic: init, backup, check, restore, forget and prune."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.tools import Tool, find_program
from tests.clients.trees import fingerprints
from tests.live.system import LiveSystem


@pytest.fixture
def restic(system: LiveSystem, aws_environment: dict[str, str], home: Path, bucket: str) -> Tool:
    """The program with a repository in the bucket."""
    program = find_program("restic", "apt-get install restic")
    environment = {
        **aws_environment,
        "RESTIC_REPOSITORY": f"s3:{system.endpoint}/{bucket}/repository",
        "RESTIC_PASSWORD": "a password of the tests",
        "RESTIC_CACHE_DIR": str(home / "cache"),
    }
    return Tool(program, environment, home)


def test_a_tree_is_backed_up_checked_and_restored(
    restic: Tool, tree: Path, tree_fingerprints: dict[str, str], tmp_path: Path
) -> None:
    restic.run("init")
    restic.run("backup", tree)
    restic.run("check", "--read-data")
    restic.run("restore", "latest", "--target", tmp_path / "back")
    assert fingerprints(tmp_path / "back" / tree.relative_to("/")) == tree_fingerprints


def test_forgotten_snapshots_are_pruned_and_the_rest_is_whole(restic: Tool, tree: Path) -> None:
    restic.run("init")
    restic.run("backup", tree / "directory 1")
    restic.run("backup", tree / "directory 2")
    restic.run("forget", "--keep-last", "1", "--group-by", "", "--prune")
    restic.run("check", "--read-data")
    assert restic.run("snapshots", "--json").count('"short_id"') == 1
