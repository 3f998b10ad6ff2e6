"""What is not known to be allowed is refused."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.test import RequestFactory

from accesscontrol.models import Account, User
from accesscontrol.principal import ANONYMOUS
from console.access import principal_of, require

ACCOUNT_ID = "123456789012"


def request_of(user: object) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


def root_user(**fields: object) -> User:
    account = Account(id=ACCOUNT_ID, name="a", canonical_id="c" * 64)
    values = {"pk": 7, "username": "u", "name": "root", "account": account, "is_root": True, "is_active": True}
    return User(**{**values, **fields})


def test_a_user_acts_as_his_account() -> None:
    found = principal_of(request_of(root_user()))
    assert (found.account_id, found.user_id, found.is_root) == (ACCOUNT_ID, 7, True)
    require(request_of(root_user()), "s3:GetObject")


def test_nobody_and_the_deactivated_are_anonymous() -> None:
    for user in (AnonymousUser(), root_user(is_active=False)):
        assert principal_of(request_of(user)) is ANONYMOUS
        with pytest.raises(PermissionDenied, match="s3:ListAllMyBuckets"):
            require(request_of(user), "s3:ListAllMyBuckets")


def test_a_view_that_names_no_action_is_our_mistake() -> None:
    with pytest.raises(AssertionError):
        require(request_of(root_user()))
