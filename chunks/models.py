"""Where bytes are kept: the topology (zones, nodes, storage classes), and what stands on it (chunks, faults, garbage).

The topology and its health live in the default database. `Chunk`, `FragmentFault` and `Garbage` live in the metadata shard of the
bucket that they serve, so nothing in them is a foreign key into the topology, and node ids are small integers without
a constraint. Columns have database defaults where another app inserts rows with SQL of its own.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Value
from django.db.models.functions import Now

from chunks.class_rules import CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, validate_class_name, validate_scheme
from chunks.default_schemes import AUTOMATIC
from chunks.records import DEFAULT_STORAGE_CLASS, MEBIBYTE, FaultKind, GarbageState, NodeState, RelocationKind


class Zone(models.Model):
    """A part of the house that can fail as one: a rack, a room, a data centre."""

    name = models.TextField(unique=True)
    region = models.TextField(db_default="")

    def __str__(self) -> str:
        return self.name


class Node(models.Model):
    """A place that holds fragments: one disk, one directory, one remote store."""

    id = models.SmallAutoField(primary_key=True)  # chunks name their nodes in arrays of smallint
    zone = models.ForeignKey(Zone, on_delete=models.PROTECT, related_name="nodes")
    name = models.TextField(unique=True)
    store_kind = models.TextField(db_default="local_disk")
    location = models.TextField(
        help_text="For a local disk, the directory; for a Django storage, the dotted path of its class."
    )
    options = models.JSONField(
        default=dict, db_default=Value({}, models.JSONField()), blank=True,
        help_text="What the storage class is configured with, without secrets.",
    )  # fmt: skip
    sealed_options = models.BinaryField(
        default=b"", db_default=Value(b"", models.BinaryField()), blank=True,
        help_text="Its secrets, sealed by `sealing`; never shown.",
    )  # fmt: skip
    capacity_bytes = models.BigIntegerField(
        null=True, blank=True, help_text="How much it may hold, where the storage itself knows no end."
    )
    weight = models.FloatField(db_default=1.0, help_text="The node's share of new fragments, relative to its peers.")
    state = models.TextField(
        choices=[(state.value, state.name.replace("_", " ").capitalize()) for state in NodeState],
        db_default=NodeState.ACTIVE.value,
    )
    labels = ArrayField(
        models.TextField(),
        default=list,
        db_default=[],
        blank=True,
        help_text="What it is fit for, in words of your own: hot, cold, archive. A storage class may ask for one.",
    )
    identity = models.UUIDField(unique=True, help_text="Must equal what the store says of itself.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(weight__gt=0), name="node_weight_is_positive"),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in NodeState]), name="node_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(capacity_bytes=None)
                | (~models.Q(store_kind="local_disk") & models.Q(capacity_bytes__gt=0)),
                name="capacity_is_of_a_storage",
                violation_error_message="A capacity is more than 0 bytes, and a local disk says itself how much it holds.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class NodeHealth(models.Model):
    """What the last look at a node found. A node without a row was never looked at."""

    node = models.OneToOneField(Node, primary_key=True, on_delete=models.CASCADE, related_name="health")
    probed_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(null=True, help_text="When it last took, gave back and removed a file.")
    unreachable_since = models.DateTimeField(null=True, help_text="The first failure since then.")
    last_error = models.TextField(db_default="", blank=True)
    latency_seconds = models.FloatField(null=True, help_text="How long the last look took that succeeded.")
    total_bytes = models.BigIntegerField(null=True)
    free_bytes = models.BigIntegerField(null=True)
    faults_queued_at = models.DateTimeField(
        null=True, help_text="When all that it holds was queued for repair, because it is lost."
    )

    class Meta:
        verbose_name_plural = "node health"

    def __str__(self) -> str:
        return f"{self.node_id}: {self.last_error or 'well'}"


class StorageClass(models.Model):
    """How bytes of one S3 storage class are cut and protected."""

    name = models.TextField(unique=True, validators=[validate_class_name])
    chunk_size_bytes = models.IntegerField(default=8 * MEBIBYTE, db_default=8 * MEBIBYTE)
    small_scheme = models.TextField(
        default=AUTOMATIC,
        db_default=AUTOMATIC,
        validators=[validate_scheme],
        help_text="replicate-N, rs-K+M, or automatic: by the nodes.",
    )
    large_scheme = models.TextField(default=AUTOMATIC, db_default=AUTOMATIC, validators=[validate_scheme])
    large_from_bytes = models.IntegerField(
        default=128 * 1024, db_default=128 * 1024, help_text="Chunks of at least this size use the large scheme."
    )
    compression_level = models.SmallIntegerField(
        null=True, blank=True, help_text="Of zstd, 1 to 19; empty: chunks are kept as they are."
    )
    node_label = models.TextField(
        default="", db_default="", blank=True, help_text="Only nodes with this label take its fragments; empty: all do."
    )

    class Meta:
        verbose_name_plural = "storage classes"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(chunk_size_bytes__gte=CHUNK_BYTES_MIN, chunk_size_bytes__lte=CHUNK_BYTES_MAX),
                name="chunk_size_is_useful",
            ),
            models.CheckConstraint(
                condition=models.Q(compression_level__gte=1, compression_level__lte=19)
                | models.Q(compression_level__isnull=True),
                name="compression_level_is_known",
            ),
            models.CheckConstraint(condition=models.Q(large_from_bytes__gte=0), name="large_from_is_not_negative"),
        )

    def __str__(self) -> str:
        return self.name


class Segment(models.Model):
    """A file of small chunks, the same on each of its nodes. One process appends to it until it is sealed.

    Its row is there before any copy of it, and goes after the last. Chunks name it without a foreign key: that would
    lock its row for every chunk written. What can go is known by its age instead, see `chunks.services.segments`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    storage_class = models.TextField()
    scheme = models.TextField()
    node_ids = ArrayField(models.SmallIntegerField())  # as in its chunks' rows
    created_at = models.DateTimeField(db_default=Now())
    sealed_at = models.DateTimeField(null=True, help_text="Since then nobody appends to it.")
    size_bytes = models.BigIntegerField(null=True, help_text="Of one copy; known once it is sealed or counted.")
    live_bytes = models.BigIntegerField(
        null=True, help_text="Of the fragments in one copy whose chunks were there when it was last counted."
    )
    counted_at = models.DateTimeField(null=True, help_text="Null also when chunks in it went since.")
    emptied_at = models.DateTimeField(null=True, help_text="When no chunk was found in it any more.")

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(node_ids__len__gt=0), name="segment_has_nodes"),)

    def __str__(self) -> str:
        return str(self.id)


