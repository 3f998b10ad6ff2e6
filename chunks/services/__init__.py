"""What changes the rows of the chunk engine, and the fragments with them."""

from chunks.services.adoption import adopt_moved_fragments
from chunks.services.lost_nodes import LostNodes, queue_lost_nodes
from chunks.services.orphans import SweepReport, sweep_orphans
from chunks.services.probing import NodeProbe, probe_nodes
from chunks.services.registration import create_default_topology, register_node, set_node_state
from chunks.services.relocation import Moved, OldCopies, advance_relocation, plan_moves
from chunks.services.relocation_rows import begin_again, begin_drains, begin_rebalance, end_relocation, is_on_node
from chunks.services.removal import (
    answer_questions,
    count_unlinks,
    delete_chunk_fragments,
    discard_chunks,
    unlink_garbage,
)
from chunks.services.repair import RepairReport, record_faults, repair_chunk, repair_faults
from chunks.services.scrub import ScrubReport, scrub_chunks

__all__ = [
    "LostNodes",
    "Moved",
    "NodeProbe",
    "OldCopies",
    "RepairReport",
    "ScrubReport",
    "SweepReport",
    "adopt_moved_fragments",
    "advance_relocation",
    "answer_questions",
    "begin_again",
    "begin_drains",
    "begin_rebalance",
    "count_unlinks",
    "create_default_topology",
    "delete_chunk_fragments",
    "discard_chunks",
    "end_relocation",
    "is_on_node",
    "plan_moves",
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
