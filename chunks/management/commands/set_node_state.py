"""`manage.py set_node_state`: say what may be asked of a node."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chunks.errors import NodeUnavailable
from chunks.records import NodeState
from chunks.services import set_node_state

CONSEQUENCES = {
    NodeState.ACTIVE: "it takes new fragments",
    NodeState.DRAINING: "it takes no new fragments, and the workers move those that it holds to others",
    NodeState.READ_ONLY: "it takes no new fragments, and those that it holds stay",
    NodeState.DOWN: "it is not asked for anything, and the workers rebuild on others what it held",
}


class Command(BaseCommand):
    """Change one node's state."""

    help = "Set a node's state: " + "; ".join(f"{state}: {text}" for state, text in CONSEQUENCES.items()) + "."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        parser.add_argument("state", choices=[state.value for state in NodeState])

    def handle(self, *args: Any, **options: Any) -> None:
        """Change it, and say what follows."""
        state = NodeState(options["state"])
        try:
            node = set_node_state(name=options["name"], state=state)
        except NodeUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{node.name} is {state}: {CONSEQUENCES[state]}")
