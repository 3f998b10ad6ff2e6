"""Replication acts as the role of its configuration; other stores are open to all accounts only where that is said."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("buckets", "0011_remote_store_accounts"),
    ]

    operations = [
        migrations.AddField(
            model_name="remotestore",
            name="is_shared",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whether the buckets of every account may be replicated there.",
            ),
        ),
        migrations.AddField(
            model_name="replicationrule",
            name="role_arn",
            field=models.CharField(db_default="", default="", help_text="As whom it is replicated.", max_length=2048),
        ),
        migrations.AlterField(
            model_name="remotestore",
            name="account_id",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The account whose buckets may be replicated there.",
                max_length=12,
            ),
        ),
        migrations.RunSQL(
            "UPDATE buckets_remotestore SET is_shared = true WHERE account_id = ''", migrations.RunSQL.noop
        ),
        migrations.RunSQL(
            """
            UPDATE buckets_replicationrule r SET role_arn = c.document->>'Role'
              FROM buckets_bucketconfiguration c
             WHERE c.bucket_id = r.bucket_id AND c.kind = 'replication'
            """,
            migrations.RunSQL.noop,
        ),
    ]
