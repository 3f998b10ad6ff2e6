"""Look into a running system from below: its database and the files on its nodes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg

from chunks.fragment_format import parse_fragment_name, parse_segment_name
from chunks.reader import fragment_size_bytes, stored_name
from chunks.records import CHUNK_COLUMNS_SQL, ChunkView
from journal.record_format import parse_name
from tests.live.system import LiveSystem

SEGMENT = -1  # stands where a fragment has its index


def query(system: LiveSystem, statement: str, *parameters: object) -> list[tuple]:
    """Ask the system's own PostgreSQL."""
    with psycopg.connect(host=str(system.runtime_dir), dbname="objstore", user="objstore") as connection:
        return connection.execute(statement, parameters).fetchall()


def node_directories(system: LiveSystem) -> dict[int, Path]:
    """Return each node's directory by its id."""
    return {node_id: Path(location) for node_id, location in query(system, "SELECT id, location FROM chunks_node")}


def referenced_fragments(system: LiveSystem) -> set[tuple[int, UUID, int]]:
    """Return all that chunks need: node id, chunk id, fragment index; or node id, segment id, SEGMENT."""
    return {
        (node_id, chunk_id, index) if segment_id is None else (node_id, segment_id, SEGMENT)
        for chunk_id, node_ids, segment_id in query(system, "SELECT id, node_ids, segment_id FROM chunks_chunk")
        for index, node_id in enumerate(node_ids)
    }


def named_segments(system: LiveSystem) -> set[tuple[int, UUID, int]]:
    """Return all copies of segments that rows speak of; of an open one, none or all may be there."""
    segments = query(system, "SELECT id, node_ids FROM chunks_segment")
    return {(node_id, segment_id, SEGMENT) for segment_id, node_ids in segments for node_id in node_ids}


def stored_fragments(system: LiveSystem) -> set[tuple[int, UUID, int]]:
    """Return all that lies on nodes, in the same terms; whatever else lies among it fails the test."""
    found = set()
    for node_id, directory in node_directories(system).items():
        for path in (directory / "fragments").rglob("*"):
            if path.is_file() and parse_name(path.name) is None:  # records of the journal lie among them
                segment_id = parse_segment_name(path.name)
                parsed = parse_fragment_name(path.name) if segment_id is None else (segment_id, SEGMENT)
                assert parsed is not None, f"{path} is no fragment"
                found.add((node_id, *parsed))
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of a fragment lie."""

    chunk_id: UUID
    index: int
    path: Path
    offset: int
    size_bytes: int


def fragment_places(system: LiveSystem) -> list[Place]:
    """Return where every fragment lies that the database knows, whatever it lies in."""
    directories = node_directories(system)
    rows = query(system, f"SELECT {CHUNK_COLUMNS_SQL} FROM chunks_chunk c ORDER BY c.id")
    return [
        Place(
            chunk.id,
            index,
            directories[node_id] / "fragments" / chunk.placement_id.hex[-2:] / stored_name(chunk, index),
            chunk.segment_offset or 0,
            fragment_size_bytes(chunk),
        )
        for chunk in (ChunkView(*row) for row in rows)
        for index, node_id in enumerate(chunk.node_ids)
    ]
