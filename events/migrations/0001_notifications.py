"""Targets of events, and the outbox."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="EventTarget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        max_length=63,
                        unique=True,
                        validators=[django.core.validators.RegexValidator("\\A[A-Za-z0-9][A-Za-z0-9_-]{0,62}\\Z")],
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("webhook", "webhook"), ("redis", "redis"), ("amqp", "amqp")], max_length=16
                    ),
                ),
                ("address", models.CharField(help_text="Where it is, without passwords.", max_length=1024)),
                ("sealed_settings", models.BinaryField(help_text="Sealed by accesscontrol.secrets; never shown.")),
                ("is_active", models.BooleanField(default=True, help_text="Events for an inactive target wait.")),
                (
                    "is_event_bus",
                    models.BooleanField(
                        default=False,
                        help_text="Whether it gets all events of buckets with an EventBridgeConfiguration.",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "attempts",
                    models.PositiveIntegerField(default=0, help_text="How often in a row it could not be reached."),
                ),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("next_attempt_at", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_event_bus", True)), fields=("is_event_bus",), name="one_event_bus"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bucket_id", models.BigIntegerField()),
                ("bucket_name", models.CharField(max_length=63)),
                ("bucket_owner_id", models.CharField(max_length=12)),
                ("configuration_id", models.CharField(max_length=255)),
                ("name", models.CharField(help_text="As `ObjectCreated:Put`.", max_length=64)),
                ("key", models.TextField(db_collation="C")),
                (
                    "version_id",
                    models.CharField(help_text="Null where versioning never was enabled.", max_length=32, null=True),
                ),
                ("size_bytes", models.BigIntegerField(null=True)),
                ("etag", models.CharField(blank=True, max_length=64)),
                ("cause", models.JSONField(help_text="Who asked for it, see events.cause.")),
                (
                    "details",
                    models.JSONField(db_default={}, default=dict, help_text="What some kinds of events tell beside."),
                ),
                ("happened_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("attempts", models.PositiveIntegerField(db_default=0, default=0)),
                ("failing_since", models.DateTimeField(null=True)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("last_error", models.TextField(blank=True, db_default="")),
                ("dead_at", models.DateTimeField(help_text="When it was given up; it can be sent again.", null=True)),
                (
                    "target",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="events.eventtarget",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("dead_at", None)), fields=["target", "id"], name="events_to_deliver"
                    ),
                    models.Index(
                        condition=models.Q(("attempts__gt", 0), ("dead_at", None)),
                        fields=["target", "bucket_id", "key"],
                        name="failing_events",
                    ),
                    models.Index(
                        condition=models.Q(("dead_at", None), _negated=True),
                        fields=["target", "id"],
                        name="dead_letters",
                    ),
                ],
            },
        ),
    ]
