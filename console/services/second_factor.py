"""The second factor of signing in: set up, confirmed, checked, taken away.

A code counts once (RFC 6238, section 5.2): the step that it belongs to is remembered under the row's lock, and so is
which recovery codes are left. Guessing is slowed down by `sign_in_attempts`, as it is for passwords.
"""

from __future__ import annotations

import hashlib
import secrets as random_secrets
import time
from dataclasses import dataclass

import pyotp
from django.db import transaction
from django.utils import timezone

from accesscontrol import secrets
from accesscontrol.models import User
from console.models import SecondFactor

ISSUER = "objstore"
STEP_SECONDS = 30
STEPS_OF_DRIFT = 1  # clocks of telephones are some seconds off
RECOVERY_CODE_COUNT = 10
_PURPOSE = b"console second factor"


@dataclass(frozen=True, slots=True)
class Offer:
    """A secret that is not in use yet, as text and as the address that authenticator apps read from a picture."""

    secret: str
    address: str


def is_asked(user: User) -> bool:
    """Say whether the user signs in with a second factor. One statement."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()


def recovery_codes_left(user: User) -> int:
    """Return how many recovery codes the user has not used."""
    return len(SecondFactor.objects.get(user=user).recovery_digests)


def offer(user: User) -> Offer:
    """Return the offer that waits for the user's first code; make one where there is none."""
    factor, _ = SecondFactor.objects.get_or_create(
        user=user, defaults={"sealed_secret": secrets.seal(pyotp.random_base32(), purpose=_PURPOSE)}
    )
    assert factor.confirmed_at is None, "a secret in use is not shown again"
    secret = secrets.unseal(factor.sealed_secret, purpose=_PURPOSE)
    return Offer(secret, pyotp.TOTP(secret).provisioning_uri(name=user.get_username(), issuer_name=ISSUER))


@transaction.atomic
def confirm(user: User, code: str) -> list[str] | None:
    """Begin to ask for the second factor, if the code is right; return the recovery codes, which are shown once."""
    factor = SecondFactor.objects.select_for_update().filter(user=user, confirmed_at=None).first()
    step = _step_of(factor, code) if factor else None
    if factor is None or step is None:
        return None
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODE_COUNT)]
    factor.recovery_digests = [_digest(one) for one in codes]
    factor.last_step = step
    factor.confirmed_at = timezone.now()
    factor.save()
    return codes


@transaction.atomic
def check(user: User, code: str) -> bool:
    """Say whether a code is right, and use it up: one of the app's, or a recovery code."""
    # The rival is the same code, sent twice at once.
    factor = SecondFactor.objects.select_for_update().filter(user=user, confirmed_at__isnull=False).first()
    if factor is None:
        return False
    digest = _digest(code)
    if digest in factor.recovery_digests:
        factor.recovery_digests.remove(digest)
        factor.save(update_fields=["recovery_digests"])
        return True
    step = _step_of(factor, code)
    if step is None or step <= factor.last_step:
        return False
    factor.last_step = step
    factor.save(update_fields=["last_step"])
    return True


def remove(user: User) -> bool:
    """Ask for the password alone again. Returns whether there was a second factor in use."""
    was_asked = is_asked(user)
    SecondFactor.objects.filter(user=user).delete()
    return was_asked


def _step_of(factor: SecondFactor, code: str) -> int | None:
    """Return the time step that a code belongs to; None for a wrong one, or one of another time."""
    totp = pyotp.TOTP(secrets.unseal(factor.sealed_secret, purpose=_PURPOSE), interval=STEP_SECONDS)
    now = int(time.time()) // STEP_SECONDS
    digits = code.replace(" ", "")
    for step in range(now - STEPS_OF_DRIFT, now + STEPS_OF_DRIFT + 1):
        if random_secrets.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
            return step
    return None


def _new_recovery_code() -> str:
    """Draw a code of 80 bits, in two groups of characters that are hard to mistake."""
    text = "".join(random_secrets.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(16))
    return f"{text[:8]}-{text[8:]}"


def _digest(code: str) -> str:
    """Return what is stored of a recovery code. 80 random bits need no slow hash."""
    return hashlib.sha256(code.strip().casefold().encode()).hexdigest()
