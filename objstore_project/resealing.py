"""Seal anew what is secret at rest, after the master key was changed: rows that the key before sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db import transaction

from sealing import reseal_bytes

BATCH_ROWS = 200

SEALED_COLUMNS = (
    ("accesscontrol.AccessKey", "sealed_secret_key", b"objstore access keys"),
    ("buckets.RemoteStore", "sealed_secret_key", b"objstore remote stores"),
    ("chunks.Node", "sealed_options", b"objstore storage nodes"),
    ("console.SecondFactor", "sealed_secret", b"console second factor"),
    ("events.EventTarget", "sealed_settings", b"objstore event targets"),
    ("keymanagement.KeyVersion", "sealed_material", b"objstore key ring"),
)
"""Every column that holds something sealed, and its purpose. A test compares it with the models."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """What was done in a column: rows sealed anew, rows that no known key opens."""

    column: str
    rows: int
    unreadable: int


def reseal_rows() -> Iterator[Resealed]:
    """Seal all rows by the current key. May be killed and repeated; rows are locked one batch at a time."""
    assert settings.SECRET_KEY_FALLBACKS, "without a key before there is nothing to seal anew"
    for label, column, purpose in SEALED_COLUMNS:
        yield _reseal_column(label, column, purpose)


def _reseal_column(label: str, column: str, purpose: bytes) -> Resealed:
    model = apps.get_model(label)
    rows, unreadable, after = 0, 0, 0
    while True:
        with transaction.atomic():
            batch = list(
                model._default_manager.select_for_update()  # noqa: SLF001  Django's name for it
                .filter(pk__gt=after)
                .order_by("pk")[:BATCH_ROWS]
            )
            for row in batch:
                sealed = getattr(row, column)
                if not sealed:
                    continue
                anew = reseal_bytes(bytes(sealed), purpose=purpose)
                if anew is None:
                    unreadable += 1
                    continue
                model._default_manager.filter(pk=row.pk).update(**{column: anew})  # noqa: SLF001  as above
                rows += 1
        if not batch:
            return Resealed(f"{label}.{column}", rows, unreadable)
        after = batch[-1].pk
