"""`GET /-/ready` on both ports: 200 where this process can serve, 503 where something that it needs does not answer."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, JsonResponse

from chunks import topology
from chunks.errors import NodeUnavailable

logger = logging.getLogger("objstore.readiness")


class NotReady(Exception):
    """Something that is needed is there but not enough."""


def check_database() -> None:
    """Ask the database for an answer; one round trip."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1")


def check_redis() -> None:
    """Ask the Redis server for an answer; one round trip."""
    cache.get("ready")


def check_nodes() -> None:
    """Find most nodes in their place, each by reading its identity: a few lost ones are the repairer's business."""
    snapshot = topology.current()
    present = 0
    for node_id in snapshot.nodes:
        try:
            snapshot.store(node_id).check_identity()
            present += 1
        except NodeUnavailable:
            continue
    if present * 2 <= len(snapshot.nodes):
        raise NotReady(f"{present} of {len(snapshot.nodes)} nodes answer")


CHECKS: dict[str, Callable[[], None]] = {"database": check_database, "redis": check_redis, "nodes": check_nodes}


def ready(_: HttpRequest) -> JsonResponse:
    """Answer with the state of each thing needed; what went wrong stands in the log alone."""
    states = {}
    for name, check in CHECKS.items():
        try:
            check()
            states[name] = "ok"
        except Exception as error:  # noqa: BLE001  whatever is wrong, it is not ready
            logger.warning("%s: %s", name, " ".join(str(error).split()) or type(error).__name__)
            states[name] = "unavailable"
    is_ready = set(states.values()) == {"ok"}
    return JsonResponse({"ready": is_ready, **states}, status=200 if is_ready else 503)
