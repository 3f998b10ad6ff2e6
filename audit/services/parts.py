"""Rows for each of several things that one request does, such as the keys of DeleteObjects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from audit.draft import AuditDraft, scope
from audit.services.batches import leave
from s3protocol.errors import S3Error


@contextmanager
def one_of_many(
    whole: AuditDraft | None,
    *,
    action: str,
    key: str | None,
    version_id: str | None = None,
    bucket: tuple[str, str] | None = None,
) -> Iterator[AuditDraft | None]:
    """Give a block a draft of its own, which has its row whether the block changes something, does nothing, or fails.

    `bucket` is another one than the request's, if it is about that, and the account that owns it.
    """
    if whole is None:
        yield None
        return
    one = whole.for_resource(action=action, key=key, version_id=version_id, bucket=bucket)
    with scope(one):
        try:
            yield one
        except S3Error as error:
            one.error_reason = error.message
            one.finish(status=error.status, error_code=error.code)
            leave(one)
            raise
        if not one.is_written:
            one.finish(status=200)
            leave(one)
