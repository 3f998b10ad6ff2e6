"""Every run of one of our management commands has a row in the audit log: what people change at a terminal is audited, too.

A command that makes one change is one transaction with its row. Those that commit as they go (the duties) get their row
when they end. Not for: `up` and `write_journal`, which run as long as the system, and what is run before there is a database.
"""

from __future__ import annotations

import getpass
import logging
import secrets
import shlex
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from audit.draft import AuditDraft, scope
from audit.services.batches import flush, leave
from audit.services.rows import change

logger = logging.getLogger("objstore.audit")

ONE_TRANSACTION = frozenset(
    {
        "add_node",
        "changepassword",
        "create_account",
        "create_kms_key",
        "createsuperuser",
        "reset_second_factor",
        "rotate_kms_key",
        "set_node_capacity",
        "set_node_state",
        "set_node_weight",
    }
)
# A restore writes its row itself, when there is a database for it.
UNAUDITED = frozenset({"document_operations", "restore_metadata", "up", "write_journal"})

_DJANGOS_OPTIONS = frozenset(
    {"verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks", "stdout", "stderr"}
)
_SECRET_WORDS = ("secret", "password", "token")


class AuditedUtility(ManagementUtility):
    """Django's front door to commands, with an audit row for each of ours."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """Find the command and put the row around it."""
        command = super().fetch_command(subcommand)
        is_ours = not type(command).__module__.startswith("django.") or subcommand in ONE_TRANSACTION
        if is_ours and subcommand not in UNAUDITED:
            command.execute = _audited(subcommand, command.execute)  # type: ignore[method-assign]
        return command


def _audited(name: str, execute: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **options: Any) -> Any:
        draft = _draft(name, options)
        try:
            with scope(draft), change(draft) if name in ONE_TRANSACTION else nullcontext():
                answer = execute(*args, **options)
        except BaseException as error:
            draft.error_reason = str(error)
            _leave(draft, 500, type(error).__name__)
            raise
        _leave(draft, 200)
        return answer

    return run


def audit_command(name: str, options: dict[str, Any]) -> None:
    """Write the row of a command that has done its work, and that had no database when it began."""
    _leave(_draft(name, options), 200)


def _draft(name: str, options: dict[str, Any]) -> AuditDraft:
    return AuditDraft(
        request_id=secrets.token_hex(8).upper(),
        source="command",
        operation=name,
        principal=f"command:{_operating_system_user()}",
        path=_command_line(options),
        method="RUN",
    )


def _leave(draft: AuditDraft, status: int, error_code: str = "") -> None:
    draft.finish(status=status, error_code=error_code)
    leave(draft)
    try:
        flush()
    except DatabaseError as error:  # before the database is there, or while it is away
        logger.warning("this command is not in the audit log: %s", error)


def _operating_system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unknown"


def _command_line(options: dict[str, Any]) -> str:
    """Return the options that were given, without what nobody may read."""
    given = [
        f"{name}={'-' if any(word in name for word in _SECRET_WORDS) else value}"
        for name, value in sorted(options.items())
        if name not in _DJANGOS_OPTIONS and value not in (None, False, [], "")
    ]
    return shlex.join(given)
