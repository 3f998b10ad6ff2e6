"""`manage.py share_link`: make, list and revoke share links."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from getpass import getpass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accesscontrol.models import User
from buckets.selectors import find_bucket
from sharing.models import ShareLink
from sharing.selectors import documents, list_share_links
from sharing.services import create_share_link, revoke_share_link


class Command(BaseCommand):
    """Share links at the terminal."""

    help = "Make, list or revoke share links. A link gives what its maker may read at the moment of the download."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        what = parser.add_subparsers(dest="what", required=True)
        create = what.add_parser("create", help="make a link and print its path on the S3 port")
        create.add_argument("user", help="the console name of who shares")
        create.add_argument("bucket")
        create.add_argument("key", help="a key; with --prefix, what keys begin with")
        create.add_argument("--prefix", action="store_true", help="share all below the prefix")
        create.add_argument("--days", type=int, help="how long it works; not given: until it is revoked")
        create.add_argument("--downloads", type=int, help="how many downloads it gives")
        create.add_argument("--label", default="")
        create.add_argument("--ask-password", action="store_true", help="ask for a password that visitors must know")
        listing = what.add_parser("list", help="print all links")
        listing.add_argument("--json", action="store_true")
        revoke = what.add_parser("revoke", help="end a link")
        revoke.add_argument("id", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        {"create": self._create, "list": self._list, "revoke": self._revoke}[options["what"]](options)

    def _create(self, options: dict[str, Any]) -> None:
        user = User.objects.filter(username=options["user"]).first()
        bucket = find_bucket(options["bucket"])
        if user is None or bucket is None:
            raise CommandError("there is no such user" if user is None else "there is no such bucket")
        if (options["days"] or 1) < 1 or (options["downloads"] or 1) < 1:
            raise CommandError("--days and --downloads: expected at least 1")
        made = create_share_link(
            bucket_id=bucket.id,
            key=options["key"],
            is_prefix=options["prefix"],
            creator=user,
            label=options["label"],
            password=getpass("Password: ") if options["ask_password"] else "",
            expires_at=None if options["days"] is None else datetime.now(UTC) + timedelta(days=options["days"]),
            downloads_max=options["downloads"],
        )
        slash = "/" if options["prefix"] else ""
        at = settings.OBJSTORE_S3_URL or f"{settings.OBJSTORE_SCHEME}://{settings.OBJSTORE_S3_ADDRESS}"
        self.stdout.write(f"{at}/-/share/{made.token}{slash}")

    def _list(self, options: dict[str, Any]) -> None:
        for one in documents(list_share_links(account_id=None)):
            text = json.dumps(one) if options["json"] else _line(one)
            self.stdout.write(text)

    def _revoke(self, options: dict[str, Any]) -> None:
        if not ShareLink.objects.filter(pk=options["id"]).exists():
            raise CommandError("there is no such link")
        revoke_share_link(link_id=options["id"])


def _line(one: dict[str, Any]) -> str:
    ended = f" ({one['ended']})" if one["ended"] else ""
    most = f" of {one['downloads_max']}" if one["downloads_max"] else ""
    return (
        f"{one['id']} {one['bucket']}/{one['key']} by {one['creator']}: {one['download_count']}{most} downloads, "
        f"until {one['expires_at'] or 'revoked'}{ended}"
    )
