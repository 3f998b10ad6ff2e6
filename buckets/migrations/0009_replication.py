"""Where buckets are replicated to."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("buckets", "0008_inventory"),
    ]

    operations = [
        migrations.AddField(
            model_name="bucket",
            name="has_replication_rules",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Whether what is written into it is replicated."
            ),
        ),
        migrations.CreateModel(
            name="ReplicationRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule_id", models.CharField(max_length=255)),
                ("priority", models.IntegerField(default=0)),
                ("prefix", models.TextField(blank=True)),
                ("tags", models.JSONField(default=dict)),
                ("destination_name", models.CharField(help_text="A bucket of this store.", max_length=63)),
                (
                    "storage_class",
                    models.CharField(blank=True, help_text="Of the replicas; empty is the source's.", max_length=32),
                ),
                ("takes_ownership", models.BooleanField(help_text="Replicas belong to the owner of the destination.")),
                ("replicates_markers", models.BooleanField()),
                ("replicates_kms", models.BooleanField()),
                ("kms_key", models.CharField(blank=True, max_length=2048)),
                ("syncs_replicas", models.BooleanField(help_text="Changes of replicas go back to what they are of.")),
                (
                    "bucket",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replication_rules",
                        to="buckets.bucket",
                    ),
                ),
            ],
            options={
                "ordering": ["bucket", "id"],
                "indexes": [models.Index(fields=["bucket"], name="replication_rules_of_bucket")],
            },
        ),
    ]
