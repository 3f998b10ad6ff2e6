"""Segments, which hold small chunks one after the other."""

import uuid

import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chunks", "0007_node_options"),
    ]

    operations = [
        migrations.CreateModel(
            name="Segment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("storage_class", models.TextField()),
                ("scheme", models.TextField()),
                (
                    "node_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), size=None),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("sealed_at", models.DateTimeField(help_text="Since then nobody appends to it.", null=True)),
                (
                    "size_bytes",
                    models.BigIntegerField(help_text="Of one copy; known once it is sealed or counted.", null=True),
                ),
                (
                    "live_bytes",
                    models.BigIntegerField(
                        help_text="Of the fragments in one copy whose chunks were there when it was last counted.",
                        null=True,
                    ),
                ),
                ("counted_at", models.DateTimeField(help_text="Null also when chunks in it went since.", null=True)),
                ("emptied_at", models.DateTimeField(help_text="When no chunk was found in it any more.", null=True)),
            ],
        ),
        migrations.AddField(
            model_name="chunk",
            name="segment_id",
            field=models.UUIDField(help_text="The segment that it lies in; null: in files of its own.", null=True),
        ),
        migrations.AddField(
            model_name="chunk",
            name="segment_offset",
            field=models.IntegerField(help_text="Where in the segment its fragment begins, in bytes.", null=True),
        ),
        migrations.AddIndex(
            model_name="chunk",
            index=models.Index(
                condition=models.Q(("segment_id", None), _negated=True), fields=["segment_id"], name="chunk_by_segment"
            ),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("segment_id", None), ("segment_offset", None)),
                    models.Q(("segment_id__isnull", False), ("segment_offset__gte", 0)),
                    _connector="OR",
                ),
                name="packed_chunk_has_offset",
            ),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.CheckConstraint(condition=models.Q(("node_ids__len__gt", 0)), name="segment_has_nodes"),
        ),
    ]
