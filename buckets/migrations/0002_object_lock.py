"""Object lock: whether a bucket's versions can be locked, and the retention that new ones get."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("buckets", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="bucket",
            name="default_retention",
            field=models.JSONField(
                blank=True,
                help_text="S3's DefaultRetention (Mode, and Days or Years), which new versions get.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="bucket",
            name="is_lock_enabled",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whether versions can be locked (object lock). Never taken back.",
            ),
        ),
        migrations.AddConstraint(
            model_name="bucket",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_lock_enabled", False), ("versioning", "Enabled"), _connector="OR"),
                name="locks_need_versioning",
            ),
        ),
        migrations.AddConstraint(
            model_name="bucket",
            constraint=models.CheckConstraint(
                condition=models.Q(("default_retention__isnull", True), ("is_lock_enabled", True), _connector="OR"),
                name="default_retention_needs_locks",
            ),
        ),
    ]
