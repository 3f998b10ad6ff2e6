"""What the role of a replication configuration may do, asked when a version is carried.

As AWS asks: s3:GetObjectVersionForReplication and s3:GetObjectVersionAcl of the source, s3:ReplicateObject or
s3:ReplicateDelete of the destination. Without s3:GetObjectVersionTagging or s3:ReplicateTags tags stay behind.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from django.conf import settings

from accesscontrol.authorization import decide, decide_about
from accesscontrol.principal import Principal
from accesscontrol.request_facts import RequestFacts
from accesscontrol.services.service_roles import assume_for_service
from buckets.selectors import BucketRecord
from objects.models import Replication
from objects.selectors.lookup import VersionRecord

SERVICE = "s3.amazonaws.com"


class ReplicationRefused(Exception):
    """The destination is not there, takes no replicas, or the role may not."""


@dataclass(frozen=True, slots=True)
class ReplicationRole:
    """The role that a row is carried as. It fails closed: what its policies and the buckets' don't allow is refused."""

    row: Replication
    source: BucketRecord
    principal: Principal
    facts: RequestFacts

    @classmethod
    def assume(cls, row: Replication, source: BucketRecord) -> Self:
        """Assume the role of a row. Raises RoleNotAssumable. Cost: two or three statements."""
        facts = RequestFacts(is_secure=True, now=datetime.now(UTC), region=settings.OBJSTORE_REGION)
        principal = assume_for_service(
            SERVICE,
            role_arn=row.role_arn,
            account_id=source.owner_id,
            source_arn=f"arn:aws:s3:::{source.name}",
            facts=facts,
        )
        return cls(row, source, principal, facts)

    def may(self, action: str, bucket: BucketRecord, version: VersionRecord | None = None) -> bool:
        """Say whether the role may do an action with the key."""
        return decide(
            self.principal, action=action, bucket=bucket, key=self.row.key, version=version, facts=self.facts
        ).is_allowed

    def require(self, action: str, bucket: BucketRecord, version: VersionRecord | None = None) -> None:
        """Raise ReplicationRefused unless the role may."""
        if not self.may(action, bucket, version):
            raise ReplicationRefused(f"{self.row.role_arn} may not {action} on {bucket.name}/{self.row.key}")

    def require_remote(self, action: str) -> None:
        """Likewise for a bucket of another store, about which the role's own policies decide alone."""
        if not self._may_remotely(action):
            raise ReplicationRefused(f"{self.row.role_arn} may not {action} on {self._remote_arn}")

    def _may_remotely(self, action: str) -> bool:
        return decide_about(
            self.principal,
            action=action,
            resource=self._remote_arn,
            owner_account_id=self.source.owner_id,
            facts=self.facts,
        ).is_allowed

    @property
    def _remote_arn(self) -> str:
        return f"arn:objstore:s3::{self.row.remote_name}:{self.row.destination_name}/{self.row.key}"

    def readable(self, version: VersionRecord) -> VersionRecord:
        """Return the version of the source, if the role may read it. Raises ReplicationRefused."""
        if not version.is_delete_marker:
            self.require("s3:GetObjectVersionForReplication", self.source, version)
            self.require("s3:GetObjectVersionAcl", self.source, version)
        return version

    def tagged(self, version: VersionRecord, destination: BucketRecord | None) -> VersionRecord:
        """Return the version with the tags that the role may take along; without a destination, to another store."""
        if not version.tags:
            return version
        may_put = (
            self._may_remotely("s3:ReplicateTags") if destination is None else self.may("s3:ReplicateTags", destination)
        )
        may_read = self.may("s3:GetObjectVersionTagging", self.source, version)
        return version if may_put and may_read else version._replace(tags={})
