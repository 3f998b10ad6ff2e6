"""Targets of events, and the outbox: one row for each event and target, gone once it is delivered."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from events.arns import NAME_PATTERN, Service, TargetKind, TargetName


class EventTarget(models.Model):
    """A place that events are sent to. Operators register it; the owners of buckets name it in their configurations."""

    name = models.CharField(max_length=63, unique=True, validators=[RegexValidator(rf"\A{NAME_PATTERN}\Z")])
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in TargetKind])
    address = models.CharField(max_length=1024, help_text="Where it is, without passwords.")
    sealed_settings = models.BinaryField(help_text="Sealed by accesscontrol.secrets; never shown.")
    account_id = models.CharField(
        max_length=12, blank=True, default="", db_default="", help_text="The account whose buckets may use it."
    )
    is_shared = models.BooleanField(
        default=False, db_default=False, help_text="Whether the buckets of every account may use it."
    )
    is_active = models.BooleanField(default=True, help_text="Events for an inactive target wait.")
    is_event_bus = models.BooleanField(
        default=False, help_text="Whether it gets all events of buckets with an EventBridgeConfiguration."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    attempts = models.PositiveIntegerField(default=0, help_text="How often in a row it could not be reached.")
    failing_since = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            # Of an account, and one (of no account) for all.
            models.UniqueConstraint(fields=["account_id"], condition=Q(is_event_bus=True), name="one_event_bus"),
        ]

    def __str__(self) -> str:
        return self.name

    def serves(self, account_id: str) -> bool:
        """Say whether events of an account's buckets may go there: its own, or opened to all by an operator."""
        return self.is_shared or (bool(account_id) and self.account_id == account_id)

    @property
    def arn(self) -> str:
        """Name it as a queue, which is what most configurations do."""
        return TargetName(Service.QUEUE, self.name, TargetKind(self.kind)).arn


class Event(models.Model):
    """What happened, on its way to one target. The order of the ids is the order of what happened to a key.

    It holds all that its record tells, as bucket and version may be gone when it is sent.
    """

    target = models.ForeignKey(EventTarget, on_delete=models.CASCADE, related_name="events", db_index=False)
    bucket_id = models.BigIntegerField()
    bucket_name = models.CharField(max_length=63)
    bucket_owner_id = models.CharField(max_length=12)
    configuration_id = models.CharField(max_length=255)
    name = models.CharField(max_length=64, help_text="As `ObjectCreated:Put`.")
    key = models.TextField(db_collation="C")
    version_id = models.CharField(max_length=32, null=True, help_text="Null where versioning never was enabled.")
    size_bytes = models.BigIntegerField(null=True)
    etag = models.CharField(max_length=64, blank=True)
    cause = models.JSONField(help_text="Who asked for it, see events.cause.")
    details = models.JSONField(default=dict, db_default={}, help_text="What some kinds of events tell beside.")
    happened_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    failing_since = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, db_default="")
    dead_at = models.DateTimeField(null=True, help_text="When it was given up; it can be sent again.")

    class Meta:
        indexes: ClassVar = [
            # The delivery: what a target is to get, oldest first.
            models.Index(fields=["target", "id"], condition=Q(dead_at=None), name="events_to_deliver"),
            # The delivery: keys whose next event waits after a failure.
            models.Index(
                fields=["target", "bucket_id", "key"], condition=Q(dead_at=None, attempts__gt=0), name="failing_events"
            ),
            # The console, and sending again.
            models.Index(fields=["target", "id"], condition=~Q(dead_at=None), name="dead_letters"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.bucket_name}/{self.key}"
