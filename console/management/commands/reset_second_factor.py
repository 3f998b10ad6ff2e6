"""Let somebody who lost both app and recovery codes sign in with the password alone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accesscontrol.models import User
from console.services import second_factor


class Command(BaseCommand):
    """Take a user's second factor away."""

    help = "Take the second factor away from a user of the console who lost it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['username']}")
        if not second_factor.remove(user):
            raise CommandError(f"{user} signs in without a second factor")
        self.stdout.write(f"{user} signs in with the password alone now")
