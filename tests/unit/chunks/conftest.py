from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chunks.services import process_packer
from tests.unit.chunks.cluster import Cluster
from tests.unit.chunks.s3_cluster import S3Cluster

# What is said of chunks holds wherever fragments lie. All tests of these modules run against S3 too with
# OBJSTORE_TEST_SCALE=full, and every eighth of them every day.
ON_S3 = frozenset(
    {"test_writer", "test_reader", "test_repair", "test_scrub", "test_removal", "test_orphans", "test_relocation"}
)
# What is said of files alone: S3 has no unfinished writes, and its objects can't be made older.
ON_DISKS_ALONE = frozenset(
    {"test_remains_of_killed_writes_go_and_foreign_files_stay", "test_what_a_repair_is_about_to_use_is_left_alone"}
)
IS_FULL = os.environ.get("OBJSTORE_TEST_SCALE") == "full"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests a cluster on local disks, and one in S3."""
    if "cluster" not in metafunc.fixturenames:
        return
    name = metafunc.function.__name__
    is_on_s3 = metafunc.module.__name__.rpartition(".")[2] in ON_S3 and name not in ON_DISKS_ALONE
    is_chosen = IS_FULL or sum(name.encode()) % 8 == 0
    metafunc.parametrize("cluster", ["local_disk", "s3"] if is_on_s3 and is_chosen else ["local_disk"], indirect=True)


@pytest.fixture
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Cluster:
    if request.param == "s3":
        return S3Cluster(tmp_path, request.getfixturevalue("seaweedfs"))
    return Cluster(tmp_path)


@pytest.fixture
def own_packer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin with no open segment, and let a drain end as soon as the node is empty."""
    process_packer.cache_clear()
    monkeypatch.setattr("workers.moving.SETTLING_SECONDS", 0)
    yield
    process_packer.cache_clear()
