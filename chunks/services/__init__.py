"""What changes the rows of the chunk engine, and the fragments with them."""

from chunks.services.adoption import adopt_moved_fragments
from chunks.services.classes import add_storage_class, set_node_labels, set_storage_class, set_zone_region
from chunks.services.faults import record_faults
from chunks.services.future_times import bring_back_future_times
from chunks.services.lost_nodes import LostNodes, queue_lost_nodes
from chunks.services.orphans import SweepReport, sweep_orphans
from chunks.services.probing import NodeProbe, probe_nodes
from chunks.services.registration import (
    change_node,
    change_node_options,
    create_default_topology,
    register_node,
    set_node_state,
)
from chunks.services.relocation import Moved, OldCopies, advance_relocation, plan_moves
from chunks.services.relocation_rows import begin_again, begin_drains, begin_rebalance, end_relocation, is_on_node
from chunks.services.removal import (
    answer_questions,
    count_unlinks,
    delete_chunk_fragments,
    discard_chunks,
    unlink_garbage,
)
from chunks.services.repacking import compact_segments, repack_chunks
from chunks.services.repair import repair_chunk, repair_faults
from chunks.services.repair_run import RepairReport
from chunks.services.scrub import ScrubReport, scrub_chunks
from chunks.services.segments import count_segments, delete_empty_segments, process_packer, seal_abandoned

__all__ = [
    "LostNodes",
    "Moved",
    "NodeProbe",
    "OldCopies",
    "RepairReport",
    "ScrubReport",
    "SweepReport",
    "add_storage_class",
    "adopt_moved_fragments",
    "advance_relocation",
    "answer_questions",
    "begin_again",
    "begin_drains",
    "begin_rebalance",
    "bring_back_future_times",
    "change_node",
    "change_node_options",
    "compact_segments",
    "count_segments",
    "count_unlinks",
    "create_default_topology",
    "delete_chunk_fragments",
    "delete_empty_segments",
    "discard_chunks",
    "end_relocation",
    "is_on_node",
    "plan_moves",
    "probe_nodes",
    "process_packer",
    "queue_lost_nodes",
    "record_faults",
    "register_node",
    "repack_chunks",
    "repair_chunk",
    "repair_faults",
    "scrub_chunks",
    "seal_abandoned",
    "set_node_labels",
    "set_node_state",
    "set_storage_class",
    "set_zone_region",
    "sweep_orphans",
    "unlink_garbage",
]
