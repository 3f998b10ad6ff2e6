"""Single sign-on against a real OpenID Connect provider, over HTTP: who gets in, as whom, and who does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client
from oidc_provider_mock import User as ProviderUser
from oidc_provider_mock import run_server_in_thread

from accesscontrol.models import Account, User, UserGroup
from console.models import ExternalGroup, ExternalIdentity

pytestmark = pytest.mark.django_db

PEOPLE = (
    ProviderUser(sub="1", claims={"preferred_username": "ann", "groups": ["writers", "others"]}),
    ProviderUser(sub="2", claims={"preferred_username": "bob", "groups": ["nobodies"]}),
    ProviderUser(sub="3", claims={"preferred_username": "eve", "groups": ["operators"]}),
    ProviderUser(sub="4", claims={"preferred_username": "ann", "groups": "readers"}),
    ProviderUser(sub="5", claims={"preferred_username": "two", "groups": ["writers", "elsewhere"]}),
    ProviderUser(sub="6", claims={"preferred_username": "<script>", "groups": ["readers"]}),
)


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with run_server_in_thread(user_claims=PEOPLE, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def groups(provider: str, settings: Any) -> dict[str, UserGroup]:
    """The provider is configured, and its groups writers, readers and elsewhere mean something."""
    settings.OBJSTORE_OIDC_ISSUER = provider
    settings.OBJSTORE_OIDC_CLIENT_SECRET = "a secret that this provider does not check"
    settings.OBJSTORE_OIDC_OPERATOR_GROUP = "operators"
    account = Account.objects.create(name="press", email="press@example.org")
    other = Account.objects.create(name="other", email="other@example.org")
    made = {
        name: UserGroup.objects.create(account=owner, name=f"local-{name}")
        for name, owner in (("writers", account), ("readers", account), ("elsewhere", other))
    }
    for name, group in made.items():
        ExternalGroup.objects.create(claim=name, user_group=group)
    return made


@pytest.fixture
def sign_in(groups: dict[str, UserGroup]) -> Callable[..., tuple[Client, Any]]:
    """Return what takes somebody through the provider and returns the browser and the console's answer."""

    def walk(subject: str, next_address: str = "") -> tuple[Client, Any]:
        browser = Client()
        begun = browser.get("/sign-in/sso/", {"next": next_address})
        assert begun.status_code == 302
        sent = requests.post(begun["Location"], data={"sub": subject}, allow_redirects=False, timeout=10)
        back = urlsplit(sent.headers["Location"])
        assert back.path == "/sign-in/sso/back/"
        return browser, browser.get(f"{back.path}?{back.query}")

    return walk


def who(browser: Client) -> User | None:
    pk = browser.session.get("_auth_user_id")
    return User.objects.get(pk=pk) if pk else None


def test_a_member_of_a_mapped_group_becomes_a_user_of_its_account(sign_in, groups):
    browser, answer = sign_in("1", "/buckets/?begins=a")
    user = who(browser)
    assert answer["Location"] == "/buckets/?begins=a"
    assert user is not None
    assert (user.username, user.account.name, user.is_root, user.is_superuser) == ("ann", "press", False, False)
    assert list(user.user_groups.all()) == [groups["writers"]]
    assert not user.has_usable_password()


def test_the_second_time_it_is_the_same_user_with_the_groups_of_then(sign_in, groups):
    user = who(sign_in("1")[0])
    given_here = UserGroup.objects.create(account=user.account, name="given-here")
    user.user_groups.add(groups["readers"], given_here)
    assert who(sign_in("1")[0]) == user
    assert set(user.user_groups.all()) == {groups["writers"], given_here}


def test_without_a_group_that_means_something_nobody_gets_in(sign_in):
    browser, answer = sign_in("2")
    assert (answer.status_code, who(browser)) == (403, None)
    assert "none of your groups" in answer.content.decode()
    assert not User.objects.filter(username="bob").exists()


def test_groups_of_two_accounts_let_nobody_new_in(sign_in):
    browser, answer = sign_in("5")
    assert (answer.status_code, who(browser)) == (403, None)


def test_operators_belong_to_no_account_of_others_and_stop_when_the_provider_says_so(sign_in, settings):
    user = who(sign_in("3")[0])
    assert (user.is_superuser, user.is_root, user.account.name) == (True, False, "console")
    settings.OBJSTORE_OIDC_OPERATOR_GROUP = "another"
    browser, answer = sign_in("3")
    user.refresh_from_db()
    assert (answer.status_code, who(browser), user.is_superuser) == (403, None, False)


def test_a_name_that_is_taken_stays_whose_it_is(sign_in, groups):
    root = User.objects.create(username="ann", name="root", account=groups["writers"].account, is_root=True)
    user = who(sign_in("4")[0])
    assert user != root
    assert user.username.startswith("ann-")
    assert not user.is_root


def test_odd_names_become_names_that_iam_takes(sign_in):
    assert who(sign_in("6")[0]).username == "-script-"


def test_a_user_who_is_switched_off_stays_out(sign_in):
    User.objects.filter(pk=who(sign_in("1")[0]).pk).update(is_active=False)
    browser, answer = sign_in("1")
    assert (answer.status_code, who(browser)) == (403, None)


def test_an_address_of_another_site_is_not_followed(sign_in):
    assert sign_in("1", "https://evil.example/")[1]["Location"] == "/"


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(sign_in, groups):
    begun = Client().get("/sign-in/sso/")
    sent = requests.post(begun["Location"], data={"sub": "1"}, allow_redirects=False, timeout=10)
    back = urlsplit(sent.headers["Location"])
    other = Client()
    answer = other.get(f"{back.path}?{back.query}")
    assert (answer.status_code, who(other)) == (400, None)
    assert other.get(back.path, {"error": "access_denied"}).status_code == 400
    assert other.get(back.path).status_code == 400


def test_the_provider_is_asked_with_a_challenge_and_a_nonce(groups):
    query = parse_qs(urlsplit(Client().get("/sign-in/sso/")["Location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["nonce"]
    assert query["state"]


def test_a_provider_that_is_away_is_said_to_be(groups, settings):
    settings.OBJSTORE_OIDC_ISSUER = "http://localhost:9"
    answer = Client().get("/sign-in/sso/")
    assert answer.status_code == 502
    assert "does not answer" in answer.content.decode()


def test_without_a_provider_there_is_no_single_sign_on(settings):
    assert settings.OBJSTORE_OIDC_ISSUER == ""
    assert Client().get("/sign-in/sso/").status_code == 404
    assert Client().get("/sign-in/sso/back/").status_code == 404
    assert "sso" not in Client().get("/sign-in/").content.decode()
    assert not ExternalIdentity.objects.exists()
