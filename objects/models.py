"""Objects, versions, multipart uploads, and the extents that say which chunks hold their bytes.

Rows are written by the statements in `objects/sql` and by `services`, never by hand: a version, its extents, the key's
pointer and the usage counters change together. Bucket ids carry no database constraint, so that objects may live in
another database than their bucket.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Now

from chunks.models import Chunk


class Object(models.Model):
    """A key of a bucket: the row that orders its writers, pointing at the version that readers see."""

    bucket_id = models.BigIntegerField()
    key = models.TextField(db_collation="C")
    current_version = models.ForeignKey(
        "ObjectVersion", null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    is_listed = models.BooleanField(help_text="The current version is an object, not a delete marker.")

    class Meta:
        constraints: ClassVar = [
            # Every look-up of a key; ListObjectVersions walks it.
            models.UniqueConstraint(fields=["bucket_id", "key"], name="one_object_per_key"),
        ]
        indexes: ClassVar = [
            # ListObjects walks the keys that have a current object, undisturbed by deleted ones.
            models.Index(fields=["bucket_id", "key"], condition=Q(is_listed=True), name="objects_listed"),
        ]

    def __str__(self) -> str:
        return self.key


class ObjectVersion(models.Model):
    """One version of an object, or a delete marker. The row's id orders the versions of a key.

    A version is visible to S3 until `deleted_at`, and then recoverable until the bucket's history window has passed.
    """

    object = models.ForeignKey(Object, on_delete=models.CASCADE, related_name="versions", db_index=False)
    bucket_id = models.BigIntegerField()
    version_id = models.CharField(max_length=32, help_text='S3\'s version id; "null" where versioning was not enabled.')
    is_delete_marker = models.BooleanField(db_default=False)
    owner_id = models.CharField(max_length=12)
    size_bytes = models.BigIntegerField(db_default=0)
    etag = models.CharField(max_length=64, blank=True, help_text="Without quotes.")
    content_type = models.TextField(blank=True, db_default="")
    headers = models.JSONField(default=dict, db_default={}, help_text="Cache-Control and its like, by member name.")
    metadata = models.JSONField(default=dict, db_default={}, help_text="User metadata, by lower-case name.")
    tags = models.JSONField(default=dict, db_default={})
    storage_class = models.CharField(max_length=32, db_default="STANDARD")
    checksum_algorithm = models.CharField(max_length=16, blank=True, db_default="")
    checksum_type = models.CharField(max_length=16, blank=True, db_default="")
    checksum = models.CharField(max_length=128, blank=True, db_default="", help_text="Base 64, with -N if composite.")
    part_count = models.IntegerField(null=True, help_text="The number of parts of a multipart upload.")
    parts = models.JSONField(null=True, help_text="[[part number, size in bytes, checksum], …] in order.")
    encryption = models.JSONField(
        default=dict, db_default={}, help_text="How its chunks are encrypted; {}: not at all."
    )
    lock_mode = models.CharField(max_length=10, blank=True, db_default="", help_text="GOVERNANCE or COMPLIANCE.")
    retain_until = models.DateTimeField(null=True, help_text="Until when lock_mode protects it.")
    legal_hold = models.BooleanField(null=True, help_text="Null where it was never set; true protects it for ever.")
    acl = models.JSONField(null=True, help_text="Grants, see accesscontrol.acl; null is private.")
    replication_status = models.CharField(
        max_length=9, blank=True, default="", db_default="", help_text="PENDING, COMPLETED, FAILED, or REPLICA."
    )
    became_current_at = models.DateTimeField(db_default=Now())
    superseded_at = models.DateTimeField(null=True, help_text="When it stopped being the current version.")
    deleted_at = models.DateTimeField(null=True, help_text="When S3 stopped seeing it; the start of its history.")

    class Meta:
        constraints: ClassVar = [
            # A version by its id; also the null version that a write replaces.
            models.UniqueConstraint(
                fields=["object", "version_id"], condition=Q(deleted_at=None), name="one_visible_version_per_id"
            ),
            models.CheckConstraint(condition=Q(size_bytes__gte=0), name="version_size_not_negative"),
            models.CheckConstraint(
                condition=Q(lock_mode="", retain_until=None)
                | Q(lock_mode__in=["GOVERNANCE", "COMPLIANCE"], retain_until__isnull=False),
                name="retention_has_mode_and_time",
            ),
        ]
        indexes: ClassVar = [
            # The versions of a key, newest first, visible or not: listings, as-of reads, undelete.
            models.Index(fields=["object", "-id"], name="versions_of_object"),
            # The collector: versions whose history window has passed.
            models.Index(fields=["bucket_id", "deleted_at"], condition=~Q(deleted_at=None), name="versions_in_history"),
            # Rotation: data keys that an older version of a key has wrapped.
            models.Index(
                KeyTextTransform("key", "encryption"),
                Cast(KeyTextTransform("key_version", "encryption"), models.IntegerField()),
                condition=~Q(encryption={}),
                name="versions_by_wrapping_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.object_id}?versionId={self.version_id}"


class MultipartUpload(models.Model):
    """An object in the making. A completed upload is kept for a while, so that completing it again answers the same."""

    upload_id = models.CharField(max_length=64, unique=True)
    bucket_id = models.BigIntegerField()
    key = models.TextField(db_collation="C")
    owner_id = models.CharField(max_length=12)
    content_type = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    tags = models.JSONField(default=dict)
    storage_class = models.CharField(max_length=32)
    checksum_algorithm = models.CharField(max_length=16, blank=True)
    checksum_type = models.CharField(max_length=16, blank=True)
    encryption = models.JSONField(default=dict, db_default={}, help_text="As the version's; all parts share its key.")
    lock_mode = models.CharField(max_length=10, blank=True, db_default="")
    retain_until = models.DateTimeField(null=True)
    legal_hold = models.BooleanField(null=True)
    acl = models.JSONField(null=True)
    initiator_id = models.CharField(max_length=12, blank=True, db_default="", help_text="The account that began it.")
    created_at = models.DateTimeField(db_default=Now())
    completed_at = models.DateTimeField(null=True)
    completed_version = models.ForeignKey(
        ObjectVersion, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    completed_parts = models.CharField(max_length=64, blank=True, help_text="A digest of the completed part list.")

    class Meta:
        indexes: ClassVar = [
            # ListMultipartUploads, and whether a bucket has any.
            models.Index(fields=["bucket_id", "key", "id"], condition=Q(completed_at=None), name="uploads_in_progress"),
            # The collector: stale uploads, and completed ones that have been remembered long enough.
            models.Index(fields=["created_at"], name="uploads_by_age"),
        ]

    def __str__(self) -> str:
        return self.upload_id


class Part(models.Model):
    """An uploaded part of a multipart upload."""

    upload = models.ForeignKey(MultipartUpload, on_delete=models.CASCADE, related_name="parts", db_index=False)
    part_number = models.IntegerField()
    size_bytes = models.BigIntegerField()
    etag = models.CharField(max_length=64)
    checksum_algorithm = models.CharField(max_length=16, blank=True)
    checksum = models.CharField(max_length=128, blank=True)
    modified_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["upload", "part_number"], name="one_part_per_number"),
            models.CheckConstraint(condition=Q(part_number__range=(1, 10_000)), name="part_number_in_range"),
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} part {self.part_number}"


class Extent(models.Model):
    """A run of bytes of a version or of a part, and where in which chunk it lies. Chunks may be shared by many."""

    version = models.ForeignKey(ObjectVersion, null=True, on_delete=models.CASCADE, db_index=False)
    part = models.ForeignKey(Part, null=True, on_delete=models.CASCADE, db_index=False)
    offset_bytes = models.BigIntegerField(help_text="Where the run begins in the version or part.")
    size_bytes = models.BigIntegerField()
    chunk = models.ForeignKey(Chunk, on_delete=models.PROTECT, db_index=False)
    chunk_offset_bytes = models.BigIntegerField(db_default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(version=None, part__isnull=False) | Q(version__isnull=False, part=None),
                name="extent_of_version_or_part",
            ),
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="extent_not_empty"),
        ]
        indexes: ClassVar = [
            # Reading a version from an offset on.
            models.Index(fields=["version", "offset_bytes"], condition=~Q(version=None), name="extents_of_version"),
            # Completing an upload, replacing a part.
            models.Index(fields=["part", "offset_bytes"], condition=~Q(part=None), name="extents_of_part"),
            # The collector's question: does anything refer to this chunk?
            models.Index(fields=["chunk"], name="extents_of_chunk"),
        ]

    def __str__(self) -> str:
        return f"{self.offset_bytes}+{self.size_bytes} in {self.chunk_id}"


class RestoreTier(models.IntegerChoices):
    """How urgent a restore is; the most urgent first."""

    EXPEDITED = 0
    STANDARD = 1
    BULK = 2


class Restore(models.Model):
    """That an archived version was asked for, and until when it may be read. Gone when its days are over."""

    version = models.OneToOneField(ObjectVersion, on_delete=models.CASCADE, related_name="restore")
    days = models.IntegerField()
    tier = models.SmallIntegerField(choices=RestoreTier)
    requested_at = models.DateTimeField(db_default=Now())
    restored_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(restored_at=None, expires_at=None) | Q(restored_at__isnull=False, expires_at__isnull=False),
                name="restored_until_a_time",
            ),
        ]
        indexes: ClassVar = [
            # The worker: what is to be opened, and what is to be closed.
            models.Index(fields=["tier", "requested_at"], condition=Q(restored_at=None), name="restores_pending"),
            models.Index(fields=["expires_at"], condition=~Q(expires_at=None), name="restores_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} until {self.expires_at}"


class ShorterState(models.Model):
    """What a version was before something was appended to it in place: a prefix of what it is now."""

    version = models.ForeignKey(ObjectVersion, on_delete=models.CASCADE, db_index=False)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    size_bytes = models.BigIntegerField()
    etag = models.CharField(max_length=64)
    checksum_algorithm = models.CharField(max_length=16, blank=True)
    checksum_type = models.CharField(max_length=16, blank=True)
    checksum = models.CharField(max_length=128, blank=True)
    part_count = models.IntegerField(null=True)
    parts = models.JSONField(null=True)

    class Meta:
        indexes: ClassVar = [
            # Reads as of a moment: the first state that ended after it.
            models.Index(fields=["version", "ended_at"], name="shorter_states_by_end"),
            # The collector: those that no moment in the history window can ask for.
            models.Index(fields=["ended_at"], name="shorter_states_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} until {self.ended_at}"


class Annotation(models.Model):
    """A named payload beside a version. Metadata: it lives where metadata lives, and goes with the version."""

    version = models.ForeignKey(ObjectVersion, on_delete=models.CASCADE, related_name="annotations", db_index=False)
    name = models.TextField(db_collation="C")
    size_bytes = models.IntegerField()
    etag = models.CharField(max_length=64)
    checksum_algorithm = models.CharField(max_length=16)
    checksum = models.CharField(max_length=128)
    is_sealed = models.BooleanField(help_text="The payload is encrypted by the version's data key.")
    payload = models.BinaryField()
    modified_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            # One by its name; the walk of a listing.
            models.UniqueConstraint(fields=["version", "name"], name="one_annotation_per_name"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.name}"


class RenameToken(models.Model):
    """A client's name for a rename that was carried out, so that repeating it is no second one."""

    bucket_id = models.BigIntegerField()
    token = models.CharField(max_length=64)
    parameters = models.CharField(max_length=64, help_text="A digest of what the rename was.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bucket_id", "token"], name="one_rename_per_token"),
        ]
        indexes: ClassVar = [
            # The collector: those that have been remembered long enough.
            models.Index(fields=["created_at"], name="rename_tokens_by_age"),
        ]

    def __str__(self) -> str:
        return self.token


