"""Environment variables, read through typed helpers.

Each helper stops the start-up with a `ConfigurationError` that names the variable: a wrong value never becomes a
default. Secrets may also come from a file, named by `NAME_FILE`. Only `settings` (and `prepare_data_directory`, which
runs before them) read the environment; everybody else gets values from `django.conf.settings`.
`docs/configuration.md` lists every variable, and a test compares it with what the settings read.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

DATA_DIRECTORY_DEFAULT = "./var"
SECRET_KEY_FILE = "secret-key"  # noqa: S105  the name of the file, not a secret


class ConfigurationError(ImproperlyConfigured):
    """The environment is wrong in a way that the message says in one line, naming the variable."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """A PostgreSQL server and database, as `DATABASE_URL` names them."""

    host: str
    port: int | None
    name: str
    user: str
    password: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Environment:
    """A view on the variables that remembers which names were asked for."""

    variables: Mapping[str, str]
    names_read: set[str] = field(default_factory=set)

    def text(self, name: str, default: str) -> str:
        """Return the variable, or the default where it is unset or empty."""
        self.names_read.add(name)
        return self.variables.get(name, "") or default

    def integer(self, name: str, default: int, *, minimum: int = 0) -> int:
        """Return a whole number of at least `minimum`."""
        raw = self.text(name, str(default))
        try:
            value = int(raw)
        except ValueError:
            value = minimum - 1
        if value < minimum:
            raise ConfigurationError(f"{name}: expected a whole number of at least {minimum}, got {raw!r}")
        return value

    def optional_integer(self, name: str, *, minimum: int = 0) -> int | None:
        """Return a whole number of at least `minimum`, or None where the variable is unset or empty."""
        return self.integer(name, minimum, minimum=minimum) if self.text(name, "") else None

    def number(self, name: str, default: float, *, minimum: float = 0) -> float:
        """Return a finite decimal number of at least `minimum`."""
        raw = self.text(name, str(default))
        try:
            value = float(raw)
        except ValueError:
            value = minimum - 1
        if not minimum <= value < float("inf"):
            raise ConfigurationError(f"{name}: expected a number of at least {minimum}, got {raw!r}")
        return value

    def choice(self, name: str, default: str, *, choices: tuple[str, ...]) -> str:
        """Return one of a closed set of words, in lower case."""
        value = self.text(name, default).lower()
        if value not in choices:
            raise ConfigurationError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """Return the parts of a comma-separated list, trimmed, without empty ones."""
        return tuple(part.strip() for part in self.text(name, "").split(",") if part.strip())

    def networks(self, name: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """Return the networks of a comma-separated list, each as 10.0.0.0/8 or a single address."""
        try:
            return tuple(ipaddress.ip_network(word) for word in self.words(name))
        except ValueError as error:
            raise ConfigurationError(f"{name}: expected networks as 10.0.0.0/8, {reason(error)}") from error

    def directory(self, name: str, default: str) -> Path:
        """Return an absolute path with its symbolic links resolved. It need not exist."""
        raw = self.text(name, default)
        if "\0" in raw or "\n" in raw:
            raise ConfigurationError(f"{name}: a path cannot hold line breaks or null characters")
        return Path(raw).expanduser().resolve()

    def address(self, name: str, default: str) -> Address:
        """Return a `host:port` pair; an IPv6 host stands in brackets."""
        raw = self.text(name, default)
        try:
            parts = urlsplit(f"//{raw}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or not port or raw != str(Address(host, port)):
            raise ConfigurationError(f"{name}: expected host:port with a port of 1 to 65535, got {raw!r}")
        return Address(host, port)

    def secret(self, name: str) -> str | None:
        """Return a secret from the variable or from the file that NAME_FILE names; None where neither is set."""
        self.names_read.add(name)
        value, path = self.variables.get(name, ""), self.variables.get(f"{name}_FILE", "")
        if value and path:
            raise ConfigurationError(f"{name}: {name} and {name}_FILE are both set; keep one")
        if not path:
            return value or None
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n") or None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{name}_FILE: cannot read {path}: {reason(error)}") from error

    def secrets(self, prefix: str) -> dict[str, str]:
        """Return the secrets of all variables that begin so, by what follows; from files too, as `secret` does."""
        names = {name.removesuffix("_FILE") for name in self.variables if name.startswith(prefix)}
        found = {name.removeprefix(prefix): self.secret(name) for name in names if name != prefix}
        self.names_read.add(f"{prefix}NAME")  # how the document calls them
        return {name: value for name, value in found.items() if value is not None}

    def http_url(self, name: str) -> str:
        """Return the URL of an HTTP server; empty where the variable is unset."""
        raw = self.text(name, "")
        try:
            parts = urlsplit(raw)
            is_url = parts.scheme in {"http", "https"} and bool(parts.hostname)
        except ValueError:
            is_url = False
        if raw and not is_url:
            raise ConfigurationError(f"{name}: expected http://host:port or https://host:port, got {raw!r}")
        return raw

    def http_origin(self, name: str) -> str:
        """Return scheme, host and port of an HTTP server, without a slash; empty where the variable is unset."""
        raw = self.http_url(name).removesuffix("/")
        if raw and (urlsplit(raw).path or any(character in raw for character in "?#@ ")):
            raise ConfigurationError(f"{name}: expected https://host or https://host:port and no path, got {raw!r}")
        return raw

    def database_url(self, name: str) -> DatabaseAddress | None:
        """Return the PostgreSQL database of a `postgresql://` URL; its query holds libpq options (`?sslmode=require`)."""
        raw = self.secret(name)
        if raw is None:
            return None
        expectation = f"{name}: expected postgresql://user:password@host:port/database"
        try:
            parts = urlsplit(raw)
            port = parts.port
            options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        except ValueError as error:
            raise ConfigurationError(f"{expectation}, got a value that is not a URL ({reason(error)})") from error
        if parts.scheme not in {"postgres", "postgresql"}:
            raise ConfigurationError(f"{expectation}, got the scheme {parts.scheme!r}")
        database = unquote(parts.path.removeprefix("/"))
        host = unquote(parts.hostname or "") or options.pop("host", "")
        if not database or not host:
            raise ConfigurationError(f"{expectation}, got no {'host' if database else 'database name'}")
        return DatabaseAddress(
            host=host,
            port=port,
            name=database,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            options=options,
        )

    def redis_url(self, name: str) -> str | None:
        """Return the URL of a Redis protocol server: redis://, rediss:// or unix:///path."""
        raw = self.secret(name)
        if raw is None:
            return None
        expectation = f"{name}: expected redis://host:port/number"
        try:
            parts = urlsplit(raw)
            is_located = bool(parts.path if parts.scheme == "unix" else parts.hostname)
            parts.port  # noqa: B018  raises ValueError where it is no port
        except ValueError as error:
            raise ConfigurationError(f"{expectation}, got a value that is not a URL ({reason(error)})") from error
        if parts.scheme not in {"redis", "rediss", "unix"}:
            raise ConfigurationError(f"{expectation}, got the scheme {parts.scheme!r}")
        if not is_located:
            raise ConfigurationError(f"{expectation}, got no host")
        return raw


