"""A publishing function that refuses chunks whose bytes were swept."""

from django.db import migrations

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0014_replication"),
        ("chunks", "0010_condemned"),
    ]

    operations = [recreate_functions()]
