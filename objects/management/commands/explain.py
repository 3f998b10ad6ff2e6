"""`manage.py explain`: may somebody do something, and what would have to change."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accesscontrol.explanation import Explanation
from accesscontrol.request_facts import RequestFacts
from accesscontrol.selectors.subjects import UnknownSubject, find_principal
from audit.selectors import find_row
from objects.selectors.explanation import explain_access, explain_row, read_context, split_resource


class Command(BaseCommand):
    """Print a decision and how it came about."""

    help = (
        "Say whether a principal may do an action on a resource now, by which statement, and the smallest change that "
        "would allow it. With --row: what was decided then, and what would be now."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("principal", nargs="?", help="an ARN, or a service's name; * is anonymous")
        parser.add_argument("action", nargs="?", help="such as s3:GetObject")
        parser.add_argument(
            "resource", nargs="?", help="bucket, bucket/key, an ARN (of IAM, too), or * for the service"
        )
        parser.add_argument("--version-id")
        parser.add_argument("--source-ip", default="", help="the address that the request comes from")
        parser.add_argument("--insecure", action="store_true", help="the request comes without TLS")
        parser.add_argument(
            "--context", action="append", default=[], metavar="KEY=VALUE",
            help="a condition key of the request, such as sts:ExternalId=abc; may be given more than once",
        )  # fmt: skip
        parser.add_argument("--row", type=int, help="the id of a row of the audit log")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask and print."""
        try:
            if options["row"] is not None:
                self._explain_row(options["row"], as_json=options["json"])
                return
            if not options["resource"]:
                raise CommandError("give principal, action and resource, or --row")
            bucket, key = split_resource(options["resource"])
            explanation = explain_access(
                principal=find_principal(options["principal"]),
                action=options["action"],
                bucket_name=bucket,
                key=key,
                version_id=options["version_id"],
                facts=RequestFacts(
                    source_ip=options["source_ip"],
                    is_secure=not options["insecure"],
                    now=datetime.now(UTC),
                    region=settings.OBJSTORE_REGION,
                ),
                stated=read_context(options["context"]),
            )
        except UnknownSubject as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(explanation.document()))
        else:
            self._print(explanation)

    def _explain_row(self, row_id: int, *, as_json: bool) -> None:
        row = find_row(row_id)
        if row is None:
            raise CommandError("there is no such row in the audit log")
        explained = explain_row(row)
        if as_json:
            self.stdout.write(json.dumps(explained.document()))
            return
        self.stdout.write(f"then: {explained.outcome}: {explained.reason}")
        if explained.now is None:
            self.stdout.write(explained.problem)
        elif explained.is_the_same:
            self.stdout.write("now it would be decided alike")
            self._print(explained.now)
        else:
            self.stdout.write("now:")
            self._print(explained.now)

    def _print(self, explanation: Explanation) -> None:
        decision = explanation.decision
        self.stdout.write(f"{explanation.principal} {explanation.action} {explanation.resource}")
        self.stdout.write(f"{decision.outcome}: {decision.reason}")
        for match in decision.trace:
            self.stdout.write(f"  {match}")
        for remark in explanation.remarks:
            self.stdout.write(remark)
        if decision.is_allowed:
            return
        if explanation.changes is None:
            self.stdout.write("no change of a policy or list alone would allow it")
            return
        self.stdout.write("the smallest change that would allow it:")
        for change in explanation.changes:
            self.stdout.write(f"  {change.where}: {change.text}")
            if change.statement is not None:
                self.stdout.write("  " + json.dumps(dict(change.statement)))
