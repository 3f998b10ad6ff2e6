"""Buckets and their subresource documents."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now

from accesscontrol.models import Account
from accesscontrol.public_access import ObjectOwnership
from events.arns import NAME_PATTERN
from events.models import EventTarget


def default_history_seconds() -> int:
    """Return the history window of a new bucket, from the settings."""
    return int(settings.OBJSTORE_HISTORY_SECONDS)


def default_object_ownership() -> str:
    """Return the object ownership of a new bucket, from the settings; empty for S3's oldest, the writer's."""
    named = {ownership.lower(): ownership for ownership in ObjectOwnership}
    ownership = named[settings.OBJSTORE_DEFAULT_OBJECT_OWNERSHIP]
    return "" if ownership == ObjectOwnership.OBJECT_WRITER else ownership.value


class Versioning(models.TextChoices):
    """A bucket's versioning state. It starts unversioned and, once enabled, can only be suspended."""

    UNVERSIONED = "", "Unversioned"
    ENABLED = "Enabled"
    SUSPENDED = "Suspended"


class Bucket(models.Model):
    """A namespace of keys, owned by one account. Its name is unique in the whole store."""

    name = models.CharField(max_length=63, unique=True)
    owner = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="buckets")
    region = models.CharField(max_length=32, blank=True, help_text="The location constraint it was created with.")
    versioning = models.CharField(
        max_length=9, choices=Versioning, default=Versioning.UNVERSIONED, blank=True, db_default=""
    )
    history_seconds = models.PositiveIntegerField(
        default=default_history_seconds,
        validators=[MaxValueValidator(10 * 366 * 86_400)],
        help_text="How long an overwritten or deleted version stays recoverable, in seconds; 0 keeps none.",
    )
    is_lock_enabled = models.BooleanField(
        default=False, db_default=False, help_text="Whether versions can be locked (object lock). Never taken back."
    )
    default_retention = models.JSONField(
        null=True, blank=True, help_text="S3's DefaultRetention (Mode, and Days or Years), which new versions get."
    )
    policy = models.TextField(null=True, blank=True, help_text="The bucket policy, as it was sent.")
    acl = models.JSONField(null=True, blank=True, help_text="Grants, see accesscontrol.acl; null is private.")
    object_ownership = models.CharField(
        max_length=20,
        blank=True,
        db_default="",
        default=default_object_ownership,
        help_text="Who owns what others write (object ownership); where it is not set, the writer.",
    )
    public_access_block = models.JSONField(null=True, blank=True, help_text="In S3's member names; null is none.")
    # In the row, as a copy of the account's, for decisions: nothing else asks the database for what decides.
    account_public_access_block = models.JSONField(
        null=True, blank=True, editable=False, help_text="That of its account, kept by whoever changes it there."
    )
    # In the row and not among the configurations: every write needs it, and gets it with the bucket.
    encryption = models.JSONField(
        null=True, blank=True, editable=False, help_text="The rule of PutBucketEncryption, in S3's member names."
    )
    # In the row for decisions, which may ask for them; nothing else asks the database for what decides.
    tags = models.JSONField(null=True, blank=True, editable=False, help_text="Its own, not its objects'; null is none.")
    is_abac_enabled = models.BooleanField(
        default=False, db_default=False, help_text="Whether policies may ask for its tags (ABAC)."
    )
    has_lifecycle_rules = models.BooleanField(
        default=False, db_default=False, help_text="Whether its configurations hold lifecycle rules."
    )
    has_notification_rules = models.BooleanField(
        default=False, db_default=False, help_text="Whether anybody is told of what happens in it."
    )
    has_replication_rules = models.BooleanField(
        default=False, db_default=False, help_text="Whether what is written into it is replicated."
    )
    is_requester_pays = models.BooleanField(
        default=False, db_default=False, help_text="Whether others must agree to be charged for their requests."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            # A suspended bucket overwrites its null versions, locked or not.
            models.CheckConstraint(
                condition=models.Q(is_lock_enabled=False) | models.Q(versioning=Versioning.ENABLED),
                name="locks_need_versioning",
            ),
            models.CheckConstraint(
                condition=models.Q(default_retention__isnull=True) | models.Q(is_lock_enabled=True),
                name="default_retention_needs_locks",
            ),
        ]
        indexes: ClassVar = [
            # ListBuckets: an owner's buckets by name.
            models.Index(fields=["owner", "name"], name="buckets_by_owner"),
        ]

    def __str__(self) -> str:
        return self.name


