"""Other stores that buckets are replicated to."""

import django.core.validators
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("buckets", "0009_replication"),
    ]

    operations = [
        migrations.CreateModel(
            name="RemoteStore",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        max_length=63,
                        unique=True,
                        validators=[django.core.validators.RegexValidator("\\A[A-Za-z0-9][A-Za-z0-9_-]{0,62}\\Z")],
                    ),
                ),
                ("url", models.CharField(help_text="http(s)://host:port of its S3.", max_length=1024)),
                ("region", models.CharField(default="us-east-1", max_length=32)),
                ("access_key_id", models.CharField(max_length=128)),
                ("sealed_secret_key", models.BinaryField(help_text="Sealed by accesscontrol.secrets; never shown.")),
                ("is_active", models.BooleanField(default=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="replicationrule",
            name="remote_name",
            field=models.CharField(
                blank=True, db_default="", help_text="The store of that bucket; empty is this one.", max_length=63
            ),
        ),
        migrations.AlterField(
            model_name="replicationrule",
            name="destination_name",
            field=models.CharField(max_length=63),
        ),
    ]
