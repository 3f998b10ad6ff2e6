"""A PostgreSQL of somebody else's, where this system has a database and no other right. Run at OBJSTORE_TEST_SCALE=full."""

from __future__ import annotations

import os
import random
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from objstore_project.supervisor.postgresql import postgresql_program, prepare_cluster
from objstore_project.supervisor.program import spawn
from objstore_project.supervisor.runtime_directory import ensure_runtime_directory
from objstore_project.supervisor.server_user import choose_server_user
from tests.live.manage import clean_environment, run_manage
from tests.live.processes import wait_until
from tests.live.system import LiveSystem, free_ports

pytestmark = [
    pytest.mark.live,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.environ.get("OBJSTORE_TEST_SCALE") != "full", reason="needs OBJSTORE_TEST_SCALE=full"),
]


class Server:
    """The server, of which a superuser knows the socket and everybody the port."""

    def __init__(self, directory: Path) -> None:
        self.runtime = directory / "run"
        (self.port,) = free_ports(1)
        user = choose_server_user(directory / "postgresql")
        ensure_runtime_directory(self.runtime, owner_id=user.user_id, group_id=user.group_id)
        cluster = prepare_cluster(directory / "postgresql", self.runtime, user, is_durable=False)
        with (directory / "postgresql" / "pg_hba.conf").open("a") as admission:
            admission.write("host all all 127.0.0.1/32 trust\n")
        program = postgresql_program(cluster, connections_max=100, is_durable=False)
        arguments = (*program.arguments, "-c", "listen_addresses=127.0.0.1", "-c", f"port={self.port}")
        log = os.open(directory / "postgresql.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.process_id = spawn(replace(program, arguments=arguments), log)
        os.close(log)
        wait_until(self.is_there, "PostgreSQL answers", seconds=60)

    def is_there(self) -> bool:
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def run(self, *statements: str) -> None:
        """Do something as the superuser."""
        with psycopg.connect(
            host=str(self.runtime), port=self.port, dbname="postgres", user="objstore", autocommit=True
        ) as connection:
            for statement in statements:
                connection.execute(statement)

    def ask(self, statement: str) -> Any:
        """Ask the database as its owner."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(statement).fetchone()
            return None if row is None else row[0]

    @property
    def url(self) -> str:
        return f"postgresql://tenant@127.0.0.1:{self.port}/objstore"

    def stop(self) -> None:
        os.kill(self.process_id, signal.SIGQUIT)
        os.waitpid(self.process_id, 0)


@pytest.fixture
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="objstore-outside-") as directory:
        Path(directory).chmod(0o755)
        started = Server(Path(directory))
        started.run("CREATE ROLE tenant LOGIN", "CREATE DATABASE objstore OWNER tenant TEMPLATE template0")
        yield started
        started.stop()


def test_a_role_that_owns_its_database_and_nothing_else_will_do(server: Server, tmp_path: Path) -> None:
    variables = {"DATABASE_URL": server.url, "OBJSTORE_JOURNAL_SNAPSHOT_SECONDS": "2"}
    environment = clean_environment(tmp_path / "var", {**variables, "OBJSTORE_JOURNAL": "required"})
    refused = run_manage(environment, "up")
    assert refused.returncode != 0
    assert "the role tenant has no right to replicate (ALTER ROLE tenant REPLICATION)" in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr

    bodies = {f"k{number}": random.Random(number).randbytes(number * 30_000) for number in range(12)}
    system = LiveSystem.start(tmp_path / "var", **variables)
    system.client().create_bucket(Bucket="tenants")
    for key, body in bodies.items():
        system.client().put_object(Bucket="tenants", Key=key, Body=body, Metadata={"key": key})
    written_at = server.ask("SELECT clock_timestamp()")
    wait_until(
        lambda: server.ask("SELECT snapshot_at FROM journal_journalstate") > written_at, "a snapshot holds all of it"
    )
    assert system.log.count("not every commit can be journaled: the role tenant has no right to replicate") == 1
    system.manage("fsck", "--deep")
    system.stop()

    server.run("DROP DATABASE objstore WITH (FORCE)", "CREATE DATABASE objstore OWNER tenant TEMPLATE template0")
    restored = run_manage(system.environment, "restore_metadata")
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "no problems" in restored.stdout

    revived = LiveSystem.start(tmp_path / "var", **variables)
    for key, body in bodies.items():
        found = revived.client().get_object(Bucket="tenants", Key=key)
        assert (found["Body"].read(), found["Metadata"]) == (body, {"key": key})
    server.run("ALTER ROLE tenant REPLICATION")
    wait_until(
        lambda: server.ask("SELECT mode = 'streaming' AND snapshot_lsn IS NOT NULL FROM journal_journalstate"),
        "every commit is journaled from then on",
        seconds=120,
    )
    revived.client().put_object(Bucket="tenants", Key="late", Body=b"late")
    wait_until(
        lambda: server.ask("SELECT last_commit_at FROM journal_journalstate") is not None,
        "it is on the nodes",
        seconds=60,
    )
    revived.manage("fsck", "--deep")
    revived.stop()
    server.run("DROP DATABASE objstore WITH (FORCE)", "CREATE DATABASE objstore OWNER tenant TEMPLATE template0")
    restored = run_manage(system.environment, "restore_metadata")
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert server.ask("SELECT count(*) FROM objects_object WHERE key = 'late'") == 1
