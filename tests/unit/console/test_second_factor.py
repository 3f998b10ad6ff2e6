"""Codes of an authenticator app count once, recovery codes as well, and the secret is stored sealed."""

from __future__ import annotations

import time

import pyotp
import pytest

from accesscontrol.models import Account, User
from console.models import SecondFactor
from console.services import second_factor

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    account = Account.objects.create(name="people", email="people@example.org")
    return User.objects.create(username="ann", name="ann", account=account, is_staff=True)


@pytest.fixture
def totp(user: User) -> pyotp.TOTP:
    return pyotp.TOTP(second_factor.offer(user).secret)


def code_at(totp: pyotp.TOTP, steps: int = 0) -> str:
    return totp.at(int(time.time()) + 30 * steps)


def test_an_offer_is_not_asked_for_before_it_is_confirmed(user, totp):
    assert not second_factor.is_asked(user)
    assert not second_factor.check(user, code_at(totp))
    assert second_factor.offer(user).secret == totp.secret


def test_a_wrong_code_does_not_confirm(user, totp):
    wrong = f"{(int(code_at(totp, 5)) + 1) % 10**6:06}"
    assert second_factor.confirm(user, wrong) is None
    assert second_factor.confirm(user, "") is None
    assert second_factor.confirm(user, "é") is None
    assert not second_factor.is_asked(user)


def test_a_code_counts_once_and_older_ones_not_any_more(user, totp):
    assert second_factor.confirm(user, code_at(totp))
    assert second_factor.is_asked(user)
    assert not second_factor.check(user, code_at(totp))
    following = code_at(totp, 1)
    assert second_factor.check(user, following[:3] + " " + following[3:])
    assert not second_factor.check(user, following)
    assert not second_factor.check(user, code_at(totp))


def test_codes_of_other_times_are_wrong(user, totp):
    second_factor.confirm(user, code_at(totp))
    assert not second_factor.check(user, code_at(totp, 4))
    assert not second_factor.check(user, code_at(totp, -4))


def test_each_recovery_code_works_once(user, totp):
    codes = second_factor.confirm(user, code_at(totp))
    assert codes is not None
    assert len(set(codes)) == second_factor.RECOVERY_CODE_COUNT
    assert second_factor.check(user, f" {codes[3].upper()} ")
    assert not second_factor.check(user, codes[3])
    assert second_factor.recovery_codes_left(user) == second_factor.RECOVERY_CODE_COUNT - 1


def test_what_is_stored_shows_neither_secret_nor_codes(user, totp):
    codes = second_factor.confirm(user, code_at(totp))
    factor = SecondFactor.objects.get(user=user)
    assert totp.secret.encode() not in bytes(factor.sealed_secret)
    assert not set(codes or []) & set(factor.recovery_digests)


def test_taken_away_the_password_is_enough(user, totp):
    second_factor.confirm(user, code_at(totp))
    assert second_factor.remove(user)
    assert not second_factor.is_asked(user)
    assert not second_factor.remove(user)
