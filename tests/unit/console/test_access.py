"""What is not known to be allowed is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory

from accesscontrol.models import Account, User
from accesscontrol.principal import ANONYMOUS
from console.access import principal_of, require


def principal(user: object) -> object:
    request = RequestFactory().get("/")
    request.user = user
    return principal_of(request)


def test_a_user_acts_as_his_account() -> None:
    account = Account(id="123456789012", name="a", canonical_id="c" * 64)
    found = principal(User(pk=7, username="u", name="root", account=account, is_root=True, is_active=True))
    assert (found.account_id, found.user_id, found.is_root) == ("123456789012", 7, True)
    require(found, "s3:GetObject", owner_id="123456789012")


def test_others_buckets_service_and_users_without_rights_are_refused() -> None:
    account = Account(id="123456789012", name="a", canonical_id="c" * 64)
    found = principal(User(pk=7, username="u", name="root", account=account, is_root=True, is_active=True))
    with pytest.raises(PermissionDenied, match="another account"):
        require(found, "s3:GetObject", owner_id="999999999999")
    with pytest.raises(PermissionDenied):
        require(replace(found, is_root=False), "s3:GetObject", owner_id="123456789012")


@pytest.mark.parametrize("user", [AnonymousUser(), User(username="u", is_active=False)])
def test_nobody_and_the_deactivated_are_anonymous(user: object) -> None:
    assert principal(user) is ANONYMOUS
    with pytest.raises(PermissionDenied):
        require(ANONYMOUS, "s3:ListAllMyBuckets", owner_id=None)
