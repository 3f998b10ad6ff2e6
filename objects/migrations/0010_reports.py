"""Reports of buckets: when they were delivered, figures of requests and storage, storage class analyses."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0009_append_rename_annotations"),
    ]

    operations = [
        migrations.CreateModel(
            name="MetricsProgress",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("rolled_id", models.BigIntegerField(db_default=0, default=0)),
            ],
        ),
        migrations.CreateModel(
            name="AnalysisDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bucket_id", models.BigIntegerField()),
                ("name", models.CharField(help_text="The id of the configuration.", max_length=64)),
                ("day", models.DateField()),
                ("storage_class", models.CharField(max_length=32)),
                ("age_group", models.CharField(max_length=8)),
                ("object_count", models.BigIntegerField()),
                ("size_bytes", models.BigIntegerField()),
                ("uploaded_bytes", models.BigIntegerField()),
                ("retrieved_bytes", models.BigIntegerField()),
                ("get_requests", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("bucket_id", "name", "day", "storage_class", "age_group"), name="one_analysis_per_day"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BucketMetric",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bucket_id", models.BigIntegerField()),
                ("name", models.CharField(help_text="The id of the configuration.", max_length=64)),
                ("hour", models.DateTimeField()),
                ("all_requests", models.BigIntegerField(db_default=0)),
                ("get_requests", models.BigIntegerField(db_default=0)),
                ("put_requests", models.BigIntegerField(db_default=0)),
                ("delete_requests", models.BigIntegerField(db_default=0)),
                ("head_requests", models.BigIntegerField(db_default=0)),
                ("post_requests", models.BigIntegerField(db_default=0)),
                ("list_requests", models.BigIntegerField(db_default=0)),
                ("bytes_downloaded", models.BigIntegerField(db_default=0)),
                ("bytes_uploaded", models.BigIntegerField(db_default=0)),
                ("errors_4xx", models.BigIntegerField(db_default=0)),
                ("errors_5xx", models.BigIntegerField(db_default=0)),
                ("latency_us", models.BigIntegerField(db_default=0, help_text="Of all requests together.")),
                ("object_count", models.BigIntegerField(help_text="Where it was measured in that hour.", null=True)),
                ("size_bytes", models.BigIntegerField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("bucket_id", "name", "hour"), name="one_metric_per_hour")
                ],
            },
        ),
        migrations.CreateModel(
            name="ReportRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bucket_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=64)),
                ("name", models.CharField(help_text="The id of the configuration.", max_length=64)),
                ("day_started_at", models.DateTimeField()),
                (
                    "configured_at",
                    models.DateTimeField(help_text="When the configuration was stored that has been carried out."),
                ),
                ("last_error", models.TextField(blank=True, db_default="", help_text="Why it could not be delivered.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("bucket_id", "kind", "name"), name="one_run_per_report")
                ],
            },
        ),
    ]
