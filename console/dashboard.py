"""Put the store's facts on the admin's first page; unfold calls this (see `theme`)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from chunks.records import NodeState
from console.selectors.facts import find_store_facts
from journal.selectors import journal_status


def add_facts(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the page shows, for those who may see it all."""
    if request.user.is_active and request.user.is_superuser:
        context["facts"] = find_store_facts()
        context["journal"] = journal_status()
        context["node_states"] = [
            {"value": state, "label": state.name.replace("_", " ").capitalize()} for state in NodeState
        ]
    context["title"] = "Dashboard"
    return context
