"""Copies take the rows of chunks in the collector's order, and say so when these are gone."""

from django.db import migrations

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0020_quota_lock_order"),
    ]

    operations = [
        recreate_functions(),
    ]
