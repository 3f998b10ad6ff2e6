"""Publishing functions that say how large a compressed chunk is uncompressed."""

from django.db import migrations

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0012_packed_chunks"),
        ("chunks", "0009_class_compression_and_labels"),
    ]

    operations = [recreate_functions()]