class BucketConfiguration(models.Model):
    """One subresource document of a bucket, in the member names of S3's model: its tagging, for example."""

    bucket = models.ForeignKey(Bucket, on_delete=models.CASCADE, related_name="configurations")
    kind = models.CharField(max_length=64)
    name = models.CharField(
        max_length=64, blank=True, default="", db_default="", db_collation="C", help_text="Its id, where it has one."
    )
    document = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["bucket", "kind"]
        constraints: ClassVar = [
            # Every read of a configuration.
            models.UniqueConstraint(fields=["bucket", "kind", "name"], name="one_configuration_of_a_name"),
        ]

    def __str__(self) -> str:
        return f"{self.bucket} {self.kind} {self.name}".rstrip()


class NotificationRule(models.Model):
    """Which events of a bucket go to a target: what its notification configuration says, as the writing functions ask."""

    bucket = models.ForeignKey(Bucket, on_delete=models.CASCADE, related_name="notification_rules", db_index=False)
    target = models.ForeignKey(EventTarget, on_delete=models.PROTECT, related_name="notification_rules")
    configuration_id = models.CharField(max_length=255, blank=True)
    event_names = ArrayField(models.CharField(max_length=64), help_text="As `ObjectCreated:*`; `*` is every event.")
    prefix = models.TextField(blank=True)
    suffix = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["bucket", "id"]
        indexes: ClassVar = [
            # Every write into a bucket that has rules.
            models.Index(fields=["bucket"], name="notification_rules_of_bucket"),
        ]

    def __str__(self) -> str:
        return f"{self.bucket} → {self.target}"


class AccessLogProgress(models.Model):
    """How far the access log of a bucket has been delivered: every audit row up to this id, once."""

    bucket = models.OneToOneField(Bucket, on_delete=models.CASCADE, primary_key=True)
    delivered_id = models.BigIntegerField()
    problem = models.TextField(blank=True, help_text="Why nothing is delivered at the moment.")

    def __str__(self) -> str:
        return f"{self.bucket_id} up to {self.delivered_id}"


class ReplicationRule(models.Model):
    """What of a bucket is replicated where: what its replication configuration says, as the writing functions ask."""

    bucket = models.ForeignKey(Bucket, on_delete=models.CASCADE, related_name="replication_rules", db_index=False)
    rule_id = models.CharField(max_length=255)
    role_arn = models.CharField(max_length=2048, db_default="", default="", help_text="As whom it is replicated.")
    priority = models.IntegerField(default=0)
    prefix = models.TextField(blank=True)
    tags = models.JSONField(default=dict)
    destination_name = models.CharField(max_length=63)
    remote_name = models.CharField(
        max_length=63, blank=True, db_default="", help_text="The store of that bucket; empty is this one."
    )
    storage_class = models.CharField(max_length=32, blank=True, help_text="Of the replicas; empty is the source's.")
    takes_ownership = models.BooleanField(help_text="Replicas belong to the owner of the destination.")
    replicates_markers = models.BooleanField()
    replicates_kms = models.BooleanField()
    kms_key = models.CharField(max_length=2048, blank=True)
    syncs_replicas = models.BooleanField(help_text="Changes of replicas go back to what they are of.")

    class Meta:
        ordering: ClassVar = ["bucket", "id"]
        indexes: ClassVar = [
            # Every write into a bucket that is replicated.
            models.Index(fields=["bucket"], name="replication_rules_of_bucket"),
        ]

    def __str__(self) -> str:
        return f"{self.bucket} → {self.destination_name}"


class RemoteStore(models.Model):
    """Another store that buckets can be replicated to, over S3. Operators register it."""

    name = models.CharField(max_length=63, unique=True, validators=[RegexValidator(rf"\A{NAME_PATTERN}\Z")])
    url = models.CharField(max_length=1024, help_text="http(s)://host:port of its S3.")
    region = models.CharField(max_length=32, default="us-east-1")
    access_key_id = models.CharField(max_length=128)
    sealed_secret_key = models.BinaryField(help_text="Sealed by accesscontrol.secrets; never shown.")
    account_id = models.CharField(
        max_length=12,
        blank=True,
        default="",
        db_default="",
        help_text="The account whose buckets may be replicated there.",
    )
    is_shared = models.BooleanField(
        default=False, db_default=False, help_text="Whether the buckets of every account may be replicated there."
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
