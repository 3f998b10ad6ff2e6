"""Storage classes that compress and choose nodes by label, and chunks that remember what they hold."""

import django.contrib.postgres.fields
from django.db import migrations, models

import chunks.class_rules


class Migration(migrations.Migration):
    dependencies = [
        ("chunks", "0008_segments"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="storageclass",
            name="chunk_size_is_positive",
        ),
        migrations.AddField(
            model_name="chunk",
            name="plain_bytes",
            field=models.IntegerField(
                help_text="How large it is uncompressed; empty: it is not compressed.", null=True
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="labels",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(),
                blank=True,
                db_default=[],
                default=list,
                help_text="What it is fit for, in words of your own: hot, cold, archive. A storage class may ask for one.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="storageclass",
            name="compression_level",
            field=models.SmallIntegerField(
                blank=True, help_text="Of zstd, 1 to 19; empty: chunks are kept as they are.", null=True
            ),
        ),
        migrations.AddField(
            model_name="storageclass",
            name="node_label",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="Only nodes with this label take its fragments; empty: all do.",
            ),
        ),
        migrations.AlterField(
            model_name="storageclass",
            name="chunk_size_bytes",
            field=models.IntegerField(db_default=8388608, default=8388608),
        ),
        migrations.AlterField(
            model_name="storageclass",
            name="large_from_bytes",
            field=models.IntegerField(
                db_default=131072, default=131072, help_text="Chunks of at least this size use the large scheme."
            ),
        ),
        migrations.AlterField(
            model_name="storageclass",
            name="large_scheme",
            field=models.TextField(
                db_default="automatic", default="automatic", validators=[chunks.class_rules.validate_scheme]
            ),
        ),
        migrations.AlterField(
            model_name="storageclass",
            name="name",
            field=models.TextField(unique=True, validators=[chunks.class_rules.validate_class_name]),
        ),
        migrations.AlterField(
            model_name="storageclass",
            name="small_scheme",
            field=models.TextField(
                db_default="automatic",
                default="automatic",
                help_text="replicate-N, rs-K+M, or automatic: by the nodes.",
                validators=[chunks.class_rules.validate_scheme],
            ),
        ),
        migrations.AddConstraint(
            model_name="storageclass",
            constraint=models.CheckConstraint(
                condition=models.Q(("chunk_size_bytes__gte", 65536), ("chunk_size_bytes__lte", 134217728)),
                name="chunk_size_is_useful",
            ),
        ),
        migrations.AddConstraint(
            model_name="storageclass",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("compression_level__gte", 1), ("compression_level__lte", 19)),
                    ("compression_level__isnull", True),
                    _connector="OR",
                ),
                name="compression_level_is_known",
            ),
        ),
    ]
