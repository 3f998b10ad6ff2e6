"""Buckets have the public access block of their account at hand: a request reads no further row for it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accesscontrol", "0003_account_public_access_block"),
        ("buckets", "0014_abac"),
    ]

    operations = [
        migrations.AddField(
            model_name="bucket",
            name="account_public_access_block",
            field=models.JSONField(
                blank=True,
                editable=False,
                help_text="That of its account, kept by whoever changes it there.",
                null=True,
            ),
        ),
        migrations.RunSQL(
            """
            UPDATE buckets_bucket b SET account_public_access_block = a.public_access_block
              FROM accesscontrol_account a WHERE a.id = b.owner_id AND a.public_access_block IS NOT NULL
            """,
            migrations.RunSQL.noop,
        ),
    ]
