"""The partitions of today and the days ahead, so that the first rows lie where they belong."""

from datetime import UTC, datetime

from django.db import migrations


def make_first_partitions(_apps: object, _schema_editor: object) -> None:
    from audit.services.partitions import make_partitions

    make_partitions(today=datetime.now(UTC).date())


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_audit_log")]

    operations = [migrations.RunPython(make_first_partitions, migrations.RunPython.noop)]
