"""Objects and their versions, and the extents that say which chunks hold their bytes."""

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
            # Intelligent tiering: the versions of a bucket that are monitored.
            models.Index(
                fields=["bucket_id", "id"],
                condition=Q(storage_class="INTELLIGENT_TIERING"),
                name="versions_monitored",
            ),
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


class Extent(models.Model):
    """A run of bytes of a version or of a part, and where in which chunk it lies. Chunks may be shared by many."""

    version = models.ForeignKey(ObjectVersion, null=True, on_delete=models.CASCADE, db_index=False)
    part = models.ForeignKey("Part", null=True, on_delete=models.CASCADE, db_index=False)
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