class LifecycleRun(models.Model):
    """Up to which midnight a bucket's lifecycle rules have been carried out, and which rules these were."""

    bucket_id = models.BigIntegerField(unique=True)
    day_started_at = models.DateTimeField()
    configured_at = models.DateTimeField(help_text="When the rules were stored that have been carried out.")

    def __str__(self) -> str:
        return f"{self.bucket_id} through {self.day_started_at}"


class ReportRun(models.Model):
    """For which day a report of a bucket was last delivered: an inventory, or an analysis."""

    bucket_id = models.BigIntegerField()
    kind = models.CharField(max_length=64)
    name = models.CharField(max_length=64, help_text="The id of the configuration.")
    day_started_at = models.DateTimeField()
    configured_at = models.DateTimeField(help_text="When the configuration was stored that has been carried out.")
    last_error = models.TextField(blank=True, db_default="", help_text="Why it could not be delivered.")

    class Meta:
        constraints: ClassVar = [
            # Which reports are due.
            models.UniqueConstraint(fields=["bucket_id", "kind", "name"], name="one_run_per_report"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of {self.bucket_id} for {self.day_started_at}"


class BucketMetric(models.Model):
    """What a metrics configuration's filter has seen in an hour; sizes in bytes, times in microseconds."""

    bucket_id = models.BigIntegerField()
    name = models.CharField(max_length=64, help_text="The id of the configuration.")
    hour = models.DateTimeField()
    all_requests = models.BigIntegerField(db_default=0)
    get_requests = models.BigIntegerField(db_default=0)
    put_requests = models.BigIntegerField(db_default=0)
    delete_requests = models.BigIntegerField(db_default=0)
    head_requests = models.BigIntegerField(db_default=0)
    post_requests = models.BigIntegerField(db_default=0)
    list_requests = models.BigIntegerField(db_default=0)
    bytes_downloaded = models.BigIntegerField(db_default=0)
    bytes_uploaded = models.BigIntegerField(db_default=0)
    errors_4xx = models.BigIntegerField(db_default=0)
    errors_5xx = models.BigIntegerField(db_default=0)
    latency_us = models.BigIntegerField(db_default=0, help_text="Of all requests together.")
    object_count = models.BigIntegerField(null=True, help_text="Where it was measured in that hour.")
    size_bytes = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            # The hour that a run adds to; a bucket's figures in order.
            models.UniqueConstraint(fields=["bucket_id", "name", "hour"], name="one_metric_per_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.bucket_id} {self.name} {self.hour}"


class MetricsProgress(models.Model):
    """Up to which row of the audit log requests have been counted: one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    rolled_id = models.BigIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"up to {self.rolled_id}"


class AnalysisDay(models.Model):
    """What a storage class analysis has found in a day, of one class and one group of ages; sizes in bytes."""

    bucket_id = models.BigIntegerField()
    name = models.CharField(max_length=64, help_text="The id of the configuration.")
    day = models.DateField()
    storage_class = models.CharField(max_length=32)
    age_group = models.CharField(max_length=8)
    object_count = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    uploaded_bytes = models.BigIntegerField()
    retrieved_bytes = models.BigIntegerField()
    get_requests = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            # The day that is found; a configuration's days in order.
            models.UniqueConstraint(
                fields=["bucket_id", "name", "day", "storage_class", "age_group"], name="one_analysis_per_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bucket_id} {self.name} {self.day} {self.storage_class} {self.age_group}"


class Replication(models.Model):
    """A version, delete marker or change on its way to another bucket. The order of the ids is that of a key's writers."""

    bucket_id = models.BigIntegerField()
    rule_id = models.CharField(max_length=255)
    key = models.TextField(db_collation="C")
    version_row = models.BigIntegerField()
    kind = models.CharField(max_length=7, help_text="version, marker or change.")
    destination_name = models.CharField(max_length=63)
    remote_name = models.CharField(max_length=63, blank=True, db_default="", help_text="Of another store.")
    storage_class = models.CharField(max_length=32, blank=True)
    takes_ownership = models.BooleanField()
    kms_key = models.CharField(max_length=2048, blank=True)
    queued_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, db_default="")

    class Meta:
        indexes: ClassVar = [
            # The worker: what of a bucket is to go, oldest first.
            models.Index(fields=["bucket_id", "id"], name="replications_of_bucket"),
            # The worker: keys whose next version waits after a failure.
            models.Index(
                fields=["bucket_id", "destination_name", "key"],
                condition=Q(attempts__gt=0),
                name="failing_replications",
            ),
            # Whether a version has arrived everywhere.
            models.Index(fields=["version_row"], name="replications_of_version"),
        ]

    def __str__(self) -> str:
        return f"{self.key} → {self.destination_name}"


class BucketUsage(models.Model):
    """One of the counters whose sum is a bucket's usage. Writers are spread over slots so that none is hot."""

    bucket_id = models.BigIntegerField()
    slot = models.SmallIntegerField()
    object_count = models.BigIntegerField(db_default=0, help_text="Keys with a current object.")
    version_count = models.BigIntegerField(db_default=0, help_text="Visible versions, delete markers not counted.")
    size_bytes = models.BigIntegerField(db_default=0, help_text="Bytes of all visible versions.")
    history_count = models.BigIntegerField(db_default=0, help_text="Recoverable versions that S3 no longer sees.")
    history_bytes = models.BigIntegerField(db_default=0, help_text="Bytes of those.")

    class Meta:
        constraints: ClassVar = [
            # The counter that a write adds to, and the sum over a bucket.
            models.UniqueConstraint(fields=["bucket_id", "slot"], name="one_usage_counter_per_slot"),
        ]

    def __str__(self) -> str:
        return f"{self.bucket_id}/{self.slot}"
