"""Access control lists as values."""

from __future__ import annotations

import json

import pytest

from accesscontrol.acl import Acl, AclGrant, Permission, canned_acl, make_acl, private_acl, read_acl
from accesscontrol.policy import Reach
from accesscontrol.principal import ANONYMOUS, Principal
from tests.unit.accesscontrol.cast import OTHER_ID, OWNER_ID, ROOT, STRANGER


def canned(name: str, *, owner: str = OTHER_ID, bucket_owner: str = OWNER_ID) -> Acl:
    acl = canned_acl(name, owner_id=owner, bucket_owner_id=bucket_owner)
    assert acl is not None
    return acl


@pytest.mark.parametrize(
    ("name", "grants", "is_public"),
    [
        ("private", [], False),
        ("public-read", [("AllUsers", "READ")], True),
        ("public-read-write", [("AllUsers", "READ"), ("AllUsers", "WRITE")], True),
        ("authenticated-read", [("AuthenticatedUsers", "READ")], True),
        ("log-delivery-write", [("LogDelivery", "WRITE"), ("LogDelivery", "READ_ACP")], False),
    ],
)
def test_canned_lists_are_what_s3_says(*, name: str, grants: list[tuple[str, str]], is_public: bool) -> None:
    acl = canned(name)
    expected = [*grants, (OTHER_ID, "FULL_CONTROL")]
    assert [(grant.grantee, grant.permission) for grant in acl.grants] == expected
    assert acl.is_public is is_public


def test_canned_lists_for_the_bucket_s_owner_share_with_it() -> None:
    assert (OWNER_ID, "READ") in [(grant.grantee, grant.permission) for grant in canned("bucket-owner-read").grants]
    assert len(canned("bucket-owner-full-control").grants) == 2
    assert canned("bucket-owner-full-control", owner=OWNER_ID) == private_acl(OWNER_ID)
    assert canned_acl("public", owner_id=OWNER_ID, bucket_owner_id=OWNER_ID) is None


def test_a_private_list_is_stored_as_nothing() -> None:
    assert private_acl(OWNER_ID).document(OWNER_ID) is None
    assert private_acl(OWNER_ID).document(OTHER_ID) is not None
    assert read_acl(None, OWNER_ID) == private_acl(OWNER_ID)
    assert Acl(()).document(OWNER_ID) == []


@pytest.mark.parametrize("name", ["public-read", "public-read-write", "bucket-owner-read"])
def test_lists_come_back_as_they_were_stored(name: str) -> None:
    assert read_acl(json.dumps(canned(name).document(OTHER_ID)), OTHER_ID) == canned(name)


@pytest.mark.parametrize(
    ("grantee", "caller", "reach"),
    [
        ("AllUsers", ANONYMOUS, Reach.EVERYONE),
        ("AllUsers", STRANGER, Reach.EVERYONE),
        ("AuthenticatedUsers", ANONYMOUS, None),
        ("AuthenticatedUsers", STRANGER, Reach.EVERYONE),
        ("LogDelivery", STRANGER, None),
        (OTHER_ID, STRANGER, Reach.ACCOUNT),
        (OTHER_ID, ROOT, None),
    ],
)
def test_grants_reach_whom_they_name(grantee: str, caller: Principal, reach: Reach | None) -> None:
    acl = make_acl(AclGrant(grantee, Permission.READ))
    found = [grant.reach for grant in acl.grants_for(caller, Permission.READ, ignores_public=False)]
    assert found == ([] if reach is None else [reach])
    assert not list(acl.grants_for(caller, Permission.WRITE, ignores_public=False))


def test_full_control_is_every_permission() -> None:
    acl = make_acl(AclGrant(OTHER_ID, Permission.FULL_CONTROL))
    assert all(list(acl.grants_for(STRANGER, permission, ignores_public=False)) for permission in Permission)


def test_public_grants_may_be_ignored() -> None:
    acl = make_acl(AclGrant("AllUsers", Permission.READ), AclGrant(OTHER_ID, Permission.READ))
    found = list(acl.grants_for(STRANGER, Permission.READ, ignores_public=True))
    assert [grant.reach for grant in found] == [Reach.ACCOUNT]
