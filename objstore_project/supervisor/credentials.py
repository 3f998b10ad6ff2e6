"""The first credentials: those that the environment gives, the rest generated once and kept in the data directory."""

from __future__ import annotations

import json
import secrets
import string
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from objstore_project.environment import ConfigurationError, reason, write_private_file

FILE_NAME = "credentials.json"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The root account's access key and the console's first user."""

    access_key: str
    secret_key: str
    admin_user: str
    admin_password: str


def _random_text(length: int, alphabet: str) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def ensure_credentials(data_directory: Path) -> Credentials:
    """Return the credentials, generating what neither the environment nor the file gives.

    The file holds what was generated alone: a secret that the environment gives is not copied to the disk.
    """
    path = data_directory / FILE_NAME
    kept = read_credentials_file(path)
    generated = {
        "access_key": f"OBJ{_random_text(17, string.ascii_uppercase + '234567')}",
        "secret_key": secrets.token_urlsafe(30),
        "admin_password": secrets.token_urlsafe(15),
    }
    given = {
        "access_key": settings.OBJSTORE_ROOT_ACCESS_KEY,
        "secret_key": settings.OBJSTORE_ROOT_SECRET_KEY,
        "admin_password": settings.OBJSTORE_ADMIN_PASSWORD,
    }
    wanted = {name: kept.get(name) or generated[name] for name, value in given.items() if not value}
    if any(kept.get(name) != value for name, value in wanted.items()):
        write_private_file(path, json.dumps({**kept, **wanted}, indent=2) + "\n")
    values = {name: value or wanted[name] for name, value in given.items()}
    return Credentials(admin_user=settings.OBJSTORE_ADMIN_USER, **values)


def read_credentials_file(path: Path) -> dict[str, str]:
    """Return the generated credentials; none where there is no file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in document.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {reason(error)}") from error


def banner(credentials: Credentials) -> str:
    """Return what a person needs to begin; secrets that the environment gave are not repeated."""
    secret_key = "(OBJSTORE_ROOT_SECRET_KEY)" if settings.OBJSTORE_ROOT_SECRET_KEY else credentials.secret_key
    password = "(OBJSTORE_ADMIN_PASSWORD)" if settings.OBJSTORE_ADMIN_PASSWORD else credentials.admin_password
    rows = (
        ("S3 endpoint", f"{settings.OBJSTORE_SCHEME}://{settings.OBJSTORE_S3_ADDRESS}"),
        ("Access key", credentials.access_key),
        ("Secret key", secret_key),
        ("Region", settings.OBJSTORE_REGION),
        ("Console", f"{settings.OBJSTORE_SCHEME}://{settings.OBJSTORE_CONSOLE_ADDRESS}/"),
        ("User", credentials.admin_user),
        ("Password", password),
        ("Data", str(settings.OBJSTORE_DATA_DIR)),
    )
    lines = "".join(f"  {label:<12} {value}\n" for label, value in rows)
    return f"\nobjstore is ready. Ctrl-C stops it.\n\n{lines}\n"
