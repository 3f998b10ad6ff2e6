"""Replication to other stores."""

from django.db import migrations, models

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0016_quotas"),
        ("buckets", "0010_remote_stores"),
    ]

    operations = [
        migrations.AddField(
            model_name="replication",
            name="remote_name",
            field=models.CharField(blank=True, db_default="", help_text="Of another store.", max_length=63),
        ),
        recreate_functions(),
    ]
