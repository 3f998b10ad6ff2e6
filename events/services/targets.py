"""Register, change and remove targets."""

from __future__ import annotations

import json
from urllib.parse import urlsplit, urlunsplit

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accesscontrol.secrets import seal, unseal
from events.arns import TargetKind
from events.errors import TargetMisconfigured
from events.models import EventTarget
from events.senders import Settings, check_settings

PURPOSE = b"objstore event targets"


def add_event_target(
    *,
    name: str,
    kind: TargetKind,
    settings: Settings,
    account_id: str = "",
    is_shared: bool = False,
    is_event_bus: bool = False,
) -> EventTarget:
    """Register a target of an account, or for all. Connects to nothing: a test event finds out whether it answers.

    `settings` hold `url` and what the kind needs. Raises TargetMisconfigured, also for a name that is taken.
    """
    kept = {key: value for key, value in settings.items() if value}
    check_settings(kind, kept)
    try:
        with transaction.atomic():
            return EventTarget.objects.create(
                name=name,
                kind=kind.value,
                address=shown_address(kept["url"]),
                sealed_settings=seal(json.dumps(kept), purpose=PURPOSE),
                account_id=account_id,
                is_shared=is_shared,
                is_event_bus=is_event_bus,
            )
    except IntegrityError as error:
        taken = (
            "there is an event bus already" if "one_event_bus" in str(error) else f"there is a target {name!r} already"
        )
        raise TargetMisconfigured(taken) from None


def target_settings(target: EventTarget) -> Settings:
    """Open the settings of a target. Raises SecretUnreadable."""
    opened: dict[str, str] = json.loads(unseal(target.sealed_settings, purpose=PURPOSE))
    return opened


def remove_event_target(target: EventTarget) -> None:
    """Remove a target and what waits for it. Raises TargetMisconfigured while a bucket's configuration names it."""
    try:
        target.delete()
    except ProtectedError:
        raise TargetMisconfigured(f"configurations of buckets name {target.name!r}") from None


def shown_address(url: str) -> str:
    """Return a URL without user, password and query, which may be secrets."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
