"""Restores of archived versions, and the functions that move versions between storage classes."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0006_lifecycle_runs"),
    ]

    operations = [
        migrations.CreateModel(
            name="Restore",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("days", models.IntegerField()),
                ("tier", models.SmallIntegerField(choices=[(0, "Expedited"), (1, "Standard"), (2, "Bulk")])),
                ("requested_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("restored_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="restore", to="objects.objectversion"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("restored_at", None)),
                        fields=["tier", "requested_at"],
                        name="restores_pending",
                    ),
                    models.Index(
                        condition=models.Q(("expires_at", None), _negated=True),
                        fields=["expires_at"],
                        name="restores_by_end",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("expires_at", None), ("restored_at", None)),
                            models.Q(("expires_at__isnull", False), ("restored_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="restored_until_a_time",
                    )
                ],
            },
        ),
        recreate_functions(),
    ]
