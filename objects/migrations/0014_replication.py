"""Versions on their way to other buckets, and how far they have come."""

import django.db.models.functions.datetime
from django.db import migrations, models

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0013_compressed_chunks"),
        ("buckets", "0009_replication"),
    ]

    operations = [
        migrations.AddField(
            model_name="objectversion",
            name="replication_status",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="PENDING, COMPLETED, FAILED, or REPLICA.", max_length=9
            ),
        ),
        migrations.CreateModel(
            name="Replication",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bucket_id", models.BigIntegerField()),
                ("rule_id", models.CharField(max_length=255)),
                ("key", models.TextField(db_collation="C")),
                ("version_row", models.BigIntegerField()),
                ("kind", models.CharField(help_text="version, marker or change.", max_length=7)),
                ("destination_name", models.CharField(max_length=63)),
                ("storage_class", models.CharField(blank=True, max_length=32)),
                ("takes_ownership", models.BooleanField()),
                ("kms_key", models.CharField(blank=True, max_length=2048)),
                ("queued_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("attempts", models.PositiveIntegerField(db_default=0, default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("last_error", models.TextField(blank=True, db_default="")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["bucket_id", "id"], name="replications_of_bucket"),
                    models.Index(
                        condition=models.Q(("attempts__gt", 0)),
                        fields=["bucket_id", "destination_name", "key"],
                        name="failing_replications",
                    ),
                    models.Index(fields=["version_row"], name="replications_of_version"),
                ],
            },
        ),
        recreate_functions(),
    ]
