"""`manage.py audit_search`: ask the audit log."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.models import AuditEvent
from audit.selectors import AuditFilter, Place, document, filter_from, search


class Command(BaseCommand):
    """Print the newest rows that match."""

    help = "Search the audit log, newest first. Times are ISO 8601, in UTC where they name no zone."

    def add_arguments(self, parser: CommandParser) -> None:
        for one in fields(AuditFilter):
            parser.add_argument(f"--{one.name.replace('_', '-')}", default="", help=_HELP.get(one.name))
        parser.add_argument("--limit", type=int, default=100, help="how many rows at most (default 100; 0: all)")
        parser.add_argument("--json", action="store_true", help="one JSON object a line, with every column")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            wanted = filter_from({one.name: options[one.name] for one in fields(AuditFilter)})
        except ValueError as error:
            raise CommandError(str(error)) from None
        left, after = options["limit"] or float("inf"), None
        while left > 0:
            rows = search(wanted, limit=int(min(left, 1_000)), after=after)
            for row in rows:
                self.stdout.write(json.dumps(document(row), default=str) if options["json"] else line(row))
            if not rows:
                break
            left -= len(rows)
            after = Place(rows[-1].at, rows[-1].id)


def line(row: AuditEvent) -> str:
    """Say a row in a line."""
    what = f"{row.operation or '?'} {row.bucket or ''}{'' if row.key is None else '/' + row.key}".strip()
    why = f": {row.error_code} {row.reason}".rstrip() if row.error_code else ""
    return (
        f"{row.at:%Y-%m-%d %H:%M:%S} {row.request_id} {row.principal or '?'} {row.source_ip} {what} {row.status}{why}"
    )


_HELP = {
    "since": "not before this time",
    "until": "before this time",
    "principal": "the ARN; * is anonymous",
    "prefix": "with which the key begins",
    "account_id": "of the principal",
    "owner_id": "of the bucket",
    "is_refused": "true: refusals alone; false: none",
}
