"""What the tests of tools share: the system, a bucket, a tree of files, and an environment for the programs."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.trees import Scale, chosen_scale, fingerprints, grow_tree
from tests.live.system import LiveSystem


@pytest.fixture(scope="session")
def scale() -> Scale:
    """How much the tools have to carry."""
    return chosen_scale()


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest) -> Iterator[LiveSystem]:
    """The system that tools talk to: the shared one, or at full size one whose clocks are those of production."""
    if os.environ.get("OBJSTORE_TEST_SCALE", "suite") == "suite":
        yield request.getfixturevalue("live")
        return
    with tempfile.TemporaryDirectory(prefix="objstore-live-") as directory:
        started = LiveSystem.start(
            Path(directory) / "var",
            OBJSTORE_LIFECYCLE_DAY_SECONDS="86400",
            OBJSTORE_GC_GRACE_SECONDS="3600",
            OBJSTORE_ORPHAN_GRACE_SECONDS="86400",
        )
        yield started
        started.stop()


@pytest.fixture(scope="session")
def client(system: LiveSystem) -> Any:
    """A boto3 client, for looking at what a tool has done."""
    return system.client()


@pytest.fixture
def bucket(client: Any) -> str:
    """An empty bucket."""
    name = f"tool-{secrets.token_hex(6)}"
    client.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory, scale: Scale) -> Path:
    """A directory of files, which no test may change."""
    return grow_tree(tmp_path_factory.mktemp("tree"), scale)


@pytest.fixture(scope="session")
def tree_fingerprints(tree: Path) -> dict[str, str]:
    """The files of `tree` and their SHA-256."""
    return fingerprints(tree)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory without any configuration."""
    directory = tmp_path / "home"
    directory.mkdir()
    return directory


@pytest.fixture
def aws_environment(system: LiveSystem) -> dict[str, str]:
    """The variables that most tools read."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "AWS_ACCESS_KEY_ID": system.access_key,
        "AWS_SECRET_ACCESS_KEY": system.secret_key,
        "AWS_DEFAULT_REGION": system.region,
        "AWS_REGION": system.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }
