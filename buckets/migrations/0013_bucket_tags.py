"""A bucket's tags stand in its row, for decisions that ask for them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("buckets", "0012_replication_roles"),
    ]

    operations = [
        migrations.AddField(
            model_name="bucket",
            name="tags",
            field=models.JSONField(
                blank=True, editable=False, help_text="Of PutBucketTagging; null is none.", null=True
            ),
        ),
        migrations.RunSQL(
            """
            UPDATE buckets_bucket b SET tags = c.document
              FROM buckets_bucketconfiguration c WHERE c.bucket_id = b.id AND c.kind = 'tagging'
            """,
            migrations.RunSQL.noop,
        ),
    ]
