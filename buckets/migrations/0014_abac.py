"""Policies may ask for a bucket's tags where it says so, and no longer everywhere.

So that no policy loses what it asks for, the buckets with tags say so from the start, and where a policy of the store
asks for tags, all that are there (decision 21).
"""

from django.db import migrations, models

# Without the slash that follows: JSON may spell it in two ways.
_ASKS = "~* 'buckettag|resourcetag'"


class Migration(migrations.Migration):
    dependencies = [
        ("accesscontrol", "0002_identities"),
        ("buckets", "0013_bucket_tags"),
    ]

    operations = [
        migrations.AddField(
            model_name="bucket",
            name="is_abac_enabled",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Whether policies may ask for its tags (ABAC)."
            ),
        ),
        migrations.AlterField(
            model_name="bucket",
            name="tags",
            field=models.JSONField(
                blank=True, editable=False, help_text="Its own, not its objects'; null is none.", null=True
            ),
        ),
        migrations.RunSQL(
            f"""
            UPDATE buckets_bucket SET is_abac_enabled = true
             WHERE jsonb_typeof(tags) = 'object' AND tags <> '{{}}'
                OR EXISTS (SELECT 1 FROM buckets_bucket b WHERE b.policy {_ASKS})
                OR EXISTS (SELECT 1 FROM accesscontrol_inlinepolicy p WHERE p.document {_ASKS})
                OR EXISTS (SELECT 1 FROM accesscontrol_policyversion v WHERE v.document {_ASKS})
            """,  # noqa: S608  constants
            migrations.RunSQL.noop,
        ),
    ]
