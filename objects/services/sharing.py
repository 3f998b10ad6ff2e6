"""PutObjectAcl."""

from __future__ import annotations

from accesscontrol.acl import AclDocument
from objects.models import ObjectVersion
from s3protocol import errors


def put_object_acl(*, version_row: int, acl: AclDocument | None) -> None:
    """Replace the grants of a visible version; None is private. Raises NoSuchKey when it is gone meanwhile."""
    if not ObjectVersion.objects.filter(pk=version_row, deleted_at=None).update(acl=acl):
        raise errors.NoSuchKey
