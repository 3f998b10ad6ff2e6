"""`manage.py undelete`: bring back deleted objects of a bucket, or what was there at a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from buckets.selectors import find_bucket
from objects.services.undelete import undelete_objects
from s3protocol.timestamps import parse_iso8601


class Command(BaseCommand):
    """Go through a prefix page by page; may be interrupted and repeated."""

    help = "Bring back the deleted objects of a bucket, or what was there at a moment of its history. May be repeated."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("bucket")
        parser.add_argument("--prefix", default="", help="only keys that begin like this")
        parser.add_argument("--as-of", help="bring back what was there at this time, like 2026-01-31T12:00:00Z")

    def handle(self, *args: Any, **options: Any) -> None:
        """Bring back, and say what."""
        bucket = find_bucket(options["bucket"])
        if bucket is None:
            raise CommandError(f"there is no bucket {options['bucket']!r}")
        moment = self._moment(options["as_of"], bucket.history_seconds)
        after: str | None = ""
        count = failed = 0
        while after is not None:
            page = undelete_objects(
                bucket_id=bucket.id, bucket_name=bucket.name, prefix=options["prefix"], after=after, moment=moment
            )
            for one in page.keys:
                if one.error is None:
                    count += 1
                    self.stdout.write(one.key)
                else:
                    failed += 1
                    self.stderr.write(f"{one.key}: {one.error.message}")
            after = page.next_after
        self.stdout.write(f"{count} objects are back, {failed} are not")

    def _moment(self, text: str | None, history_seconds: int) -> datetime | None:
        if text is None:
            return None
        try:
            moment = parse_iso8601(text)
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        if not datetime.now(UTC) - timedelta(seconds=history_seconds) <= moment <= datetime.now(UTC):
            raise CommandError(f"the history of this bucket is {history_seconds} seconds long")
        return moment
