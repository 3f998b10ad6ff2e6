"""`manage.py up`: the whole system on this machine, in the foreground."""

from __future__ import annotations

import shutil
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.core.management.color import supports_color

from objstore_project.environment import ConfigurationError
from objstore_project.supervisor.checks import check_outside_servers, check_ports, check_tls
from objstore_project.supervisor.credentials import Credentials, banner, ensure_credentials
from objstore_project.supervisor.data_lock import hold_data_directory
from objstore_project.supervisor.output import JoinedLog
from objstore_project.supervisor.postgresql import postgresql_program, prepare_cluster
from objstore_project.supervisor.preparation import prepare
from objstore_project.supervisor.program import Program
from objstore_project.supervisor.programs import STOP_ORDER, application_programs
from objstore_project.supervisor.runtime_directory import ensure_runtime_directory
from objstore_project.supervisor.server_user import choose_server_user
from objstore_project.supervisor.supervisor import StartFailed, StopRequested, Supervisor
from objstore_project.supervisor.valkey import valkey_program

# Recovery after a crash may take PostgreSQL a while.
SERVERS_START_SECONDS = 120
APPLICATION_START_SECONDS = 60
# Connections of commands, workers, the console and the superuser, beside the gateway's.
OTHER_CONNECTIONS = 100
CONNECTIONS_MIN = 300


class Command(BaseCommand):
    """Start PostgreSQL, Valkey, gateway, console, worker, beat and journal; keep them running; stop them in order."""

    help = (
        "Run the whole system in the foreground: embedded PostgreSQL and Valkey (unless DATABASE_URL and REDIS_URL"
        " name others), the S3 gateway, the console, the worker and the scheduler. Ctrl-C stops it."
    )
    requires_system_checks = ()

    def handle(self, *_: Any, **options: Any) -> None:
        log = JoinedLog(
            sys.stdout.fileno(),
            is_json=settings.OBJSTORE_LOG_FORMAT == "json",
            is_coloured=options["force_color"] or (supports_color() and not options["no_color"]),
        )
        with hold_data_directory(settings.OBJSTORE_DATA_DIR):
            check_ports()
            check_tls()
            check_outside_servers()
            sys.exit(run(log))


def run(log: JoinedLog) -> int:
    """Run the system until a signal; return the exit status."""
    credentials = ensure_credentials(settings.OBJSTORE_DATA_DIR)
    servers = embedded_servers()
    supervisor = Supervisor(log, record=settings.OBJSTORE_DATA_DIR / "run" / "processes.json")
    supervisor.take_signals()
    try:
        supervisor.start(servers, timeout_seconds=SERVERS_START_SECONDS)
        supervisor.run_to_end(Program(name="prepare", function=lambda: _prepare(credentials)))
        supervisor.start(application_programs(), timeout_seconds=APPLICATION_START_SECONDS)
        log.say(
            f"ready: S3 on {settings.OBJSTORE_SCHEME}://{settings.OBJSTORE_S3_ADDRESS}, "
            f"console on {settings.OBJSTORE_SCHEME}://{settings.OBJSTORE_CONSOLE_ADDRESS}"
        )
        log.banner(banner(credentials))
        supervisor.supervise()
    except StopRequested:
        pass
    except (StartFailed, ConfigurationError) as error:
        log.say(f"cannot start: {error}")
        supervisor.stop(STOP_ORDER)
        return 1
    log.say("stopping; once more to stop at once")
    supervisor.stop(STOP_ORDER)
    shutil.rmtree(settings.OBJSTORE_RUNTIME_DIR, ignore_errors=True)
    log.say("stopped")
    return 0


def _prepare(credentials: Credentials) -> None:
    """Prepare, in a process of its own; what people have to set right is said in one line."""
    try:
        prepare(credentials)
    except ConfigurationError as error:
        raise SystemExit(str(error)) from None


def embedded_servers() -> list[Program]:
    """Prepare the servers that no URL replaces."""
    if not (settings.OBJSTORE_IS_DATABASE_EMBEDDED or settings.OBJSTORE_IS_REDIS_EMBEDDED):
        return []
    runtime = settings.OBJSTORE_RUNTIME_DIR
    cluster_directory = settings.OBJSTORE_DATA_DIR / "postgresql"
    user = choose_server_user(cluster_directory)
    ensure_runtime_directory(runtime, owner_id=user.user_id, group_id=user.group_id)
    programs = []
    if settings.OBJSTORE_IS_DATABASE_EMBEDDED:
        gateway = settings.OBJSTORE_GATEWAY_WORKERS * settings.OBJSTORE_GATEWAY_THREADS
        programs.append(
            postgresql_program(
                prepare_cluster(cluster_directory, runtime, user),
                connections_max=max(CONNECTIONS_MIN, gateway + OTHER_CONNECTIONS),
            )
        )
    if settings.OBJSTORE_IS_REDIS_EMBEDDED:
        programs.append(valkey_program(runtime, user))
    return programs
