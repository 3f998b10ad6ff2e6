"""Tags of a version: the one thing about it, beside locks and grants, that can change."""

from __future__ import annotations

from collections.abc import Mapping

from objects.models import ObjectVersion
from s3protocol import errors


def put_object_tagging(*, version_row: int, tags: Mapping[str, str]) -> None:
    """Replace the tags of a visible version. Raises NoSuchKey when it is gone meanwhile."""
    if not ObjectVersion.objects.filter(pk=version_row, deleted_at=None).update(tags=dict(tags)):
        raise errors.NoSuchKey
