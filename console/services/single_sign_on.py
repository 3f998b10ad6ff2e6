"""Single sign-on by OpenID Connect: who somebody is at the provider, and what their groups mean here.

The protocol (discovery, PKCE, nonce, signature and claims of the ID token) is Authlib's. Ours is the rule: somebody whom
the provider knows gets in as a user of the account whose groups their groups map to, or as an operator, or not at all.
Memberships in mapped groups follow the provider at each sign-in; others, given here, stay.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from authlib.integrations.django_client import OAuth
from django.conf import settings
from django.db import transaction

from accesscontrol.models import Account, User, UserGroup
from console.models import ExternalIdentity

PROVIDER_SECONDS_MAX = 10
OPERATORS_ACCOUNT = "console"
_NO_GROUP = "none of your groups may use this console"

logger = logging.getLogger("objstore.console")


class NotAdmittedError(Exception):
    """The provider knows the person, and nothing lets them in here; the text says why."""


@dataclass(frozen=True, slots=True)
class Person:
    """What the provider said of whoever signs in."""

    issuer: str
    subject: str
    name: str
    groups: frozenset[str]

    @property
    def is_operator(self) -> bool:
        """Whether one of the groups is that of the operators."""
        return bool(settings.OBJSTORE_OIDC_OPERATOR_GROUP) and settings.OBJSTORE_OIDC_OPERATOR_GROUP in self.groups


def is_offered() -> bool:
    """Say whether a provider is configured."""
    return bool(settings.OBJSTORE_OIDC_ISSUER)


def client() -> Any:
    """Return Authlib's client of the configured provider. It asks the provider for its addresses when it needs them."""
    return OAuth().register(
        "provider",
        server_metadata_url=settings.OBJSTORE_OIDC_ISSUER.rstrip("/") + "/.well-known/openid-configuration",
        client_id=settings.OBJSTORE_OIDC_CLIENT_ID,
        client_secret=settings.OBJSTORE_OIDC_CLIENT_SECRET,
        client_kwargs={
            "scope": settings.OBJSTORE_OIDC_SCOPES,
            "code_challenge_method": "S256",
            "default_timeout": PROVIDER_SECONDS_MAX,
            "token_endpoint_auth_method": "client_secret_basic" if settings.OBJSTORE_OIDC_CLIENT_SECRET else "none",
        },
    )


def read_person(provider: Any, token: Mapping[str, Any]) -> Person:
    """Read the claims of a verified ID token; groups that it lacks are asked of the provider. NotAdmittedError."""
    claims = dict(token.get("userinfo") or {})
    if claims.get("iss", "").rstrip("/") != settings.OBJSTORE_OIDC_ISSUER.rstrip("/") or not claims.get("sub"):
        raise NotAdmittedError("the provider's token is of another issuer, or of nobody")
    if settings.OBJSTORE_OIDC_GROUPS_CLAIM not in claims and provider.load_server_metadata().get("userinfo_endpoint"):
        more = dict(provider.userinfo(token=token))
        if more.get("sub") != claims["sub"]:  # OpenID Connect Core, 5.3.2
            raise NotAdmittedError("the provider told about somebody else")
        claims = {**more, **claims}
    groups = claims.get(settings.OBJSTORE_OIDC_GROUPS_CLAIM) or []
    return Person(
        issuer=claims["iss"],
        subject=str(claims["sub"]),
        name=str(claims.get("preferred_username") or claims.get("email") or claims["sub"]),
        groups=frozenset([groups] if isinstance(groups, str) else map(str, groups)),
    )


def admit(person: Person) -> User:
    """Return the person's user, made at the first time, with the memberships of today. NotAdmittedError."""
    user, reason = _find_and_follow(person)
    if reason:
        raise NotAdmittedError(reason)
    return user


@transaction.atomic
def _find_and_follow(person: Person) -> tuple[User, str]:
    """Return the user, and why not to let it in. Rights that the provider took away are gone even then."""
    # The rival is the same person at another window: the row of the identity orders them, its uniqueness the first time.
    identity = (
        ExternalIdentity.objects.select_for_update(of=("self",))
        .select_related("user__account")
        .filter(issuer=person.issuer, subject=person.subject)
        .first()
    )
    mapped = _mapped_groups(person)
    user = identity.user if identity else _new_user(person, _account_for(person, mapped))
    theirs = [group for group in mapped if group.account_id == user.account_id]
    _follow(user, theirs, is_operator=person.is_operator)
    ExternalIdentity.objects.update_or_create(user=user, defaults={"issuer": person.issuer, "subject": person.subject})
    if not user.is_active:
        return user, "your user is switched off"
    return user, "" if theirs or person.is_operator else _NO_GROUP


def _mapped_groups(person: Person) -> list[UserGroup]:
    return list(UserGroup.objects.filter(external_groups__claim__in=person.groups).distinct().order_by("pk"))


def _account_for(person: Person, mapped: Collection[UserGroup]) -> Account:
    """Return the account of a new user: that of the groups, or the operators'. NotAdmittedError if it is unclear."""
    accounts = {group.account_id for group in mapped}
    if len(accounts) > 1:
        raise NotAdmittedError("your groups belong to several accounts")
    if accounts:
        return Account.objects.get(pk=accounts.pop())
    if not person.is_operator:
        raise NotAdmittedError(_NO_GROUP)
    account, _ = Account.objects.get_or_create(
        name=OPERATORS_ACCOUNT, defaults={"email": "console@localhost", "display_name": "console"}
    )
    return account


def _new_user(person: Person, account: Account) -> User:
    """Make a user without a password. A name that is taken is somebody else's: the newcomer gets another one."""
    name = re.sub(r"[^\w+=,.@-]", "-", person.name, flags=re.ASCII)[:50]
    taken = User.objects.filter(username=name) | User.objects.filter(account=account, name__iexact=name)
    if taken.exists():
        name += "-" + hashlib.sha256(f"{person.issuer} {person.subject}".encode()).hexdigest()[:8]
    user = User(username=name, name=name, account=account, is_staff=True)
    user.set_unusable_password()
    user.save()
    logger.info("single sign-on made the user %s of account %s", name, account.name)
    return user


def _follow(user: User, groups: Collection[UserGroup], *, is_operator: bool) -> None:
    """Make memberships in mapped groups, and the operator's rights, what the provider says today."""
    mapped = UserGroup.objects.filter(account=user.account_id, external_groups__isnull=False)
    stale = mapped.filter(members=user).exclude(pk__in=[group.pk for group in groups])
    user.user_groups.remove(*stale)
    user.user_groups.add(*groups)
    if user.is_superuser != is_operator:
        user.is_superuser = is_operator
        user.save(update_fields=["is_superuser"])
