"""Signing in with a second factor, in a real browser."""

from __future__ import annotations

import time

import pyotp
import pytest

from tests.console.browser import Browser
from tests.console.session import ConsoleSession, Person
from tests.live.system import LiveSystem

pytestmark = [pytest.mark.live, pytest.mark.browser]


def test_a_user_sets_an_app_up_signs_in_with_it_and_takes_it_away(
    browser: Browser, live: LiveSystem, stranger: Person
) -> None:
    browser.sign_in(live.console_url, stranger.username, stranger.password)
    browser.wait_for_text("Buckets")
    browser.click("a.who")
    browser.click("main form button")
    totp = pyotp.TOTP(browser.one("#secret").text)
    assert browser.one("img.qr").size["width"] > 100
    browser.fill("#id_code", "000000" if totp.now() != "000000" else "111111")
    browser.click("main form button")
    browser.wait_for_text("This code is wrong")
    browser.fill("#id_code", totp.now())
    browser.click("main form button")
    browser.wait_for_text("Keep these recovery codes")
    codes = [element.text for element in browser.all(".codes code")]
    assert len(codes) == 10
    browser.click("button[aria-label='Sign out']")

    # The password alone opens nothing, wherever one turns.
    half = ConsoleSession(live.console_url)
    assert half.sign_in(stranger.username, stranger.password).url.endswith("/sign-in/code/")
    assert "/sign-in/" in half.get("/buckets/").url
    assert "/sign-in/" in half.get("/security/").url
    assert half.post("/sign-in/code/", code="123").status == 400
    assert "/sign-in/" in half.get("/buckets/").url

    browser.sign_in(live.console_url, stranger.username, stranger.password)
    browser.fill("#id_code", totp.at(int(time.time()) + 30))
    browser.click("form.stack button")
    browser.wait_for(lambda: browser.url.endswith("/buckets/"), "the buckets show")
    browser.click("a.who")
    browser.fill("#id_code", codes[0])
    browser.click("main form button.danger")
    browser.wait_for_text("password alone")
    assert browser.messages() == [] or all("400" in message for message in browser.messages())


def test_the_command_for_those_who_lost_both_says_what_is_wrong(live: LiveSystem) -> None:
    refused = live.manage("reset_second_factor", live.admin_user, is_checked=False)
    assert refused.returncode != 0
    assert "signs in without" in refused.stderr
    assert "no user nobody" in live.manage("reset_second_factor", "nobody", is_checked=False).stderr
