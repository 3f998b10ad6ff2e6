"""Whether buckets have lifecycle rules, and whether requesters pay: what every request needs to know of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("buckets", "0004_encryption"),
    ]

    operations = [
        migrations.AddField(
            model_name="bucket",
            name="has_lifecycle_rules",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Whether its configurations hold lifecycle rules."
            ),
        ),
        migrations.AddField(
            model_name="bucket",
            name="is_requester_pays",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Whether others must agree to be charged for their requests."
            ),
        ),
    ]
