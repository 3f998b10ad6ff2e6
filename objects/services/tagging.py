"""Tags of a version: the one thing about it, beside locks and grants, that can change."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from events.cause import TAGS_PUT
from objects.models import ObjectVersion
from objects.services.events import note_version_change
from s3protocol import errors


def put_object_tagging(*, version_row: int, tags: Mapping[str, str], event_name: str = TAGS_PUT) -> None:
    """Replace the tags of a visible version. Raises NoSuchKey when it is gone meanwhile."""
    with transaction.atomic():
        if not ObjectVersion.objects.filter(pk=version_row, deleted_at=None).update(tags=dict(tags)):
            raise errors.NoSuchKey
        note_version_change(version_row, event_name)
