"""Configurations of which a bucket may have many, by id."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("buckets", "0007_access_log_progress"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="bucketconfiguration",
            name="one_configuration_of_a_kind",
        ),
        migrations.AddField(
            model_name="bucketconfiguration",
            name="name",
            field=models.CharField(
                blank=True,
                db_collation="C",
                db_default="",
                default="",
                help_text="Its id, where it has one.",
                max_length=64,
            ),
        ),
        migrations.AddConstraint(
            model_name="bucketconfiguration",
            constraint=models.UniqueConstraint(fields=("bucket", "kind", "name"), name="one_configuration_of_a_name"),
        ),
    ]
