"""What changes the rows of the chunk engine, and the fragments with them."""

from chunks.services.lost_nodes import LostNodes, queue_lost_nodes
from chunks.services.orphans import SweepReport, sweep_orphans
from chunks.services.probing import NodeProbe, probe_nodes
from chunks.services.registration import create_default_topology, register_node, set_node_state
from chunks.services.removal import answer_questions, delete_chunk_fragments, discard_chunks, unlink_garbage
from chunks.services.repair import RepairReport, record_faults, repair_chunk, repair_faults
from chunks.services.scrub import ScrubReport, scrub_chunks

__all__ = [
    "LostNodes",
    "NodeProbe",
    "RepairReport",
    "ScrubReport",
    "SweepReport",
    "answer_questions",
    "create_default_topology",
    "delete_chunk_fragments",
    "discard_chunks",
    "probe_nodes",
    "queue_lost_nodes",
    "record_faults",
    "register_node",
    "repair_chunk",
    "repair_faults",
    "scrub_chunks",
    "set_node_state",
    "sweep_orphans",
    "unlink_garbage",
]
