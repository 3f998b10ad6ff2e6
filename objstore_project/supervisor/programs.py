"""The processes of the system, and the order in which they stop."""

from __future__ import annotations

import http.client
import os
import ssl
import sys
import warnings

import celery.bin.celery  # noqa: F401  loaded before the forks, which share it
from django.conf import settings
from django.core.management import call_command
from setproctitle import setproctitle

from objstore_project.celery import app as celery_app
from objstore_project.environment import Address
from objstore_project.supervisor.program import Program
from objstore_project.supervisor.web_server import serve

# First what takes work in, then what does work, then what they all stand on.
STOP_ORDER = (("gateway", "console", "beat", "prepare"), ("worker",), ("journal", "valkey"), ("postgresql",))
# Celery's pool. Tasks wait for disks and the database more than they compute, and those that take long (the scrub, a
# repair, moves) must leave room for those that may not wait.
WORKER_PROCESSES = 4


def application_programs() -> tuple[Program, ...]:
    """Return gateway, console, worker, beat and journal.

    All but the gateway, whose settings are its own, are forks of the supervisor: they share the code that it has loaded,
    and start in a tenth of the time.
    """
    level = ("--loglevel", settings.OBJSTORE_LOG_LEVEL)
    journal = Program(name="journal", function=write_journal, stop_seconds=6)
    return (
        Program(
            name="gateway",
            arguments=(sys.executable, "-u", "-m", "objstore_project.supervisor.web_server", "gateway"),
            environment=application_environment(),
            is_ready=lambda: answers(settings.OBJSTORE_S3_ADDRESS),
            stop_seconds=6,
        ),
        Program(
            name="console",
            function=lambda: serve("console"),
            is_ready=lambda: answers(settings.OBJSTORE_CONSOLE_ADDRESS),
            stop_seconds=6,
        ),
        Program(
            name="worker",
            function=lambda: run_celery(
                *("worker", "--without-gossip", "--without-mingle", "--concurrency", str(WORKER_PROCESSES), *level)
            ),
            stop_seconds=4,
        ),
        Program(name="beat", function=lambda: run_celery("beat", "--pidfile", "", *level), stop_seconds=3),
        *((journal,) if settings.OBJSTORE_JOURNAL else ()),
    )


def run_celery(*arguments: str) -> None:
    """Run a command of Celery's until a signal."""
    # Celery warns at length of being root; whether to be root is the operator's decision.
    warnings.filterwarnings("ignore", module="celery.platforms")
    sys.exit(celery_app.start(["--quiet", *arguments]))


def write_journal() -> None:
    """Write the metadata journal until a signal."""
    setproctitle("objstore journal")
    call_command("write_journal")


def application_environment() -> dict[str, str]:
    """Return this process's environment, with absolute paths in place of what depends on the working directory."""
    return {
        **os.environ,
        "OBJSTORE_DATA_DIR": str(settings.OBJSTORE_DATA_DIR),
        "DJANGO_SETTINGS_MODULE": "objstore_project.settings.console",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(settings.BASE_DIR), os.environ.get("PYTHONPATH")))),
    }


def reachable_host(address: Address) -> str:
    """Return the host under which this machine reaches a server that may listen on all interfaces."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104  the name of all interfaces


def answers(address: Address) -> bool:
    """Tell whether the server says that it is ready."""
    host = reachable_host(address)
    if settings.OBJSTORE_TLS_CERTIFICATE:
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, address.port, timeout=2, context=unverified_context()
        )
    else:
        connection = http.client.HTTPConnection(host, address.port, timeout=2)
    try:
        connection.request("GET", "/-/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def unverified_context() -> ssl.SSLContext:
    """Return the client's side of TLS for our own ports: the certificate names other hosts than the one we go by."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
