"""Create the functions in `objects/sql`: what a write does to a key, and the walks of listings."""

import re
from pathlib import Path

from django.db import migrations

SQL_DIR = Path(__file__).resolve().parent.parent / "sql"
SCRIPTS = [(SQL_DIR / name).read_text() for name in ("publish.sql", "walk.sql")]
CREATE_ALL = "\n".join(SCRIPTS)
DROP_ALL = "\n".join(
    f"DROP FUNCTION IF EXISTS {name};" for name in reversed(re.findall(r"CREATE FUNCTION (\w+)", CREATE_ALL))
)


class Migration(migrations.Migration):
    """Reversible: the functions hold no data."""

    dependencies = [
        ("objects", "0001_initial"),
        ("buckets", "0001_initial"),
        ("chunks", "0001_topology_chunks_and_faults"),
    ]

    operations = [migrations.RunSQL(CREATE_ALL, DROP_ALL)]