def reason(error: BaseException) -> str:
    """Return what went wrong in one line, without the path that an OSError repeats."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())


def data_directory(environment: Environment) -> Path:
    """Return the directory under which everything lives."""
    return environment.directory("OBJSTORE_DATA_DIR", DATA_DIRECTORY_DEFAULT)


def secret_key(environment: Environment) -> str:
    """Return Django's SECRET_KEY, from which the key that seals stored secrets is derived too.

    It comes from OBJSTORE_SECRET_KEY, else from the file that `manage.py up` once wrote. Nothing else makes one: a
    process that starts with a wrong data directory must stop, not seal secrets with a key of its own.
    """
    value = environment.secret("OBJSTORE_SECRET_KEY")
    if value is None:
        path = data_directory(environment) / SECRET_KEY_FILE
        try:
            value = path.read_text(encoding="ascii").strip()
        except FileNotFoundError as error:
            message = f"OBJSTORE_SECRET_KEY is unset and {path} does not exist: `manage.py up` creates it"
            raise ConfigurationError(message) from error
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"OBJSTORE_SECRET_KEY is unset and {path}: {reason(error)}") from error
    if len(value) < 32:
        raise ConfigurationError("OBJSTORE_SECRET_KEY: expected at least 32 characters of random text")
    return value


PREVIOUS_SECRET_KEY_FILE = "secret-key.previous"  # noqa: S105  the name of the file, not a secret


def previous_secret_keys(environment: Environment) -> list[str]:
    """Return the key before, while secrets are sealed anew: of the environment, or of the file that the rotation left."""
    value = environment.secret("OBJSTORE_PREVIOUS_SECRET_KEY")
    if value is None:
        try:
            value = (data_directory(environment) / PREVIOUS_SECRET_KEY_FILE).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{PREVIOUS_SECRET_KEY_FILE}: {reason(error)}") from error
    return [value] if value else []


def prepare_data_directory(variables: Mapping[str, str]) -> Path:
    """Create the data directory with its `run` directory and secret key, each only where it is missing."""
    environment = Environment(variables)
    directory = data_directory(environment)
    try:
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        (directory / "run").mkdir(mode=0o700, exist_ok=True)
        if environment.secret("OBJSTORE_SECRET_KEY") is None and not (directory / SECRET_KEY_FILE).exists():
            write_private_file(directory / SECRET_KEY_FILE, secrets.token_urlsafe(48) + "\n")
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise ConfigurationError(f"OBJSTORE_DATA_DIR: cannot write to {directory}: {reason(error)}") from error
    return directory


def write_private_file(path: Path, text: str) -> None:
    """Write a file that only its owner may read, durably: the whole text or no file, also when the power fails."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
