"""Targets of events belong to an account, or are open to all, as those that were there have been."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0001_notifications"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="eventtarget",
            name="one_event_bus",
        ),
        migrations.AddField(
            model_name="eventtarget",
            name="account_id",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="The account whose buckets may use it.", max_length=12
            ),
        ),
        migrations.AddField(
            model_name="eventtarget",
            name="is_shared",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Whether the buckets of every account may use it."
            ),
        ),
        migrations.RunSQL("UPDATE events_eventtarget SET is_shared = true", migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="eventtarget",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_event_bus", True)), fields=("account_id",), name="one_event_bus"
            ),
        ),
    ]
