"""Look into a running system from below: its database and the files on its nodes."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import psycopg

from chunks.fragment_format import parse_fragment_name
from journal.record_format import parse_name
from tests.live.system import LiveSystem


def query(system: LiveSystem, statement: str, *parameters: object) -> list[tuple]:
    """Ask the system's own PostgreSQL."""
    with psycopg.connect(host=str(system.runtime_dir), dbname="objstore", user="objstore") as connection:
        return connection.execute(statement, parameters).fetchall()


def node_directories(system: LiveSystem) -> dict[int, Path]:
    """Return each node's directory by its id."""
    return {node_id: Path(location) for node_id, location in query(system, "SELECT id, location FROM chunks_node")}


def referenced_fragments(system: LiveSystem) -> set[tuple[int, UUID, int]]:
    """Return every fragment that the database says exists: node id, chunk id, fragment index."""
    return {
        (node_id, chunk_id, index)
        for chunk_id, node_ids in query(system, "SELECT id, node_ids FROM chunks_chunk")
        for index, node_id in enumerate(node_ids)
    }


def stored_fragments(system: LiveSystem) -> set[tuple[int, UUID, int]]:
    """Return every fragment that lies on a node; whatever else lies among them fails the test."""
    found = set()
    for node_id, directory in node_directories(system).items():
        for path in (directory / "fragments").rglob("*"):
            if path.is_file() and parse_name(path.name) is None:  # records of the journal lie among them
                parsed = parse_fragment_name(path.name)
                assert parsed is not None, f"{path} is no fragment"
                found.add((node_id, *parsed))
    return found
