"""`manage.py add_event_target`: register a place that events of buckets can be sent to."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import RegexValidator

from accesscontrol.management.account_arguments import add_account_arguments, chosen_account
from events.arns import NAME_PATTERN, TargetKind
from events.errors import TargetMisconfigured
from events.services.targets import add_event_target

SETTINGS = {
    "url": "http(s)://… of a webhook, redis(s)://…, amqp(s)://…; user and password may stand in it",
    "token": "webhook: sent as `Authorization: Bearer`",
    "secret": "webhook: signs each body (x-objstore-signature: sha256=HMAC in hexadecimal)",
    "stream": "redis: the stream that gets the entries",
    "exchange": "amqp: the exchange; none is the default one, which routes by the name of a queue",
    "routing-key": "amqp: the routing key",
}


class Command(BaseCommand):
    """Register a target."""

    help = "Register a webhook, a Redis stream or an AMQP exchange, and print the names that configurations use for it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", help="letters, digits, dashes and underscores")
        parser.add_argument("--type", choices=[kind.value for kind in TargetKind], required=True, dest="kind")
        for name, text in SETTINGS.items():
            parser.add_argument(f"--{name}", default="", required=name == "url", help=text)
        add_account_arguments(parser)
        parser.add_argument(
            "--event-bus", action="store_true", help="it stands for EventBridge, and gets events in that format"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Register it."""
        try:
            RegexValidator(rf"\A{NAME_PATTERN}\Z")(options["name"])
            target = add_event_target(
                name=options["name"],
                kind=TargetKind(options["kind"]),
                settings={name: options[name] for name in (key.replace("-", "_") for key in SETTINGS)},
                **chosen_account(options),
                is_event_bus=options["event_bus"],
            )
        except ValidationError:
            raise CommandError("the name: expected letters, digits, dashes and underscores, 63 at most") from None
        except TargetMisconfigured as error:
            raise CommandError(str(error)) from None
        self.stdout.write(target.arn)
