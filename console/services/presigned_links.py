"""Links that read one object through S3 until they expire, signed with the signed-in user's own access key."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings

from accesscontrol.models import User
from accesscontrol.selectors import find_credentials
from s3protocol.presign import SigningCredentials, presign_v4

_ALL_INTERFACES = {"0.0.0.0", "::"}  # noqa: S104  their names are compared, nothing listens here


class NoUsableKey(Exception):
    """The user has no active access key to sign with."""


def make_presigned_link(
    *, user: User, bucket: str, key: str, version_id: str | None, expires_seconds: int, console_host: str
) -> str:
    """Sign a GET of an object. Raises NoUsableKey. Cost: two statements.

    `console_host` is the name under which the browser reached the console: the S3 gateway has it, too, where its
    address is all interfaces.
    """
    access_key_id = (
        user.access_keys.filter(is_active=True)
        .order_by("created_at", "pk")
        .values_list("access_key_id", flat=True)
        .first()
    )
    credentials = None if access_key_id is None else find_credentials(access_key_id)
    if access_key_id is None or credentials is None:
        raise NoUsableKey
    return presign_v4(
        SigningCredentials(access_key_id, credentials.secret_key, region=settings.OBJSTORE_REGION),
        method="GET",
        endpoint=s3_endpoint(console_host),
        path=f"/{bucket}/{key}",
        query=[] if version_id is None else [("versionId", version_id)],
        expires_seconds=expires_seconds,
        now=datetime.now(UTC),
    )


def s3_endpoint(console_host: str) -> str:
    """Return scheme, host and port of the S3 gateway as a browser reaches it."""
    if settings.OBJSTORE_S3_URL:
        return str(settings.OBJSTORE_S3_URL)
    address = settings.OBJSTORE_S3_ADDRESS
    host = console_host if address.host in _ALL_INTERFACES else address.host
    host = f"[{host}]" if ":" in host else host
    return f"{settings.OBJSTORE_SCHEME}://{host}:{address.port}"
