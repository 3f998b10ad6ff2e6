"""Appending to a version, or renaming it, makes one that is no replica, whatever the first one was."""

from django.db import migrations

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0017_remote_stores"),
    ]

    operations = [
        recreate_functions(),
    ]
