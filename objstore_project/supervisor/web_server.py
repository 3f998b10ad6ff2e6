"""Granian around one of the two WSGI applications: `python -m objstore_project.supervisor.web_server gateway`.

It serves HTTP/1.1 without websockets; its log lines have the shape of all others; its workers die with it. The
application is loaded before the workers are forked, so that they start at once and share its memory.
"""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels

from objstore_project.environment import Address
from objstore_project.supervisor.parent_death import end_forked_children_with_this_process

APPLICATIONS = {"gateway": "objstore_project.wsgi_s3", "console": "objstore_project.wsgi_console"}
CONSOLE_THREADS = 16
BACKLOG = 2048
# A client that dribbles its headers is let go.
HEADER_READ_TIMEOUT_MILLISECONDS = 15_000
# Requests that are still running this long after the signal to stop are cut off.
STOP_SECONDS = 4
# Threads keep their database connection and its prepared statements; ten minutes is granian's longest.
IDLE_THREAD_SECONDS = 600


def serve(name: str) -> None:
    """Serve the application until SIGTERM."""
    application: Callable[..., Any] = importlib.import_module(APPLICATIONS[name]).application
    address: Address = settings.OBJSTORE_S3_ADDRESS if name == "gateway" else settings.OBJSTORE_CONSOLE_ADDRESS
    threads = settings.OBJSTORE_GATEWAY_THREADS if name == "gateway" else CONSOLE_THREADS
    connections.close_all()  # what loading asked the database: forked workers must not share a connection
    logging.getLogger("_granian").addFilter(is_worth_reading)
    multiprocessing.set_start_method("fork")
    end_forked_children_with_this_process()
    server = Granian(
        f"{APPLICATIONS[name]}:application",
        address=address.host,
        port=address.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.OBJSTORE_GATEWAY_WORKERS if name == "gateway" else 1,
        blocking_threads=threads,
        blocking_threads_idle_timeout=IDLE_THREAD_SECONDS,
        backlog=BACKLOG,
        backpressure=BACKLOG,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_READ_TIMEOUT_MILLISECONDS),
        log_level=LogLevels.warning,
        log_dictconfig={**settings.LOGGING},
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=STOP_SECONDS,
        process_name=f"objstore {name}",
        **tls_files(),
        **(static_files() if name == "console" else {}),
    )

    def load(*_: Any, **__: Any) -> Callable[..., Any]:
        return application

    server.serve(target_loader=load, wrap_loader=False)


def tls_files() -> dict[str, Any]:
    """Return granian's arguments for TLS, where there is a certificate: version 1.2 or newer."""
    if not settings.OBJSTORE_TLS_CERTIFICATE:
        return {}
    return {
        "ssl_cert": Path(settings.OBJSTORE_TLS_CERTIFICATE),
        "ssl_key": Path(settings.OBJSTORE_TLS_KEY),
        "ssl_protocol_min": SSLProtocols.tls12,
    }


def static_files() -> dict[str, Any]:
    """Return granian's arguments for the console's static files, which `manage.py up` collects."""
    if not settings.STATIC_ROOT.is_dir():
        return {}
    return {
        "static_path_route": ["/static"],
        "static_path_mount": [settings.STATIC_ROOT],
        "static_path_expires": 365 * 86_400,  # a changed file has another name
    }


def is_worth_reading(record: logging.LogRecord) -> bool:
    """Drop granian's advice against many threads: here they wait for disks and the database, and are wanted."""
    return "Configuration allows spawning up to" not in record.getMessage()


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = (
        "objstore_project.settings.gateway" if sys.argv[1] == "gateway" else "objstore_project.settings.console"
    )
    serve(sys.argv[1])
