"""Appends and renames lock a quota before keys; no chunk is published into a segment that has moved meanwhile."""

from django.db import migrations

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0019_append_quotas"),
    ]

    operations = [
        recreate_functions(),
    ]
