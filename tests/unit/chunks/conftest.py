from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.chunks.cluster import Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)
