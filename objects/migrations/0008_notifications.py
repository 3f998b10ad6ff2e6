"""Functions that note events for the targets of a bucket's notification configuration."""

from django.db import migrations

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0007_storage_classes"),
        ("buckets", "0006_notifications"),
        ("events", "0001_notifications"),
    ]

    operations = [
        recreate_functions(),
    ]
