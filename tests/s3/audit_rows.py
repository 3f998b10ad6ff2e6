"""What the live system's audit log holds, asked as an operator would."""

from __future__ import annotations

import json
from typing import Any

from tests.live.processes import wait_until
from tests.live.system import LiveSystem


def audit_rows(live: LiveSystem, *arguments: str) -> list[dict[str, Any]]:
    """Search by the command, oldest first."""
    done = live.manage("audit_search", "--json", *arguments)
    return [json.loads(line) for line in reversed(done.stdout.splitlines())]


def wait_for_rows(live: LiveSystem, count: int, *arguments: str) -> list[dict[str, Any]]:
    """Search until there are so many rows: reads and refusals are written a moment later."""
    found: list[dict[str, Any]] = []

    def claim() -> bool:
        found[:] = audit_rows(live, *arguments)
        return len(found) >= count

    wait_until(claim, f"{count} audit rows of {arguments}", seconds=30)
    return found
