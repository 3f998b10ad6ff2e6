"""Access control lists as requests and answers have them: canned names, grant headers, the XML document.

Grantees are named by canonical id, e-mail address or group URI; stored are account ids. Cost: one statement for each
grantee that is named by id or e-mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from accesscontrol.acl import (
    GRANT_COUNT_MAX,
    GROUP_URIS,
    Acl,
    AclDocument,
    AclGrant,
    Permission,
    canned_acl,
    make_acl,
    private_acl,
)
from accesscontrol.authorization import BucketAccess
from accesscontrol.public_access import ObjectOwnership, block_of
from accesscontrol.selectors import find_account_by_canonical_id, find_account_by_email, find_owner
from s3protocol import errors

BUCKET_OWNER_FULL_CONTROL: Final = "bucket-owner-full-control"
_GROUP_OF_URI: Final = {uri: group for group, uri in GROUP_URIS.items()}
_HEADER_GRANTEE = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^",]*?))\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class AclHeaders:
    """The headers that ask for a list: a canned name, or grantees for each permission."""

    canned: str | None = None
    full_control: str | None = None
    read: str | None = None
    read_acp: str | None = None
    write: str | None = None
    write_acp: str | None = None

    @property
    def grants(self) -> dict[Permission, str]:
        """The grant headers that are there."""
        named = {
            Permission.READ: self.read,
            Permission.WRITE: self.write,
            Permission.READ_ACP: self.read_acp,
            Permission.WRITE_ACP: self.write_acp,
            Permission.FULL_CONTROL: self.full_control,
        }
        return {permission: header for permission, header in named.items() if header is not None}

    @property
    def is_absent(self) -> bool:
        """Whether the request asks for nothing."""
        return self.canned is None and not self.grants


def acl_of_headers(headers: AclHeaders, *, owner_id: str, bucket_owner_id: str) -> Acl:
    """Read the list that headers ask for. Raises InvalidRequest, InvalidArgument, UnresolvableGrantByEmailAddress."""
    if headers.canned is not None:
        if headers.grants:
            raise errors.InvalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
        acl = canned_acl(headers.canned, owner_id=owner_id, bucket_owner_id=bucket_owner_id)
        if acl is None:
            raise errors.InvalidArgument(ArgumentName="x-amz-acl", ArgumentValue=headers.canned)
        return acl
    if headers.is_absent:
        return private_acl(owner_id)
    return _checked(
        AclGrant(grantee, permission)
        for permission, header in headers.grants.items()
        for grantee in _header_grantees(header)
    )


def _header_grantees(header: str) -> Iterable[str]:
    position = 0
    while position < len(header):
        found = _HEADER_GRANTEE.match(header, position)
        if found is None:
            raise errors.InvalidArgument("Argument format not recognized", ArgumentValue=header)
        kind, value = found[1].lower(), found[2] if found[2] is not None else found[3]
        if kind not in _RESOLVERS:
            raise errors.InvalidArgument("Argument format not recognized", ArgumentValue=header)
        yield _RESOLVERS[kind](value)
        position = found.end()


def acl_of_document(document: Mapping[str, Any], *, owner_id: str) -> Acl:
    """Read an AccessControlPolicy. Raises as `acl_of_headers` does, MalformedACLError, and AccessDenied for another owner."""
    named_owner = document.get("Owner", {}).get("ID")
    if named_owner is not None and named_owner != find_owner(owner_id).canonical_id:
        raise errors.AccessDenied
    return _checked(_grant_of_element(element) for element in document.get("Grants", []))


def _grant_of_element(element: Mapping[str, Any]) -> AclGrant:
    grantee, permission = element.get("Grantee"), element.get("Permission")
    if not grantee or permission is None:
        raise errors.MalformedACLError
    for member, kind in (("ID", "id"), ("URI", "uri"), ("EmailAddress", "emailaddress")):
        if member in grantee:
            return AclGrant(_RESOLVERS[kind](grantee[member]), Permission(permission))
    raise errors.MalformedACLError


def acl_of_log_grants(grants: Iterable[Mapping[str, Any]]) -> AclDocument:
    """Read the TargetGrants of a logging configuration, as grants that each log object gets. Raises as the others do."""
    acl = _checked(_grant_of_element(element) for element in grants)
    return [[grant.grantee, grant.permission.value] for grant in acl.grants]


def log_grant_members(document: AclDocument) -> list[dict[str, Any]]:
    """Render TargetGrants in S3's member names."""
    return [_shown_grant(AclGrant(grantee, Permission(permission))) for grantee, permission in document]


