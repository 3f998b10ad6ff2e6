"""Encryption of versions and uploads, and the functions that store it."""

from django.db import migrations, models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0004_grants"),
        ("buckets", "0004_encryption"),
    ]

    operations = [
        migrations.AddField(
            model_name="multipartupload",
            name="encryption",
            field=models.JSONField(db_default={}, default=dict, help_text="As the version's; all parts share its key."),
        ),
        migrations.AddField(
            model_name="objectversion",
            name="encryption",
            field=models.JSONField(
                db_default={}, default=dict, help_text="How its chunks are encrypted; {}: not at all."
            ),
        ),
        migrations.AddIndex(
            model_name="objectversion",
            index=models.Index(
                KeyTextTransform("key", "encryption"),
                Cast(KeyTextTransform("key_version", "encryption"), models.IntegerField()),
                condition=models.Q(("encryption", {}), _negated=True),
                name="versions_by_wrapping_key",
            ),
        ),
        recreate_functions(),
    ]
