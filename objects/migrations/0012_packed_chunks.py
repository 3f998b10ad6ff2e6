"""Publishing functions that say where in a segment a chunk lies."""

from django.db import migrations

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0011_as_of"),
        ("chunks", "0008_segments"),
    ]

    operations = [recreate_functions()]
