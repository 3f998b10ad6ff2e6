"""With whom a bucket is shared: its policy, grants, object ownership and public access block."""

from django.db import migrations, models

import buckets.models


class Migration(migrations.Migration):
    dependencies = [
        ("buckets", "0002_object_lock"),
    ]

    operations = [
        migrations.AddField(
            model_name="bucket",
            name="policy",
            field=models.TextField(blank=True, help_text="The bucket policy, as it was sent.", null=True),
        ),
        migrations.AddField(
            model_name="bucket",
            name="acl",
            field=models.JSONField(blank=True, help_text="Grants, see accesscontrol.acl; null is private.", null=True),
        ),
        migrations.AddField(
            model_name="bucket",
            name="object_ownership",
            field=models.CharField(
                blank=True,
                db_default="",
                default=buckets.models.default_object_ownership,
                help_text="Who owns what others write (object ownership); where it is not set, the writer.",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="bucket",
            name="public_access_block",
            field=models.JSONField(blank=True, help_text="In S3's member names; null is none.", null=True),
        ),
    ]
