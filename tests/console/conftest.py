"""Who visits the console in these tests: the operator, who owns the root account, and a stranger with another one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import pytest

from tests.console.browser import Browser
from tests.console.session import ConsoleSession, Person
from tests.live.system import LiveSystem

STRANGER_PASSWORD = "a stranger's password, 1"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def operator(live: LiveSystem) -> Person:
    session = ConsoleSession(live.console_url)
    answer = session.sign_in(live.admin_user, live.admin_password)
    assert answer.url.endswith("/buckets/"), answer.text
    return Person(live.admin_user, live.admin_password, session)


@pytest.fixture(scope="session")
def stranger(live: LiveSystem, operator: Person) -> Person:
    """Somebody with a root user of another account, made in the admin."""
    page = operator.session.post("/admin/accesscontrol/account/add/", name="strangers", email="strangers@example.org")
    assert page.status == 200, page.text
    users = operator.session.get("/admin/accesscontrol/user/", q="strangers").text
    row = re.search(r"/admin/accesscontrol/user/(\d+)/change/", users)
    assert row, users
    user = f"/admin/accesscontrol/user/{row[1]}"
    changed = operator.session.post(f"{user}/change/", is_staff="on")
    assert changed.status == 200
    password = {"password1": STRANGER_PASSWORD, "password2": STRANGER_PASSWORD, "usable_password": "true"}
    assert operator.session.post(f"{user}/password/", **password).status == 200
    session = ConsoleSession(live.console_url)
    assert session.sign_in("strangers", STRANGER_PASSWORD).url.endswith("/buckets/")
    return Person("strangers", STRANGER_PASSWORD, session)


@pytest.fixture
def new_bucket(live: LiveSystem) -> Callable[..., str]:
    """Return a maker of buckets of the operator, each with a name of its own."""

    def make(*, is_versioned: bool = False) -> str:
        name = f"console-{next(_numbers)}"
        client = live.client()
        client.create_bucket(Bucket=name)
        if is_versioned:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    return make


@pytest.fixture(scope="session")
def browser_session(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser.start(chromium_path, tmp_path_factory.mktemp("browser"))
    yield browser
    browser.stop()


@pytest.fixture
def browser(browser_session: Browser, live: LiveSystem) -> Browser:
    """A browser in which nobody is signed in."""
    browser_session.forget(live.console_url)
    return browser_session
