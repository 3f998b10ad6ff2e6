"""What waits to be replicated says as which role it is carried; annotations count in quotas."""

from django.db import migrations, models

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("buckets", "0012_replication_roles"),
        ("objects", "0022_intelligent_tiering"),
    ]

    operations = [
        migrations.AddField(
            model_name="replication",
            name="role_arn",
            field=models.CharField(db_default="", default="", help_text="As whom it is carried.", max_length=2048),
        ),
        migrations.RunSQL(
            """
            UPDATE objects_replication q SET role_arn = r.role_arn
              FROM buckets_replicationrule r WHERE r.bucket_id = q.bucket_id AND r.rule_id = q.rule_id
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            model_name="bucketusage",
            name="annotation_bytes",
            field=models.BigIntegerField(db_default=0, help_text="Bytes of annotations of visible versions."),
        ),
        migrations.RunSQL(
            """
            INSERT INTO objects_bucketusage AS u (bucket_id, slot, annotation_bytes)
            SELECT v.bucket_id, 0, sum(a.size_bytes)
              FROM objects_annotation a JOIN objects_objectversion v ON v.id = a.version_id
             WHERE v.deleted_at IS NULL GROUP BY v.bucket_id
            ON CONFLICT (bucket_id, slot) DO UPDATE SET annotation_bytes = excluded.annotation_bytes
            """,
            migrations.RunSQL.noop,
        ),
        recreate_functions(),
    ]
