"""Up to where the lifecycle rules of each bucket have been carried out."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0005_encryption"),
    ]

    operations = [
        migrations.CreateModel(
            name="LifecycleRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bucket_id", models.BigIntegerField(unique=True)),
                ("day_started_at", models.DateTimeField()),
                (
                    "configured_at",
                    models.DateTimeField(help_text="When the rules were stored that have been carried out."),
                ),
            ],
        ),
    ]
