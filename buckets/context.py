"""What a handler knows of the request besides its arguments: the principal and what the request addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accesscontrol.authorization import VersionAccess, decide
from accesscontrol.denials import access_denied
from accesscontrol.policy import ACL_SOURCE, Decision, Outcome
from accesscontrol.principal import Principal
from accesscontrol.request_facts import NO_FACTS, RequestFacts, StatedValues
from audit.draft import AuditDraft
from audit.services.parts import one_of_many
from buckets.selectors import BucketRecord
from s3protocol import errors

PAYER_HEADER = "x-amz-request-payer"


@dataclass(slots=True)
class RequestContext:
    """A request that has been authorized for its own action.

    `key` is the addressed one, `version` what `objects` found at the address of a read, `body` the stream of an upload, `facts` what conditions
    of policies may ask of the request, `audit` the draft of its row in the audit log, `as_of` the moment that a read is about if not the present.
    """

    principal: Principal
    region: str
    bucket_record: BucketRecord | None = None
    key: str | None = None
    version: Any = None
    body: Any = None
    facts: RequestFacts = NO_FACTS
    audit: AuditDraft | None = None
    as_of: datetime | None = None

    def is_charged(self, bucket: BucketRecord) -> bool:
        """Say whether the bucket has requesters pay, and this is one: somebody other than its owner."""
        return bucket.is_requester_pays and self.principal.account_id != bucket.owner_id

    def require_payer(self, bucket: BucketRecord) -> None:
        """Raise AccessDenied for who would be charged and is nobody, or has not agreed to it."""
        agreed = self.facts.headers.get(PAYER_HEADER) or self.facts.query.get(PAYER_HEADER)
        if self.is_charged(bucket) and (self.principal.is_anonymous or agreed != "requester"):
            raise errors.AccessDenied

    @property
    def bucket(self) -> BucketRecord:
        """Return the addressed bucket. Raises NoSuchBucket."""
        if self.bucket_record is None:
            raise errors.NoSuchBucket
        return self.bucket_record

    @property
    def account_id(self) -> str:
        """Return the principal's account. Raises AccessDenied for anonymous requests."""
        if self.principal.account_id is None:
            raise errors.AccessDenied
        return self.principal.account_id

    @property
    def writer_id(self) -> str:
        """Return the account that owns what this request writes, unless the bucket's ownership says otherwise.

        What nobody writes belongs to the bucket's owner, who let nobody write it.
        """
        return self.principal.account_id or self.bucket.owner_id

    def decide(
        self,
        action: str,
        *,
        bucket: BucketRecord | None = None,
        bucket_name: str | None = None,
        key: str | None = None,
        version: VersionAccess | None = None,
        request_tags: Mapping[str, str] | None = None,
        stated: StatedValues | None = None,
    ) -> Decision:
        """Decide about an action on the addressed bucket or another one, or with a key on an object in it."""
        decision = decide(
            self.principal,
            action=action,
            bucket=bucket or self.bucket_record,
            bucket_name=bucket_name,
            key=key,
            version=version,
            facts=self.facts,
            request_tags=request_tags,
            stated=stated,
        )
        if self.audit is not None:
            self.audit.note(action, key, decision)
        return decision

    @contextmanager
    def one_of_many(
        self, *, action: str, key: str, version_id: str | None, bucket: BucketRecord | None = None
    ) -> Iterator[None]:
        """Audit what a block does by itself: one of several things that the request names, in its bucket or in another."""
        whole, where = self.audit, None if bucket is None else (bucket.name, bucket.owner_id)
        try:
            with one_of_many(whole, action=action, key=key, version_id=version_id, bucket=where) as self.audit:
                yield
        finally:
            self.audit = whole

    def authorize(
        self,
        action: str,
        *,
        bucket: BucketRecord | None = None,
        bucket_name: str | None = None,
        key: str | None = None,
        version: VersionAccess | None = None,
        request_tags: Mapping[str, str] | None = None,
        stated: StatedValues | None = None,
    ) -> None:
        """Authorize what the request does beside its own action, like reading a copy's source. Raises AccessDenied."""
        decision = self.decide(
            action,
            bucket=bucket,
            bucket_name=bucket_name,
            key=key,
            version=version,
            request_tags=request_tags,
            stated=stated,
        )
        if not decision.is_allowed:
            raise access_denied(decision)

    def authorize_object(
        self,
        action: str,
        *,
        bucket: BucketRecord | None = None,
        key: str,
        version: VersionAccess | None,
        request_tags: Mapping[str, str] | None = None,
        stated: StatedValues | None = None,
    ) -> None:
        """Authorize an action on the version that was found at a key. Raises AccessDenied.

        That nothing is there is told to those alone who may list the bucket; whether they may read it is then no matter.
        """
        found = None if version is None or version.is_delete_marker else version
        decision = self.decide(action, bucket=bucket, key=key, version=found, request_tags=request_tags, stated=stated)
        if decision.outcome == Outcome.EXPLICIT_DENY:
            raise access_denied(decision)
        if found is None:
            decision = self.decide("s3:ListBucket", bucket=bucket, stated={"s3:prefix": key})
        if not decision.is_allowed:
            raise access_denied(decision)

    def authorize_brought(self, action: str, *, key: str, version: VersionAccess, is_free: bool = False) -> None:
        """Authorize an action that a write brings along in its headers, on the version that it writes. Raises AccessDenied.

        Whom an access control list lets write, no list can let do that, so they may; `is_free` is what everybody may. A policy
        may deny it all the same.
        """
        decision = self.decide(action, key=key, version=version)
        if decision.is_allowed or (is_free and decision.outcome != Outcome.EXPLICIT_DENY):
            return
        writing = self.decide("s3:PutObject", key=key)
        is_listed = any(match.source == ACL_SOURCE and match.is_allow for match in writing.trace)
        if decision.outcome == Outcome.EXPLICIT_DENY or not is_listed:
            raise access_denied(decision)