def _checked(grants: Iterable[AclGrant]) -> Acl:
    acl = make_acl(*grants)
    if len(acl.grants) > GRANT_COUNT_MAX:
        raise errors.MalformedACLError(f"A list holds {GRANT_COUNT_MAX} grants at most.")
    return acl


def _resolve_id(canonical_id: str) -> str:
    account_id = find_account_by_canonical_id(canonical_id)
    if account_id is None:
        raise errors.InvalidArgument("Invalid id", ArgumentName="CanonicalUser/ID", ArgumentValue=canonical_id)
    return account_id


def _resolve_email(email: str) -> str:
    account_id = find_account_by_email(email)
    if account_id is None:
        raise errors.UnresolvableGrantByEmailAddress
    return account_id


def _resolve_uri(uri: str) -> str:
    if uri not in _GROUP_OF_URI:
        raise errors.InvalidArgument("Invalid group uri", ArgumentName="Group/URI", ArgumentValue=uri)
    return _GROUP_OF_URI[uri].value


_RESOLVERS: Final = {"id": _resolve_id, "emailaddress": _resolve_email, "uri": _resolve_uri}


def requested_acl(
    headers: AclHeaders, document: Mapping[str, Any] | None, *, owner_id: str, bucket_owner_id: str
) -> Acl:
    """Read the list that a request to replace one asks for, in its headers or in its body, and not in both."""
    if document is not None:
        if not headers.is_absent:
            raise errors.UnexpectedContent("This request does not support content")
        return acl_of_document(document, owner_id=owner_id)
    if headers.is_absent:
        raise errors.MissingSecurityHeader("Your request was missing a required header", MissingHeaderName="x-amz-acl")
    return acl_of_headers(headers, owner_id=owner_id, bucket_owner_id=bucket_owner_id)


def check_acl_is_possible(bucket: BucketAccess, acl: Acl, headers: AclHeaders) -> None:
    """Raise for a list that the bucket does not take.

    AccessControlListNotSupported where the bucket's owner owns everything (but for the list that says so), AccessDenied
    for a public one where those are blocked.
    """
    if bucket.object_ownership == ObjectOwnership.BUCKET_OWNER_ENFORCED:
        says_so = headers.canned == BUCKET_OWNER_FULL_CONTROL
        says_so = says_so or (headers.canned is None and acl == private_acl(bucket.owner_id))
        if not says_so:
            raise errors.AccessControlListNotSupported
    if acl.is_public and block_of(bucket).blocks_public_acls:
        raise errors.AccessDenied


def acl_members(acl: Acl, owner_id: str) -> dict[str, Any]:
    """Render a list in S3's member names."""
    return {"Owner": account_members(owner_id), "Grants": [_shown_grant(grant) for grant in acl.grants]}


def account_members(account_id: str) -> dict[str, str]:
    """Render an account as S3 shows owners."""
    owner = find_owner(account_id)
    return {"ID": owner.canonical_id, "DisplayName": owner.display_name}


def _shown_grant(grant: AclGrant) -> dict[str, Any]:
    group = grant.group
    if group is not None:
        return {"Grantee": {"Type": "Group", "URI": group.uri}, "Permission": grant.permission.value}
    grantee = {"Type": "CanonicalUser", **account_members(grant.grantee)}
    return {"Grantee": grantee, "Permission": grant.permission.value}
