"""Who is told of what happens in a bucket."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("buckets", "0005_lifecycle_and_payment"),
        ("events", "0001_notifications"),
    ]

    operations = [
        migrations.AddField(
            model_name="bucket",
            name="has_notification_rules",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Whether anybody is told of what happens in it."
            ),
        ),
        migrations.CreateModel(
            name="NotificationRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("configuration_id", models.CharField(blank=True, max_length=255)),
                (
                    "event_names",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        help_text="As `ObjectCreated:*`; `*` is every event.",
                        size=None,
                    ),
                ),
                ("prefix", models.TextField(blank=True)),
                ("suffix", models.TextField(blank=True)),
                (
                    "bucket",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notification_rules",
                        to="buckets.bucket",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notification_rules",
                        to="events.eventtarget",
                    ),
                ),
            ],
            options={
                "ordering": ["bucket", "id"],
                "indexes": [models.Index(fields=["bucket"], name="notification_rules_of_bucket")],
            },
        ),
    ]
