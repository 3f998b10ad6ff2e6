"""Bodies on their way to the nodes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from chunks import topology
from chunks.services import create_default_topology, process_packer
from objects.services.body import _Layout, _write_aside
from objstore_project.postgresql.base import IDLE

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_thread_that_began_a_segment_keeps_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_default_topology(tmp_path)
    topology.refresh()
    monkeypatch.setitem(connection.settings_dict, "SHARES_CONNECTIONS", True)
    process_packer.cache_clear()
    with ThreadPoolExecutor(1) as thread:
        written = thread.submit(_write_aside, b"small", _Layout("STANDARD", None, None)).result()
        assert written.segment_id is not None
        assert thread.submit(lambda: connection.connection).result() is None
    given = IDLE.take("default")
    assert given is not None
    given.close()
    process_packer.cache_clear()
