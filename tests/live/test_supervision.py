"""A system in a directory with spaces in its name, whose processes are killed one after the other, and then it itself."""

from __future__ import annotations

import http.client
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.live.manage import run_manage
from tests.live.processes import is_running, wait_until
from tests.live.system import LiveSystem, launch

# How many processes each consists of, not counting PostgreSQL's own children, which lead sessions of their own.
EXPECTED_FAMILY = {
    "gateway": 3,
    "console": 2,
    "worker": 2,
    "beat": 1,
    "journal": 1,
    "valkey": 1,
    "postgresql": 1,
}
CHILDREN = tuple(EXPECTED_FAMILY)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    started = LiveSystem.start(tmp_path_factory.mktemp("a path") / "with several  spaces" / "var", is_from_scratch=True)
    yield started
    started.process.kill()
    started.process.wait()


@pytest.mark.parametrize("name", CHILDREN)
def test_a_killed_process_comes_back_by_itself(system: LiveSystem, name: str) -> None:
    before = system.process_ids
    family = [process for process in system.processes() if os.getpgid(process.process_id) == before[name]]
    os.kill(before[name], signal.SIGKILL)
    wait_until(
        lambda: system.process_ids.get(name, before[name]) != before[name] and system.is_ready(),
        f"{name} runs again and the system is ready",
    )
    assert len(family) >= EXPECTED_FAMILY[name]
    assert not [process for process in family if is_running(process)]
    # The scheduler may end where the database does; nothing else takes part in another's death.
    untouched = {"gateway", "console", "worker", "journal", "valkey", "postgresql"} - {name}
    after = system.process_ids
    assert {other: after.get(other) for other in untouched} == {other: before[other] for other in untouched}, (
        system.log[-8_000:]
    )
    wait_until(lambda: set(CHILDREN) <= set(system.process_ids), "everything runs")
    assert f"{name} was ended by SIGKILL; starting again" in system.log


def test_requests_succeed_at_once_after_the_database_came_back(system: LiveSystem) -> None:
    before = system.process_ids["postgresql"]
    os.kill(before, signal.SIGKILL)
    wait_until(
        lambda: (
            system.process_ids.get("postgresql", before) != before
            and run_manage(system.environment, "migrate", "--check").returncode == 0
        ),
        "the database answers a command",
    )
    assert all(system.is_ready() for _ in range(40))


def test_a_killed_worker_of_the_gateway_comes_back(system: LiveSystem) -> None:
    gateway = system.process_ids["gateway"]
    members = (process.process_id for process in system.processes())
    workers = [process_id for process_id in members if os.getpgid(process_id) == gateway != process_id]
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    wait_until(lambda: "Unexpected exit from worker" in system.log, "the death is noticed")
    wait_until(system.is_ready, "the gateway is ready")


def test_commands_find_the_running_database(system: LiveSystem) -> None:
    assert run_manage(system.environment, "migrate", "--check").returncode == 0


def test_after_the_kill_of_the_supervisor_nothing_is_left_and_a_new_start_serves(system: LiveSystem) -> None:
    credentials = system.credentials
    assert len(system.processes()) > 15
    system.process.kill()
    system.process.wait()
    wait_until(lambda: system.processes() == set(), "no process is left", seconds=10)

    system.process = launch(system.environment, system.log_path)
    system.log_path.write_text("")
    system.wait_until_ready()
    assert system.credentials == credentials


def test_a_request_under_way_is_answered_before_the_clean_end(system: LiveSystem) -> None:
    s3 = system.client()
    s3.create_bucket(Bucket="last-words")
    url = urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": "last-words", "Key": "k"}))
    request = http.client.HTTPConnection(url.netloc, timeout=10)
    request.putrequest("PUT", f"{url.path}?{url.query}")
    request.putheader("Content-Length", "200000")
    request.endheaders(b"x" * 100_000)
    time.sleep(0.5)
    assert len(system.processes()) > 15
    system.process.send_signal(signal.SIGTERM)
    time.sleep(1)
    request.send(b"x" * 100_000)
    assert request.getresponse().status == 200
    request.close()

    assert system.process.wait(timeout=40) == 0
    assert system.processes() == set()
    assert not system.runtime_dir.exists()
    assert system.log.rstrip().endswith("stopped")
    assert "Traceback" not in system.log.split("ready: S3 on")[-1]


def test_an_interrupted_start_leaves_nothing(system: LiveSystem, tmp_path: Path) -> None:
    log_path = tmp_path / "log"
    system.process = launch(system.environment, log_path)
    wait_until(lambda: "postgresql" in log_path.read_text(), "the start is under way")
    assert system.processes()
    system.process.send_signal(signal.SIGINT)
    assert system.process.wait(timeout=40) == 0
    assert system.processes() == set()
