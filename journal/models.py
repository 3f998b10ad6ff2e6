"""What the journal knows of itself: one row. Neither in snapshots nor in the journal."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class JournalMode(models.TextChoices):
    """STREAMING: every commit, within seconds. SNAPSHOTS: the server decodes no log, so all metadata from time to time."""

    STREAMING = "streaming", "Every commit"
    SNAPSHOTS = "snapshots", "Snapshots alone"


class JournalState(models.Model):
    """How far the journal has come. Positions are those of PostgreSQL's log."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    lineage = models.UUIDField(help_text="Names the run of records that belong together: as long as one slot lives.")
    predecessors = ArrayField(
        models.UUIDField(), default=list, help_text="Whose records go once this lineage has a snapshot of its own."
    )
    system_identifier = models.TextField(blank=True, help_text="The server and its timeline, as it names itself.")
    mode = models.TextField(choices=JournalMode.choices, db_default=JournalMode.STREAMING.value)
    stored_lsn = models.BigIntegerField(default=0, help_text="Where the newest segment ends.")
    durable_lsn = models.BigIntegerField(default=0, help_text="All that was committed before is on the nodes.")
    last_commit_at = models.DateTimeField(null=True, help_text="Of the newest commit that is on the nodes.")
    confirmed_at = models.DateTimeField(null=True, help_text="When the journal last said that it had caught up.")
    segment_number = models.BigIntegerField(default=0, help_text="Of the newest segment.")
    segment_count = models.BigIntegerField(default=0, help_text="Since the snapshot.")
    segment_bytes = models.BigIntegerField(default=0, help_text="Since the snapshot; one copy.")
    snapshot_number = models.BigIntegerField(default=0)
    snapshot_lsn = models.BigIntegerField(
        null=True, help_text="Null: there is no snapshot, and nothing can be restored."
    )
    snapshot_at = models.DateTimeField(null=True)
    snapshot_bytes = models.BigIntegerField(default=0)
    snapshot_schema = models.TextField(
        blank=True, default="", help_text="A digest of the migrations it was made under."
    )
    holder_ids = ArrayField(
        models.SmallIntegerField(), default=list, help_text="The nodes that took the newest record."
    )
    last_error = models.TextField(blank=True, default="")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "journal state"
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="one_journal_state"),)

    def __str__(self) -> str:
        return f"{self.lineage} up to {self.last_commit_at}"
