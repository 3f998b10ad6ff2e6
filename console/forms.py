"""The forms of the console's pages, and what they say about wrong input."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from accesscontrol.models import User
from buckets.names import is_valid_bucket_name

HISTORY_SECONDS_MAX = 10 * 366 * 86_400
EXPIRIES = (
    (900, "15 minutes"),
    (3_600, "1 hour"),
    (43_200, "12 hours"),
    (86_400, "1 day"),
    (3 * 86_400, "3 days"),
    (7 * 86_400, "7 days"),
)
_HISTORY_UNITS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))


def bucket_name_problem(name: str) -> str | None:
    """Say in words which of S3's rules a bucket name breaks; None for a good one."""
    if not 3 <= len(name) <= 63:
        return "A bucket name has 3 to 63 characters."
    if name != name.lower():
        return "A bucket name has no capital letters."
    if re.search(r"[^a-z0-9.-]", name):
        return "A bucket name consists of small letters, digits, hyphens and dots."
    if not (name[0].isalnum() and name[-1].isalnum()):
        return "A bucket name begins and ends with a letter or a digit."
    if ".." in name:
        return "A bucket name has no two dots in a row."
    if re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name):
        return "A bucket name must not look like an IP address."
    if not is_valid_bucket_name(name):
        return "S3 keeps this beginning or ending of a bucket name for itself."
    return None


class SignInForm(AuthenticationForm):
    """Name and password of a user who may sign in to the console."""

    error_messages = {  # noqa: RUF012  Django declares it as an instance attribute
        "invalid_login": "This user name and password do not belong together.",
        "inactive": "This user is switched off.",
        "no_console": "This user may not sign in to the console.",
    }

    def confirm_login_allowed(self, user: User) -> None:
        """Refuse users who have only access keys. Raises ValidationError."""
        super().confirm_login_allowed(user)
        if not user.is_staff:
            raise ValidationError(self.error_messages["no_console"], code="no_console")


class CreateBucketForm(forms.Form):
    """A new bucket: its name, and whether it keeps every version."""

    name = forms.CharField(
        max_length=200,
        label="Name",
        help_text="3 to 63 small letters, digits, hyphens and dots; unique in the whole store.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    is_versioned = forms.BooleanField(
        required=False,
        label="Keep every version",
        help_text="S3 versioning. Without it, what is overwritten or deleted stays recoverable for the history window.",
    )

    def clean_name(self) -> str:
        """Apply S3's rules. Raises ValidationError."""
        name: str = self.cleaned_data["name"]
        problem = bucket_name_problem(name)
        if problem:
            raise ValidationError(problem)
        return name


class HistoryForm(forms.Form):
    """A bucket's history window as a number and a unit."""

    amount = forms.IntegerField(min_value=0, label="Keep for", widget=forms.NumberInput(attrs={"class": "short"}))
    unit = forms.TypedChoiceField(choices=_HISTORY_UNITS, coerce=int, label="Unit")

    @classmethod
    def showing(cls, history_seconds: int) -> HistoryForm:
        """Return an unbound form with the window in the largest unit that divides it."""
        unit = next(unit for unit, _ in _HISTORY_UNITS if history_seconds % unit == 0)
        return cls(initial={"amount": history_seconds // unit, "unit": unit})

    def clean(self) -> dict[str, Any]:
        """Multiply, within bounds. Raises ValidationError."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        seconds = cleaned.get("amount", 0) * cleaned.get("unit", 1)
        if seconds > HISTORY_SECONDS_MAX:
            raise ValidationError("The history window is at most ten years.")
        cleaned["history_seconds"] = seconds
        return cleaned


class PresignForm(forms.Form):
    """How long a presigned link is to work."""

    expires_seconds = forms.TypedChoiceField(choices=EXPIRIES, coerce=int, initial=3_600, label="Works for")
