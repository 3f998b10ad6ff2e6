"""A capacity is of a storage: a local disk is asked."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chunks", "0010_condemned"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="node",
            constraint=models.CheckConstraint(
                condition=models.Q(capacity_bytes=None)
                | (~models.Q(store_kind="local_disk") & models.Q(capacity_bytes__gt=0)),
                name="capacity_is_of_a_storage",
                violation_error_message="A capacity is more than 0 bytes, and a local disk says itself how much it holds.",
            ),
        ),
    ]
