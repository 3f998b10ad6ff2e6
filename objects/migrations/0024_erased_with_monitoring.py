"""Erasing a version erases what is known of its reads."""

from django.db import migrations

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0023_replication_roles_and_annotation_usage"),
    ]

    operations = [
        recreate_functions(),
    ]
