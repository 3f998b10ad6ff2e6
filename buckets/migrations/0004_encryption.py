"""The default encryption of a bucket."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("buckets", "0003_bucket_sharing"),
    ]

    operations = [
        migrations.AddField(
            model_name="bucket",
            name="encryption",
            field=models.JSONField(
                blank=True,
                editable=False,
                help_text="The rule of PutBucketEncryption, in S3's member names.",
                null=True,
            ),
        ),
    ]
