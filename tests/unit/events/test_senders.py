"""Where senders connect to: addresses that were judged, and no others."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from events.arns import TargetKind
from events.errors import TargetMisconfigured, TargetUnavailable
from events.senders import Message, check_settings, open_sender

MESSAGE = Message("1", "s3:TestEvent", "bucket", "key", b"{}")
MORE = {"stream": "s", "routing_key": "q"}


@contextmanager
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """Listen on loopback and hang up on whoever connects; yield the port and what was sent first."""
    server = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def listen() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                heard.append(connection.recv(64))

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield server.getsockname()[1], heard
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def send(kind: TargetKind, url: str) -> None:
    sender = open_sender(kind, {"url": url, **MORE})
    try:
        sender.send(MESSAGE)
    finally:
        sender.close()


@pytest.mark.parametrize(("kind", "scheme"), [(TargetKind.REDIS, "redis"), (TargetKind.AMQP, "amqp")])
def test_this_machine_is_reached_only_where_that_is_allowed(kind: TargetKind, scheme: str, settings: Any) -> None:
    with listener() as (port, heard):
        url = f"{scheme}://user:secret@localhost:{port}/0"
        settings.OBJSTORE_OUTBOUND_NETWORKS = ()
        with pytest.raises(TargetUnavailable, match="in no network that OBJSTORE_OUTBOUND_NETWORKS allows"):
            send(kind, url)
        assert heard == []
        settings.OBJSTORE_OUTBOUND_NETWORKS = (ipaddress.ip_network("127.0.0.0/8"),)
        with pytest.raises(TargetUnavailable) as caught:  # which hangs up
            send(kind, url)
        assert "secret" not in str(caught.value)
        assert heard


def test_a_unix_socket_is_on_this_machine(settings: Any) -> None:
    settings.OBJSTORE_OUTBOUND_NETWORKS = ()
    with pytest.raises(TargetUnavailable, match="a unix socket is on this machine"):
        send(TargetKind.REDIS, "unix:///nowhere/redis.sock")


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        (TargetKind.REDIS, "http://example.org/"),
        (TargetKind.AMQP, "redis://example.org/"),
        (TargetKind.AMQP, "amqp://"),
        (TargetKind.AMQP, "amqp://host:port/"),
    ],
)
def test_other_addresses_are_refused_at_once(kind: TargetKind, url: str) -> None:
    with pytest.raises(TargetMisconfigured):
        check_settings(kind, {"url": url, **MORE})
