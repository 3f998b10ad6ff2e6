"""`manage.py limit`: set, show and remove quotas and rates."""

from __future__ import annotations

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accesscontrol.models import AccessKey, Account
from buckets.models import Bucket
from limits.models import Limit
from limits.services import Subject, remove_limit, set_limit

_SIZE = re.compile(r"(\d+)\s*(?:([KMGTP])i?B?)?", re.IGNORECASE)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}


def size(text: str) -> int:
    """Read a number of bytes: 500, 10MiB, 2T (powers of 1024)."""
    parts = _SIZE.fullmatch(text.strip())
    if parts is None:
        raise CommandError(f"{text!r} is no size, such as 10GiB")
    return int(parts[1]) << 10 * _POWERS[(parts[2] or "").upper()]


class Command(BaseCommand):
    """Limits at the terminal."""

    help = "Set, show or remove quotas and rates of an account, a bucket or an access key. `set` replaces all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        what = parser.add_subparsers(dest="what", required=True)
        setting = what.add_parser("set", help="replace the limits of a subject")
        removing = what.add_parser("remove", help="take all limits off a subject")
        for one in (setting, removing):
            one.add_argument("kind", choices=("account", "bucket", "key"))
            one.add_argument("name", help="the account's or bucket's name, or the access key id")
        setting.add_argument("--objects", type=int, help="how many objects it may hold")
        setting.add_argument("--bytes", type=size, help="how many bytes it may hold, as 10GiB")
        setting.add_argument("--requests-per-second", type=int)
        setting.add_argument("--bytes-per-second", type=size, help="of bodies, in and out")
        what.add_parser("list", help="print all limits")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if options["what"] == "list":
            for limit in Limit.objects.select_related("account", "bucket", "access_key").order_by("pk"):
                self.stdout.write(_line(limit))
            return
        subject = _find(options["kind"], options["name"])
        if options["what"] == "remove":
            self.stdout.write("removed" if remove_limit(subject) else "there was none")
            return
        wanted = {
            "objects_max": options["objects"],
            "bytes_max": options["bytes"],
            "requests_per_second": options["requests_per_second"],
            "bytes_per_second": options["bytes_per_second"],
        }
        if options["kind"] == "key" and (wanted["objects_max"] is not None or wanted["bytes_max"] is not None):
            raise CommandError("an access key holds nothing: it has rates, no quota")
        if any(value is not None and value < 0 for value in wanted.values()) or any(
            wanted[name] == 0 for name in ("requests_per_second", "bytes_per_second")
        ):
            raise CommandError("quotas are at least 0, rates at least 1")
        self.stdout.write(_line(set_limit(subject, **wanted)))


def _find(kind: str, name: str) -> Subject:
    found: Subject | None
    if kind == "account":
        found = Account.objects.filter(name=name).first() or Account.objects.filter(pk=name).first()
    elif kind == "bucket":
        found = Bucket.objects.filter(name=name).first()
    else:
        found = AccessKey.objects.filter(access_key_id=name).first()
    if found is None:
        raise CommandError(f"there is no {kind} {name}")
    return found


def _line(limit: Limit) -> str:
    kind = "account" if limit.account_id else "bucket" if limit.bucket_id else "key"
    values = {
        "objects": limit.objects_max,
        "bytes": limit.bytes_max,
        "requests/s": limit.requests_per_second,
        "bytes/s": limit.bytes_per_second,
    }
    told = ", ".join(f"{name} {value:,}" for name, value in values.items() if value is not None)
    return f"{kind} {limit}: {told or 'no limit'}"
