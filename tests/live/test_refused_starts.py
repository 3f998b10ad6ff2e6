"""What `manage.py up` cannot start with: one clear line, an exit status, no traceback, nothing left running."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from objstore_project.supervisor.runtime_directory import runtime_directory
from tests.live.manage import clean_environment, run_manage
from tests.live.processes import processes_of
from tests.live.system import LiveSystem, free_ports


def refusal(data_dir: Path, **variables: str) -> str:
    """Start a system that cannot start; return the one line that it says."""
    s3_port, console_port = free_ports(2)
    environment = clean_environment(
        data_dir,
        {
            "OBJSTORE_S3_ADDRESS": f"127.0.0.1:{s3_port}",
            "OBJSTORE_CONSOLE_ADDRESS": f"127.0.0.1:{console_port}",
            **variables,
        },
    )
    done = run_manage(environment, "up")
    output = (done.stdout + done.stderr).strip()
    assert done.returncode not in {0, None}, output
    assert len(output.splitlines()) == 1, output
    assert processes_of(data_dir, runtime_directory(data_dir)) == set()
    return output


def test_a_busy_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        line = refusal(tmp_path / "var", OBJSTORE_S3_ADDRESS=address)
    assert f"OBJSTORE_S3_ADDRESS: cannot listen on {address}" in line


def test_one_port_for_both_servers_is_refused(tmp_path: Path) -> None:
    line = refusal(tmp_path / "var", OBJSTORE_S3_ADDRESS="127.0.0.1:9", OBJSTORE_CONSOLE_ADDRESS="127.0.0.1:9")
    assert "OBJSTORE_CONSOLE_ADDRESS" in line


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = refusal(tmp_path / "file" / "var")
    assert f"OBJSTORE_DATA_DIR: cannot write to {tmp_path / 'file' / 'var'}: Not a directory" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_data_directory_is_named(tmp_path: Path) -> None:
    directory = tmp_path / "var"
    directory.mkdir(mode=0o500)
    assert f"OBJSTORE_DATA_DIR: cannot write to {directory}: Permission denied" in refusal(directory)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("DATABASE_URL", "nonsense", "DATABASE_URL: expected postgresql://"),
        ("DATABASE_URL", "postgresql://[::1/x", "DATABASE_URL: expected postgresql://"),
        ("DATABASE_URL", "postgresql://u:secret@127.0.0.1:9/x", "DATABASE_URL: cannot connect"),
        ("REDIS_URL", "nonsense", "REDIS_URL: expected redis://"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:9/0", "REDIS_URL: cannot connect"),
        ("OBJSTORE_S3_ADDRESS", "nine thousand", "OBJSTORE_S3_ADDRESS: expected host:port"),
        ("OBJSTORE_GATEWAY_WORKERS", "0", "OBJSTORE_GATEWAY_WORKERS: expected a whole number of at least 1"),
        ("OBJSTORE_SECRET_KEY", "short", "OBJSTORE_SECRET_KEY: expected at least 32 characters"),
    ],
)
def test_a_wrong_variable_is_named_and_its_secret_is_not_repeated(
    tmp_path: Path, variable: str, value: str, expected: str
) -> None:
    line = refusal(tmp_path / "var", **{variable: value})
    assert expected in line
    assert "secret@" not in line


def test_a_database_that_refuses_the_user_is_named(tmp_path: Path, live: LiveSystem) -> None:
    line = refusal(tmp_path / "var", DATABASE_URL=f"postgresql://stranger@/objstore?host={live.runtime_dir}")
    assert "DATABASE_URL: cannot connect" in line
    assert "authentication failed" in line


def test_a_second_start_on_the_same_data_names_the_first(live: LiveSystem) -> None:
    done = run_manage(live.environment, "up")
    output = (done.stdout + done.stderr).strip()
    assert done.returncode == 1
    assert output.endswith(f"is in use by another `manage.py up`, process {live.process.pid}")
    assert len(output.splitlines()) == 1
    assert live.is_ready()


def test_a_command_without_a_system_says_how_to_get_one(tmp_path: Path) -> None:
    done = run_manage(clean_environment(tmp_path / "var", {}), "showmigrations")
    assert done.returncode == 1
    assert "`manage.py up` creates it" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "var").exists()
