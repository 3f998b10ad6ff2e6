"""Reads as of a moment."""

from django.db import migrations

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0010_reports"),
    ]

    operations = [
        recreate_functions(),
    ]
