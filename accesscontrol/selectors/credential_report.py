"""The credential report: a line of comma-separated values for each user of an account.

Columns: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

from accesscontrol.models import AccessKey, User
from accesscontrol.selectors.iam import holder_arn

_COLUMNS = [
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "access_key_2_last_used_region",
    "access_key_2_last_used_service",
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
]
_NO_KEY = ["false", "N/A", "N/A", "N/A", "N/A"]


def credential_report(account_id: str) -> str:
    """Write the report. Two statements."""
    users = User.objects.filter(account_id=account_id).order_by("-is_root", "name").prefetch_related("access_keys")
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for user in users:
        writer.writerow(_line(user))
    return written.getvalue()


def _line(user: User) -> Iterator[str]:
    yield "<root_account>" if user.is_root else user.name
    yield holder_arn(user)
    yield _time(user.created_at)
    yield _flag(user.has_usable_password())
    yield _time(user.last_login) if user.last_login else "no_information"
    yield from ("not_supported", "not_supported", "false")
    keys = sorted(user.access_keys.all(), key=lambda key: (key.created_at, key.pk))[:2]
    for key in keys:
        yield from _key(key)
    yield from _NO_KEY * (2 - len(keys))
    yield from ("false", "N/A", "false", "N/A")


def _key(key: AccessKey) -> Iterator[str]:
    yield _flag(key.is_active)
    yield _time(key.created_at)
    yield _time(key.last_used_at) if key.last_used_at else "N/A"
    yield key.last_used_region or "N/A"
    yield key.last_used_service or "N/A"


def _flag(is_so: bool) -> str:  # noqa: FBT001  the value is what is written
    return "true" if is_so else "false"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
