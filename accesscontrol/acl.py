"""Access control lists: grants, the canned ones, and what a grant allows. Pure.

A list is kept as compact JSON, `[["AllUsers", "READ"], ["123456789012", "FULL_CONTROL"]]`: the grantee is an account or
one of S3's groups. A private list, the owner's full control alone, is kept as nothing at all. The owner's control never
depends on the list: it is who it is.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from accesscontrol.policy import Caller, Grant, Reach

GRANT_COUNT_MAX = 100
REMEMBERED_LISTS_MAX = 2_000

AclDocument = list[list[str]]
"""A list as it is stored, in JSON."""


class Permission(StrEnum):
    """What a grant gives."""

    READ = "READ"
    WRITE = "WRITE"
    READ_ACP = "READ_ACP"
    WRITE_ACP = "WRITE_ACP"
    FULL_CONTROL = "FULL_CONTROL"


class Group(StrEnum):
    """S3's predefined groups; the values are their names in stored lists."""

    ALL_USERS = "AllUsers"
    AUTHENTICATED_USERS = "AuthenticatedUsers"
    LOG_DELIVERY = "LogDelivery"

    @property
    def uri(self) -> str:
        """The group as requests and answers name it."""
        return GROUP_URIS[self]


GROUP_URIS: Final = {
    Group.ALL_USERS: "http://acs.amazonaws.com/groups/global/AllUsers",
    Group.AUTHENTICATED_USERS: "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
    Group.LOG_DELIVERY: "http://acs.amazonaws.com/groups/s3/LogDelivery",
}
_GROUP_NAMES: Final = frozenset(group.value for group in Group)
PUBLIC_GROUPS: Final = frozenset({Group.ALL_USERS.value, Group.AUTHENTICATED_USERS.value})

# Which permission each action of a bucket's or an object's list needs. The table of AWS, with DeleteObject by WRITE as
# S3 has always let it: who may overwrite an object may as well delete it.
BUCKET_PERMISSIONS: Final = {
    "s3:ListBucket": Permission.READ,
    "s3:ListBucketVersions": Permission.READ,
    "s3:ListBucketMultipartUploads": Permission.READ,
    "s3:PutObject": Permission.WRITE,
    "s3:DeleteObject": Permission.WRITE,
    "s3:GetBucketAcl": Permission.READ_ACP,
    "s3:PutBucketAcl": Permission.WRITE_ACP,
}
OBJECT_PERMISSIONS: Final = {
    "s3:GetObject": Permission.READ,
    "s3:GetObjectVersion": Permission.READ,
    "s3:GetObjectTorrent": Permission.READ,
    "s3:GetObjectAcl": Permission.READ_ACP,
    "s3:GetObjectVersionAcl": Permission.READ_ACP,
    "s3:PutObjectAcl": Permission.WRITE_ACP,
    "s3:PutObjectVersionAcl": Permission.WRITE_ACP,
}


@dataclass(frozen=True, slots=True)
class AclGrant:
    """A permission and who has it: an account id or the name of a group."""

    grantee: str
    permission: Permission

    @property
    def group(self) -> Group | None:
        """The group that is meant, if it is none of the accounts."""
        return Group(self.grantee) if self.grantee in _GROUP_NAMES else None

    @property
    def is_public(self) -> bool:
        """Whether people have it whom nobody named."""
        return self.grantee in PUBLIC_GROUPS


@dataclass(frozen=True, slots=True)
class Acl:
    """A list of grants. Those of groups come first, so that answers have one order."""

    grants: tuple[AclGrant, ...]

    @property
    def is_public(self) -> bool:
        """Whether any grant is public."""
        return any(grant.is_public for grant in self.grants)

    def document(self, owner_id: str) -> AclDocument | None:
        """Render the list for its column; None for the private one of the owner."""
        if self == private_acl(owner_id):
            return None
        return [[grant.grantee, grant.permission.value] for grant in self.grants]

    def grants_for(self, caller: Caller, permission: Permission, *, ignores_public: bool) -> Iterator[Grant]:
        """Yield what the list says for a principal that needs a permission."""
        for grant in self.grants:
            if grant.permission not in (permission, Permission.FULL_CONTROL) or (ignores_public and grant.is_public):
                continue
            reach = _reach(grant, caller)
            if reach is not Reach.NOBODY:
                yield Grant(f"{grant.permission} to {grant.grantee}", reach)


def _reach(grant: AclGrant, caller: Caller) -> Reach:
    if grant.grantee == Group.ALL_USERS:
        return Reach.EVERYONE
    if caller.account_id is None:
        return Reach.NOBODY
    if grant.grantee == Group.AUTHENTICATED_USERS:
        return Reach.EVERYONE
    return Reach.ACCOUNT if grant.grantee == caller.account_id else Reach.NOBODY


def make_acl(*grants: AclGrant) -> Acl:
    """Put grants into their order, each once."""
    return Acl(tuple(sorted(dict.fromkeys(grants), key=lambda grant: grant.group is None)))


def private_acl(owner_id: str) -> Acl:
    """Return the list of what nobody shares."""
    return Acl((AclGrant(owner_id, Permission.FULL_CONTROL),))


def read_acl(stored: str | None, owner_id: str) -> Acl:
    """Read a list from its column."""
    return private_acl(owner_id) if stored is None else _parse_stored(stored)


@lru_cache(maxsize=REMEMBERED_LISTS_MAX)
def _parse_stored(stored: str) -> Acl:
    return Acl(tuple(AclGrant(grantee, Permission(permission)) for grantee, permission in json.loads(stored)))


_CANNED: Final = {
    "private": (),
    "aws-exec-read": (),  # and EC2, of which there is none
    "public-read": ((Group.ALL_USERS, Permission.READ),),
    "public-read-write": ((Group.ALL_USERS, Permission.READ), (Group.ALL_USERS, Permission.WRITE)),
    "authenticated-read": ((Group.AUTHENTICATED_USERS, Permission.READ),),
    "log-delivery-write": ((Group.LOG_DELIVERY, Permission.WRITE), (Group.LOG_DELIVERY, Permission.READ_ACP)),
}
_CANNED_FOR_BUCKET_OWNER: Final = {
    "bucket-owner-read": Permission.READ,
    "bucket-owner-full-control": Permission.FULL_CONTROL,
}


def canned_acl(name: str, *, owner_id: str, bucket_owner_id: str) -> Acl | None:
    """Return what a canned list means for a resource, or None for an unknown name."""
    own = AclGrant(owner_id, Permission.FULL_CONTROL)
    if name in _CANNED:
        return make_acl(own, *(AclGrant(group.value, permission) for group, permission in _CANNED[name]))
    if name in _CANNED_FOR_BUCKET_OWNER:
        if bucket_owner_id == owner_id:
            return make_acl(own)
        return make_acl(own, AclGrant(bucket_owner_id, _CANNED_FOR_BUCKET_OWNER[name]))
    return None
