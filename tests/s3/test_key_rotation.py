"""The master key of a running system is rotated while it serves; afterwards the new one alone opens everything."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from botocore.exceptions import BotoCoreError
from django.apps import apps
from django.test import override_settings
from psycopg import sql

from objstore_project.resealing import SEALED_COLUMNS
from sealing import SecretUnreadable, unseal_bytes
from tests.live.manage import run_manage
from tests.live.processes import wait_until
from tests.live.system import LiveSystem, launch
from tests.s3.iam import Keys, allow, make_user, refusal

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.environ.get("OBJSTORE_TEST_SCALE") != "full", reason="needs OBJSTORE_TEST_SCALE=full"),
]
# What the test gives a secret to; the other columns are tried by tests/unit/objstore_project/test_resealing.py.
KEPT = {"accesscontrol.AccessKey", "buckets.RemoteStore", "events.EventTarget", "keymanagement.KeyVersion"}


def rotate(system: LiveSystem, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Take a step of the rotation, in a process of its own, which knows the keys of the moment."""
    return run_manage(system.environment, "rotate_secret_key", *arguments)


def restart(system: LiveSystem) -> None:
    """Stop the system, and start it again in its directory."""
    if system.commands is not None:
        system.commands.stop()
        system.commands = None
    system.process.send_signal(signal.SIGTERM)
    assert system.process.wait(timeout=60) == 0, system.log
    system.log_path.write_text("")
    system.process = launch(system.environment, system.log_path)
    system.wait_until_ready()


def openers(system: LiveSystem, keys: dict[str, str]) -> dict[str, set[str]]:
    """Return, for each model that holds sealed secrets, the names of the master keys that open any."""
    found: dict[str, set[str]] = {}
    with psycopg.connect(host=str(system.runtime_dir), dbname="objstore", user="objstore") as database:
        for label, column, purpose in SEALED_COLUMNS:
            table = apps.get_model(label)._meta.db_table
            query = sql.SQL("SELECT {} FROM {}").format(sql.Identifier(column), sql.Identifier(table))
            for (sealed,) in database.execute(query):
                if sealed:
                    who = {name for name, key in keys.items() if opens(key, sealed, purpose)}
                    found.setdefault(label, set()).update(who)
    return found


def opens(key: str, sealed: bytes, purpose: bytes) -> bool:
    """Tell whether a master key alone opens a secret."""
    with override_settings(SECRET_KEY=key, SECRET_KEY_FALLBACKS=[]), suppress(SecretUnreadable):
        unseal_bytes(bytes(sealed), purpose=purpose)
        return True
    return False


def snapshot_at(system: LiveSystem) -> datetime:
    """Return when the journal took its newest snapshot."""
    with psycopg.connect(host=str(system.runtime_dir), dbname="objstore", user="objstore") as database:
        (at,) = database.execute("SELECT snapshot_at FROM journal_journalstate").fetchone() or (None,)
    return at or datetime.min.replace(tzinfo=UTC)


@contextmanager
def requests_under_way(clients: list[Any], body: bytes) -> Iterator[list[str]]:
    """Read the encrypted object again and again; yield what went wrong (not: connections that a restart cut)."""
    failures: list[str] = []
    answers = [0]
    is_over = threading.Event()

    def read(client: Any) -> None:
        while not is_over.wait(0.02):
            try:
                if client.get_object(Bucket="kept", Key="k")["Body"].read() != body:
                    failures.append("other bytes")
                answers[0] += 1
            except BotoCoreError:
                continue  # nobody listens
            except Exception as error:  # noqa: BLE001  what S3 answered
                failures.append(str(error))

    threads = [threading.Thread(target=read, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield failures
        wait_for = answers[0] + 20
        wait_until(lambda: answers[0] >= wait_for or bool(failures), "requests are answered at the end, too")
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LiveSystem]:
    started = LiveSystem.start(tmp_path / "var")
    yield started
    if started.process.poll() is None:  # the test has failed before it stopped it
        started.stop()


def test_a_running_system_survives_and_nothing_of_the_old_key_stays(system: LiveSystem) -> None:
    key_path, body = system.data_dir / "secret-key", os.urandom(100_000)
    old = key_path.read_text().strip()
    root, iam = system.client(), system.client("iam")
    system.manage("create_kms_key", "tenants")
    system.manage("add_event_target", "queue", "--type", "webhook", "--url", "https://example.org/", "--token", "t")
    system.manage("add_remote_store", "far", "--url", "https://example.org", "--access-key", "a", "--secret-key", "s")
    root.create_bucket(Bucket="kept")
    root.put_object(Bucket="kept", Key="k", Body=body, ServerSideEncryption="aws:kms", SSEKMSKeyId="tenants")
    root.put_object(Bucket="kept", Key="s3", Body=body, ServerSideEncryption="AES256")
    user = make_user(iam, allow("s3:*", "sts:AssumeRole")).keys
    session = Keys.of(user.client(system, "sts").get_session_token())
    clients = [root, user.client(system), session.client(system)]

    with requests_under_way(clients, body) as failures:
        assert rotate(system, "--begin").returncode == 0
        again = rotate(system, "--begin")
        assert (again.returncode != 0, "a rotation is under way" in again.stderr) == (True, True)
        restart(system)
        new = key_path.read_text().strip()
        assert openers(system, {"old": old}) == {label: {"old"} for label in KEPT}
        later = make_user(iam, allow("s3:*")).keys
        assert rotate(system).returncode == 0
        found = openers(system, {"old": old, "new": new})
        assert {label: who for label, who in found.items() if who != {"new"}} == {}
        assert found.keys() >= KEPT
    assert failures == []

    with requests_under_way([root, user.client(system), later.client(system)], body) as failures:
        finishing_at = snapshot_at(system)
        assert "forgotten" in rotate(system, "--finish").stdout
        restart(system)
    assert failures == []
    assert not (system.data_dir / "secret-key.previous").exists()
    assert root.get_object(Bucket="kept", Key="s3")["Body"].read() == body
    assert refusal(lambda: session.client(system).list_buckets()) == "InvalidToken"
    wait_until(lambda: snapshot_at(system) > finishing_at, "the journal has let go of what the old key sealed")
    system.stop()
