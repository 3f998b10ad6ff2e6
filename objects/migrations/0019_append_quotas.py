"""What grows in place is held to quotas, too; one that does not fit as a new version leaves nothing behind."""

from django.db import migrations

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0018_appended_replicas"),
    ]

    operations = [
        recreate_functions(),
    ]
