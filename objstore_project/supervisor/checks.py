"""What `manage.py up` finds out before it starts anything, so that it can say in one line what is wrong."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

import psycopg
import redis
from django.conf import settings

from objstore_project.environment import Address, ConfigurationError, reason

# A predecessor that was killed may hold its ports for a moment.
PORT_SECONDS = 3.0


def check_outside_servers() -> None:
    """Connect to the servers that URLs name."""
    if not settings.OBJSTORE_IS_DATABASE_EMBEDDED:
        check_database()
    if not settings.OBJSTORE_IS_REDIS_EMBEDDED:
        check_redis()


def check_database() -> None:
    """Connect to the database of DATABASE_URL."""
    database = settings.DATABASES["default"]
    options = {
        name: value
        for name, value in database["OPTIONS"].items()
        if name not in {"server_side_binding", "prepare_threshold"}
    }
    try:
        psycopg.connect(
            host=database["HOST"],
            port=database["PORT"] or None,
            dbname=database["NAME"],
            user=database["USER"] or None,
            password=database["PASSWORD"] or None,
            **options,
        ).close()
    except psycopg.Error as error:
        raise ConfigurationError(f"DATABASE_URL: cannot connect: {reason(error)}") from error


def check_redis() -> None:
    """Connect to the server of REDIS_URL."""
    try:
        client = redis.Redis.from_url(settings.OBJSTORE_REDIS_URL, socket_connect_timeout=5, socket_timeout=5)
        client.ping()
        client.close()
    except (redis.RedisError, ValueError, OSError) as error:
        raise ConfigurationError(f"REDIS_URL: cannot connect: {reason(error)}") from error


def check_tls() -> None:
    """Load the certificate and its key, which must belong together."""
    certificate, key = settings.OBJSTORE_TLS_CERTIFICATE, settings.OBJSTORE_TLS_KEY
    if not certificate:
        return
    for name, path in (("OBJSTORE_TLS_CERTIFICATE", certificate), ("OBJSTORE_TLS_KEY", key)):
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{name}: cannot read {path}: {reason(error)}") from error
    try:
        # An empty passphrase: without one, OpenSSL would ask the terminal for that of an encrypted key.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError(
            f"OBJSTORE_TLS_CERTIFICATE, OBJSTORE_TLS_KEY: not a PEM certificate and its key without a passphrase:"
            f" {reason(error)}"
        ) from error


def check_ports() -> None:
    """Find both ports free."""
    if settings.OBJSTORE_S3_ADDRESS == settings.OBJSTORE_CONSOLE_ADDRESS:
        raise ConfigurationError("OBJSTORE_CONSOLE_ADDRESS: the console needs another port than OBJSTORE_S3_ADDRESS")
    for name in ("OBJSTORE_S3_ADDRESS", "OBJSTORE_CONSOLE_ADDRESS"):
        check_port(name, getattr(settings, name))


def check_port(name: str, address: Address) -> None:
    """Bind the address once, without the sharing that lets granian's workers bind it together."""
    deadline = time.monotonic() + PORT_SECONDS
    while True:
        try:
            family, kind, protocol, _, location = socket.getaddrinfo(
                address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind, protocol) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(location)
                return
        except OSError as error:
            if time.monotonic() > deadline or isinstance(error, socket.gaierror):
                raise ConfigurationError(f"{name}: cannot listen on {address}: {reason(error)}") from error
        time.sleep(0.2)
