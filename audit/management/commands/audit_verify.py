"""`manage.py audit_verify`: say whether anybody has changed the audit log."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.models import AuditSeal
from audit.services.sealing import verify_days


class Command(BaseCommand):
    """Compare the rows with their chains."""

    help = (
        "Compare all sealed rows with the chains of their days: finds rows that were changed, removed, added or moved. "
        "With --head, the day's chain must also hold a head that was kept elsewhere (the log has them)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=date.fromisoformat, help="the first day, as 2030-12-31")
        parser.add_argument("--until", type=date.fromisoformat, help="the last day")
        parser.add_argument(
            "--head", action="append", default=[], metavar="DAY=DIGEST", help="a head that must be in the day's chain"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        failed = 0
        for verdict in verify_days(first=options["since"], last=options["until"]):
            failed += bool(verdict.problems)
            self.stdout.write(f"{verdict.day}: {verdict.sealed_rows} sealed rows, head {verdict.head}")
            for problem in verdict.problems:
                self.stdout.write(f"  {problem}")
        for head in options["head"]:
            day, _, digest = head.partition("=")
            if not AuditSeal.objects.filter(day=day, digest=digest).exists():
                failed += 1
                self.stdout.write(f"{day}: the chain does not hold {digest}: it was cut off or made anew")
        if failed:
            raise CommandError("the audit log is not as it was written")
        self.stdout.write("everything that is sealed is as it was written")
