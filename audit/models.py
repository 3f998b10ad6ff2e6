"""The audit log's tables: the rows, partitioned by day, and the seals of the days' chains.

PostgreSQL makes the partitioned table (migration 0001); Django reads it. A row never changes.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class AuditEvent(models.Model):
    """What one request did, or one of the things that it did; see docs/design/audit.md for each column.

    Indexes (all in the migration): the primary key serves searches by time; `audit_by_resource` and `audit_by_principal`
    those by key and by actor, by hash and time; the BRIN indexes everything rare, and the sealing by id.
    """

    pk = models.CompositePrimaryKey("at", "id")
    at = models.DateTimeField(help_text="When the request arrived.")
    id = models.BigIntegerField(help_text="Drawn when the row is written.")
    request_id = models.TextField()
    source = models.TextField(help_text="s3, website, share, iam, sts, console, command, lifecycle, or audit itself.")
    operation = models.TextField()
    action = models.TextField()
    account_id = models.TextField(null=True)
    principal = models.TextField(help_text="The ARN; * is anonymous; empty: nobody was authenticated.")
    access_key_id = models.TextField(null=True)
    bucket = models.TextField(null=True)
    key = models.TextField(null=True)
    version_id = models.TextField(null=True)
    owner_id = models.TextField(null=True, help_text="The account that owns the bucket.")
    outcome = models.TextField(null=True, help_text="Of the decision; none was made where it is null.")
    reason = models.TextField(help_text="The statement that decided, or why no decision was come to.")
    trace = models.JSONField(null=True, help_text="Of a refusal: everything that matched, and what was asked about.")
    source_ip = models.TextField()
    user_agent = models.TextField()
    status = models.IntegerField()
    error_code = models.TextField()
    bytes_in = models.BigIntegerField()
    bytes_out = models.BigIntegerField()
    object_bytes = models.BigIntegerField(null=True)
    duration_us = models.BigIntegerField(
        help_text="In microseconds, until the last byte; of a change, until it was made."
    )
    method = models.TextField()
    request_uri = models.TextField()
    host = models.TextField()
    referer = models.TextField()
    auth_type = models.TextField()
    is_secure = models.BooleanField()
    is_batched = models.BooleanField(
        db_default=False, help_text="The metadata's journal has the row in a message of its batch."
    )

    class Meta:
        managed = False
        db_table = "audit_auditevent"
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.request_id} {self.operation}"


class AuditSeal(models.Model):
    """A link of a day's chain: a run of rows by id, their digest, and the digest of all links up to this one."""

    day = models.DateField()
    sequence = models.IntegerField()
    after_id = models.BigIntegerField(help_text="The run begins behind this id …")
    last_id = models.BigIntegerField(help_text="… and ends with this one, whether or not a row has it.")
    row_count = models.IntegerField()
    rows_digest = models.CharField(max_length=64)
    form = models.SmallIntegerField(db_default=1, help_text="How rows were put into text: `audit.services.sealing`.")
    digest = models.CharField(max_length=64, help_text="SHA-256 over the previous link's digest and this link.")
    sealed_at = models.DateTimeField(db_default=Now())
    is_dropped = models.BooleanField(
        default=False, help_text="The day's rows are gone by retention; this was its head."
    )

    class Meta:
        ordering: ClassVar = ["day", "sequence"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["day", "sequence"], name="one_link_per_place")]

    def __str__(self) -> str:
        return f"{self.day} {self.sequence}"


class AuditProgress(models.Model):
    """How far sealing has come: one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    sealed_id = models.BigIntegerField(default=0, help_text="All rows up to this id are in a chain.")
    pending_id = models.BigIntegerField(default=0, help_text="Settled once every transaction of that time has ended.")
    pending_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="one_audit_progress")]

    def __str__(self) -> str:
        return f"sealed up to {self.sealed_id}"
