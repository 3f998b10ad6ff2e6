"""The admin's pages of groups, roles, policies and providers, and the end of a role's sessions."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accesscontrol.models import (
    Account,
    InlinePolicy,
    ManagedPolicy,
    OidcProvider,
    PolicyAttachment,
    PolicyVersion,
    Role,
    User,
    UserGroup,
)

pytestmark = pytest.mark.django_db
DOCUMENT = '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'


@pytest.fixture
def rows() -> dict[str, Any]:
    """One row of each kind."""
    account = Account.objects.create(name="press", email="press@example.org")
    user = User.objects.create(account=account, username="ann", name="ann")
    group = UserGroup.objects.create(account=account, name="writers")
    group.members.add(user)
    role = Role.objects.create(account=account, name="reader", trust_policy=DOCUMENT)
    policy = ManagedPolicy.objects.create(account=account, name="everything")
    return {
        "usergroup": group,
        "role": role,
        "managedpolicy": policy,
        "policyversion": PolicyVersion.objects.create(policy=policy, number=1, document=DOCUMENT),
        "inlinepolicy": InlinePolicy.objects.create(name="own", document=DOCUMENT, role=role),
        "policyattachment": PolicyAttachment.objects.create(policy=policy, group=group),
        "oidcprovider": OidcProvider.objects.create(account=account, url="idp.example.org"),
    }


@pytest.fixture
def operator() -> Client:
    """A superuser's browser."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("operator", "a good password 1"))
    return browser


def test_every_page_shows(rows: dict[str, Any], operator: Client) -> None:
    for name, row in rows.items():
        listing = operator.get(reverse(f"admin:accesscontrol_{name}_changelist"))
        assert listing.status_code == 200, name
        assert operator.get(reverse(f"admin:accesscontrol_{name}_change", args=[row.pk])).status_code == 200, name
    narrowed = operator.get(reverse("admin:accesscontrol_inlinepolicy_changelist"), {"role": rows["role"].pk})
    assert narrowed.status_code == 200
    assert b"own" in narrowed.content


def test_nothing_is_made_or_deleted_here(rows: dict[str, Any], operator: Client) -> None:
    for name, row in rows.items():
        assert operator.get(reverse(f"admin:accesscontrol_{name}_add")).status_code == 403, name
        deleting = reverse(f"admin:accesscontrol_{name}_delete", args=[row.pk])
        assert operator.post(deleting, {"post": "yes"}).status_code == 403, name


def test_an_operator_ends_the_sessions_of_a_role(rows: dict[str, Any], operator: Client) -> None:
    role = rows["role"]
    asked = {"action": "end_sessions", "_selected_action": [role.pk]}
    operator.post(reverse("admin:accesscontrol_role_changelist"), asked)
    role.refresh_from_db()
    assert role.sessions_valid_from is not None


def test_who_may_only_look_ends_none(rows: dict[str, Any]) -> None:
    from django.contrib.auth.models import Permission

    looker = User.objects.create(account=rows["role"].account, username="looker", name="looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_role"))
    browser = Client()
    browser.force_login(looker)
    asked = {"action": "end_sessions", "_selected_action": [rows["role"].pk]}
    browser.post(reverse("admin:accesscontrol_role_changelist"), asked)
    rows["role"].refresh_from_db()
    assert rows["role"].sessions_valid_from is None