class Chunk(models.Model):
    """A run of an object's bytes, kept as fragments on nodes. Its bytes never change.

    Repair and moves change `node_ids`, the scrub `verified_at`. It stands here and not in a table of its own: it is
    written once a week, such a table would double the rows, and the update takes no lock that a reader, a writer or a
    new extent waits for.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    size_bytes = models.IntegerField()
    scheme = models.TextField()
    node_ids = ArrayField(models.SmallIntegerField())  # element i names the node of fragment i
    checksum = models.BigIntegerField(help_text="CRC-64/NVME of the bytes, as a signed integer.")
    storage_class = models.TextField(db_default=DEFAULT_STORAGE_CLASS)
    segment_id = models.UUIDField(null=True, help_text="The segment that it lies in; null: in files of its own.")
    segment_offset = models.IntegerField(null=True, help_text="Where in the segment its fragment begins, in bytes.")
    plain_bytes = models.IntegerField(null=True, help_text="How large it is uncompressed; empty: it is not compressed.")
    created_at = models.DateTimeField(db_default=Now())
    verified_at = models.DateTimeField(
        db_default=Now(),
        help_text="When all fragments were last read and checked, or written. What was wrong is a fault.",
    )

    class Meta:
        indexes = (
            # The scrub's claim: the longest unread first. New rows are appended at its end.
            models.Index(fields=("verified_at",), name="chunk_by_verified_at"),
            # What is in a segment: its compaction, its repair, and whether it can go.
            models.Index(fields=("segment_id",), condition=~models.Q(segment_id=None), name="chunk_by_segment"),
        )
        constraints = (
            models.CheckConstraint(condition=models.Q(size_bytes__gte=0), name="chunk_size_is_not_negative"),
            models.CheckConstraint(condition=models.Q(node_ids__len__gt=0), name="chunk_has_nodes"),
            models.CheckConstraint(
                condition=models.Q(segment_id=None, segment_offset=None)
                | models.Q(segment_id__isnull=False, segment_offset__gte=0),
                name="packed_chunk_has_offset",
            ),
        )

    def __str__(self) -> str:
        return str(self.id)


class FragmentFault(models.Model):
    """A fragment that the repairer must look at. Gone once it is whole and where it belongs."""

    # Not a foreign key: a fault may be reported while its chunk is being deleted; the repairer drops such rows.
    chunk_id = models.UUIDField()
    fragment_index = models.SmallIntegerField()
    node_id = models.SmallIntegerField()
    kind = models.TextField(choices=[(kind.value, kind.name.capitalize()) for kind in FaultKind])
    detected_at = models.DateTimeField(db_default=Now())
    attempts = models.IntegerField(db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    last_error = models.TextField(db_default="")

    class Meta:
        constraints = (
            # Also serves the look-up of all faults of one chunk.
            models.UniqueConstraint(fields=("chunk_id", "fragment_index"), name="one_fault_per_fragment"),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in FaultKind]), name="fault_kind_is_known"
            ),
        )
        indexes = (
            # The repairer's claim: due faults, longest due first.
            models.Index(fields=("next_attempt_at",), name="fault_by_next_attempt"),
        )

    def __str__(self) -> str:
        return f"{self.chunk_id}.{self.fragment_index} {self.kind}"


class Relocation(models.Model):
    """A moving of fragments, and how far it has come: a walk over all chunks in order of their ids."""

    kind = models.TextField(choices=[(kind.value, kind.name.capitalize()) for kind in RelocationKind])
    node_id = models.SmallIntegerField(null=True, help_text="The node that is emptied.")
    cursor = models.UUIDField(default=uuid.UUID(int=0), help_text="The last chunk that was looked at.")
    examined_chunks = models.BigIntegerField(db_default=0)
    moved_fragments = models.BigIntegerField(db_default=0)
    moved_bytes = models.BigIntegerField(db_default=0)
    failed_fragments = models.BigIntegerField(db_default=0, help_text="Left where they are, for now.")
    started_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    outcome = models.TextField(db_default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "node_id"),
                condition=models.Q(finished_at=None),
                nulls_distinct=False,
                name="one_relocation_under_way",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in RelocationKind]), name="relocation_kind_is_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.node_id or ''}"


class Condemned(models.Model):
    """A chunk or a segment that had no row and whose bytes are deleted: nothing may refer to it any more."""

    id = models.UUIDField(primary_key=True)
    condemned_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "condemned"

    def __str__(self) -> str:
        return str(self.id)


class Garbage(models.Model):
    """A chunk that may be, or is, referred to by nothing.

    Whoever drops an extent inserts a QUESTION in the same transaction. The layer that knows extents answers it: either
    the row goes, or the chunk's row goes and this one becomes UNLINK with the chunk's `node_ids`.
    """

    chunk_id = models.UUIDField(unique=True)
    asked_at = models.DateTimeField(db_default=Now())
    next_attempt_at = models.DateTimeField(db_default=Now())
    node_ids = ArrayField(models.SmallIntegerField(), null=True)
    state = models.TextField(
        choices=[(state.value, state.name.capitalize()) for state in GarbageState],
        db_default=GarbageState.QUESTION.value,
    )

    class Meta:
        verbose_name_plural = "garbage"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in GarbageState]), name="garbage_state_is_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state=GarbageState.UNLINK.value) | models.Q(node_ids__isnull=False),
                name="unlink_says_where",
            ),
        )
        indexes = (
            # The collector's and the unlinker's claims: due rows of one state, longest due first.
            models.Index(fields=("state", "next_attempt_at"), name="garbage_by_state_and_time"),
        )

    def __str__(self) -> str:
        return f"{self.chunk_id} {self.state}"
