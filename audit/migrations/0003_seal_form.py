"""How the rows of a run were put into text before they were digested."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_first_partitions"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditseal",
            name="form",
            field=models.SmallIntegerField(
                db_default=1, help_text="How rows were put into text: `audit.services.sealing`."
            ),
        ),
    ]
