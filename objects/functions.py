"""The database functions of `objects/sql`, made anew by every migration that changes them or the tables they serve.

The scripts are the single source: they always hold what belongs to the newest tables. A migration therefore creates
functions whose columns a later migration adds; their bodies are not checked until they are called.
"""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SCRIPTS = (
    "quota.sql",
    "publish.sql",
    "walk.sql",
    "move.sql",
    "append.sql",
    "annotations.sql",
    "rename.sql",
    "as_of.sql",
)

_SQL_DIR = Path(__file__).resolve().parent / "sql"

# Whatever their parameters were: an older version of a function must not stay beside the new one as an overload.
_DROP_ALL = r"""
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid::regprocedure FROM pg_proc p
         WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'objects\_%'
    LOOP
        EXECUTE 'DROP FUNCTION ' || v_function || ' CASCADE';
    END LOOP;
END $$;
"""


def recreate_functions() -> migrations.RunSQL:
    """Return the operation that puts the scripts into force, to stand last in a migration.

    Undone, the functions are gone: they hold no data, and migrating forward again makes them.
    """
    scripts = "\n".join((_SQL_DIR / name).read_text() for name in SCRIPTS)
    return migrations.RunSQL(f"SET LOCAL check_function_bodies = off;\n{_DROP_ALL}\n{scripts}", _DROP_ALL)
