"""PutObjectAcl."""

from __future__ import annotations

from django.db import transaction

from accesscontrol.acl import AclDocument
from events.cause import ACL_PUT
from objects.models import ObjectVersion
from objects.services.events import note_version_change
from s3protocol import errors


def put_object_acl(*, version_row: int, acl: AclDocument | None) -> None:
    """Replace the grants of a visible version; None is private. Raises NoSuchKey when it is gone meanwhile."""
    with transaction.atomic():
        if not ObjectVersion.objects.filter(pk=version_row, deleted_at=None).update(acl=acl):
            raise errors.NoSuchKey
        note_version_change(version_row, ACL_PUT)
