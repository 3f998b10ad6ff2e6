"""When versions in INTELLIGENT_TIERING were read, and where they are since."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0021_copies_hold_chunks"),
    ]

    operations = [
        migrations.CreateModel(
            name="Monitoring",
            fields=[
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="monitoring",
                        serialize=False,
                        to="objects.objectversion",
                    ),
                ),
                ("accessed_at", models.DateTimeField()),
                (
                    "tier",
                    models.SmallIntegerField(
                        choices=[(0, "Access"), (1, "Archive Access"), (2, "Deep Archive Access")],
                        db_default=0,
                        default=0,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="objectversion",
            index=models.Index(
                condition=models.Q(("storage_class", "INTELLIGENT_TIERING")),
                fields=["bucket_id", "id"],
                name="versions_monitored",
            ),
        ),
    ]
