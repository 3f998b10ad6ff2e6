"""What tests of writing and of restoring share: changes of all kinds, and a replay of what the nodes have of them."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from journal.archive import find_records, local_stores
from journal.databases import connect_to_restore
from journal.record_format import RecordName
from journal.replay import Applied
from journal.services.backups import Backup, find_backups
from journal.services.restoring import Restoring
from journal.tables import Connection
from tests.unit.journal.conftest import CONTENTS


def change(database: Connection, chance: random.Random, count: int = 30) -> None:
    """Insert, change, move and delete rows, some of them in transactions that fail."""
    for _ in range(count):
        name = f"name-{chance.randrange(20)}"
        with suppress(psycopg.errors.UniqueViolation), database.transaction():
            what = chance.randrange(7)
            if what <= 2:
                database.execute(
                    "INSERT INTO test_item (name, body, data, tags, raw) VALUES (%s, %s, %s::jsonb, %s, %s)",
                    [
                        name,
                        chance.randbytes(chance.choice([0, 5, 9_000])).hex(),
                        '{"a": [1, null, "\\u00e9"]}',
                        ["a", "b,'c"],
                        b"\0\xff",
                    ],
                )
                database.execute(
                    "INSERT INTO test_child SELECT coalesce(max(c.id), 0) + 1, (SELECT max(id) FROM test_item) FROM test_child c"
                )
            elif what == 3:
                database.execute("UPDATE test_item SET data = NULL, tags = '{}' WHERE name = %s", [name])
            elif what == 4:
                database.execute(
                    "DELETE FROM test_child WHERE item_id IN (SELECT id FROM test_item WHERE name = %s)", [name]
                )
                database.execute("DELETE FROM test_item WHERE name = %s", [name])
            elif what == 5:
                database.execute("UPDATE test_item SET id = id + 100000 WHERE name = %s", [name])
                database.execute("UPDATE test_child SET item_id = NULL WHERE item_id NOT IN (SELECT id FROM test_item)")
            else:
                day = f"2026-0{chance.randrange(1, 4)}-07"
                database.execute(
                    "INSERT INTO test_log SELECT %s, coalesce(max(id), 0) + 1, %s FROM test_log", [day, name]
                )
                database.execute("INSERT INTO test_keyless VALUES (%s, %s)", [name, chance.randrange(1000)])
                database.execute("DELETE FROM test_keyless WHERE b < 300")
                database.execute("UPDATE test_log SET day = '2026-01-09' WHERE line = %s", [name])


def found_records(nodes: Path) -> set[RecordName]:
    return set(find_records(local_stores(nodes)).holders)


def find_backup(nodes: Path) -> tuple[Any, Any, Backup]:
    stores = local_stores(nodes)
    found = find_records(stores, is_thorough=True)
    return stores, found, find_backups(stores, found)[0]


def replay_into(database: Connection, nodes: Path) -> tuple[Applied, str]:
    """Empty the tables and fill them from the nodes, as a restore does after migrating."""
    stores, found, backup = find_backup(nodes)
    with connect_to_restore() as connection:
        restoring = Restoring(connection, stores, found, backup, lambda _: None)
        connection.execute("SET session_replication_role = replica")
        connection.execute("BEGIN")
        connection.execute("TRUNCATE test_item, test_child, test_log, test_keyless")
        tables = backup.manifest["tables"]
        for part in backup.parts:
            record = restoring._read(part)
            for content in record.contents():
                table = tables[int.from_bytes(content[:2], "little")]
                if table["name"] in CONTENTS:
                    with (
                        connection.cursor() as cursor,
                        cursor.copy(f"COPY {table['name']} ({', '.join(table['columns'])}) FROM STDIN") as copy,
                    ):
                        copy.write(content[2:])
        connection.execute("COMMIT")
        return restoring.replay(None)
