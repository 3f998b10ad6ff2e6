"""Functions that keep quotas."""

from django.db import migrations

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0015_condemned_chunks"),
        ("limits", "0001_limits"),
    ]

    operations = [
        recreate_functions(),
    ]
