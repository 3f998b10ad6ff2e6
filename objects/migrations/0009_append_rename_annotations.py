"""Appends in place, renames, annotations."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0008_notifications"),
    ]

    operations = [
        migrations.CreateModel(
            name="RenameToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bucket_id", models.BigIntegerField()),
                ("token", models.CharField(max_length=64)),
                ("parameters", models.CharField(help_text="A digest of what the rename was.", max_length=64)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="rename_tokens_by_age")],
                "constraints": [models.UniqueConstraint(fields=("bucket_id", "token"), name="one_rename_per_token")],
            },
        ),
        migrations.CreateModel(
            name="Annotation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField(db_collation="C")),
                ("size_bytes", models.IntegerField()),
                ("etag", models.CharField(max_length=64)),
                ("checksum_algorithm", models.CharField(max_length=16)),
                ("checksum", models.CharField(max_length=128)),
                ("is_sealed", models.BooleanField(help_text="The payload is encrypted by the version's data key.")),
                ("payload", models.BinaryField()),
                ("modified_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="annotations",
                        to="objects.objectversion",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("version", "name"), name="one_annotation_per_name")],
            },
        ),
        migrations.CreateModel(
            name="ShorterState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("size_bytes", models.BigIntegerField()),
                ("etag", models.CharField(max_length=64)),
                ("checksum_algorithm", models.CharField(blank=True, max_length=16)),
                ("checksum_type", models.CharField(blank=True, max_length=16)),
                ("checksum", models.CharField(blank=True, max_length=128)),
                ("part_count", models.IntegerField(null=True)),
                ("parts", models.JSONField(null=True)),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="objects.objectversion"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["version", "ended_at"], name="shorter_states_by_end"),
                    models.Index(fields=["ended_at"], name="shorter_states_by_age"),
                ],
            },
        ),
        recreate_functions(),
    ]
