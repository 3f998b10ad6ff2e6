"""What a handler knows of the request besides its arguments: the principal and what the request addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accesscontrol.authorization import authorize
from accesscontrol.principal import Principal
from buckets.selectors import BucketRecord
from s3protocol import errors


@dataclass(slots=True)
class RequestContext:
    """A request that has been authorized for its own action.

    `version` is what `objects` found at the address of a read, `body` the stream of an upload.
    """

    principal: Principal
    region: str
    bucket_record: BucketRecord | None = None
    version: Any = None
    body: Any = None

    @property
    def bucket(self) -> BucketRecord:
        """Return the addressed bucket. Raises NoSuchBucket."""
        if self.bucket_record is None:
            raise errors.NoSuchBucket
        return self.bucket_record

    @property
    def account_id(self) -> str:
        """Return the principal's account, which owns what it makes. Raises AccessDenied for anonymous requests."""
        if self.principal.account_id is None:
            raise errors.AccessDenied
        return self.principal.account_id

    def authorize(self, action: str, *, owner_id: str | None) -> None:
        """Authorize a second resource that the request names, like a copy's source. Raises AccessDenied."""
        authorize(self.principal, action=action, owner_id=owner_id)
