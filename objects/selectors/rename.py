"""Which renames are remembered."""

from __future__ import annotations

from objects.models import RenameToken


def find_rename(*, bucket_id: int, token: str) -> str | None:
    """Return the digest of the parameters of the rename that used a token; None for a new token. One statement."""
    return RenameToken.objects.filter(bucket_id=bucket_id, token=token).values_list("parameters", flat=True).first()
