"""Who gets events in the tests: a web server that can be down or refuse, and a broker."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from tests.live.processes import wait_until
from tests.live.system import free_ports


class WebhookReceiver:
    """A web server that keeps what is posted to it; `stop` and `start` make it go away and come back."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.refused_keys: set[str] = set()
        (self.port,) = free_ports(1)
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                is_refused = any(key in receiver.refused_keys for key in keys_of(body))
                if not is_refused:
                    receiver.posts.append((self.path, dict(self.headers.items()), body))
                self.send_response(400 if is_refused else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def records(self, bucket: str, path: str = "/") -> list[dict[str, Any]]:
        """Return the records of a bucket in the order of their arrival."""
        return [
            record
            for at, _, body in list(self.posts)
            if at == path
            for record in body.get("Records", [])
            if record["s3"]["bucket"]["name"] == bucket
        ]

    def by_key(self, bucket: str) -> dict[str, list[tuple[str, str]]]:
        """Return of each key the sequencers and versions in the order of their arrival."""
        found = defaultdict(list)
        for record in self.records(bucket):
            described = record["s3"]["object"]
            found[unquote_plus(described["key"])].append((described["sequencer"], described.get("versionId", "")))
        return found


def keys_of(body: dict[str, Any]) -> list[str]:
    return [unquote_plus(record["s3"]["object"]["key"]) for record in body.get("Records", [])]


class Broker:
    """A RabbitMQ of its own: data below a directory, ports that were free."""

    def __init__(self, directory: Path) -> None:
        self.port, distribution_port, self._epmd_port = free_ports(3)
        directory.mkdir()
        self._environment = {
            **os.environ,
            "HOME": str(directory),
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(directory / "data"),
            "RABBITMQ_LOG_BASE": str(directory / "log"),
            "RABBITMQ_PID_FILE": str(directory / "pid"),
            "RABBITMQ_CONFIG_FILE": str(directory / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
        }
        self._log = (directory / "output").open("wb")
        self._process = subprocess.Popen(
            ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        wait_until(self._answers, "the broker answers", seconds=120)

    @staticmethod
    def is_installed() -> bool:
        return Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists() and shutil.which("epmd") is not None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def _answers(self) -> bool:
        assert self._process.poll() is None, "the broker ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(30)
        subprocess.run(["epmd", "-kill"], env=self._environment, check=False, capture_output=True, timeout=30)
        self._log.close()
