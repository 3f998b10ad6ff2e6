"""Object lock: retention and legal hold of versions, and the functions that keep them."""

from django.db import migrations, models

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0002_publishing_and_walking_functions"),
        ("buckets", "0002_object_lock"),
    ]

    operations = [
        migrations.AddField(
            model_name="multipartupload",
            name="legal_hold",
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name="multipartupload",
            name="lock_mode",
            field=models.CharField(blank=True, db_default="", max_length=10),
        ),
        migrations.AddField(
            model_name="multipartupload",
            name="retain_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="objectversion",
            name="legal_hold",
            field=models.BooleanField(help_text="Null where it was never set; true protects it for ever.", null=True),
        ),
        migrations.AddField(
            model_name="objectversion",
            name="lock_mode",
            field=models.CharField(blank=True, db_default="", help_text="GOVERNANCE or COMPLIANCE.", max_length=10),
        ),
        migrations.AddField(
            model_name="objectversion",
            name="retain_until",
            field=models.DateTimeField(help_text="Until when lock_mode protects it.", null=True),
        ),
        migrations.AddConstraint(
            model_name="objectversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lock_mode", ""), ("retain_until", None)),
                    models.Q(("lock_mode__in", ["GOVERNANCE", "COMPLIANCE"]), ("retain_until__isnull", False)),
                    _connector="OR",
                ),
                name="retention_has_mode_and_time",
            ),
        ),
        recreate_functions(),
    ]
