"""Create the functions in `objects/sql`: what a write does to a key, and the walks of listings."""

from django.db import migrations

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    """Reversible: the functions hold no data."""

    dependencies = [
        ("objects", "0001_initial"),
        ("buckets", "0001_initial"),
        ("chunks", "0001_topology_chunks_and_faults"),
    ]

    operations = [recreate_functions()]
