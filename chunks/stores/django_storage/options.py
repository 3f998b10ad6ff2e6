"""What a node's storage is configured with, as its row keeps it: plain options in the open, secret ones sealed.

An option's name may have dots, for storages that take a mapping: `params.username` is the username in `params`. A value
may be left to the environment of each process: the row then names the variable, `OBJSTORE_NODE_SECRET_<NAME>`.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

import sealing
from chunks.errors import NodeUnavailable

PURPOSE = b"objstore storage nodes"
_FROM_ENVIRONMENT = "from_environment"

# What sounds like a secret is kept as one, however it was given.
_SECRET_NAME = re.compile(
    r"pass(word|phrase|wd)|secret|token|key|credential|connection_string|private|signature", re.IGNORECASE
)
_PATH_NAME = re.compile(r"(file|filename|path|dir)$", re.IGNORECASE)
_URL_WITH_PASSWORD = re.compile(r"://[^/@]*:[^/@]*@")


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """The options of one node's storage. `sealed` is a JSON object like `plain`, sealed; empty where there is none."""

    plain: Mapping[str, Any] = field(default_factory=dict)
    sealed: bytes = b""

    def opened(self) -> dict[str, Any]:
        """Return all options as the storage class takes them. NodeUnavailable where a secret can't be had here."""
        options = {**self.plain, **self._secrets()}
        return _nested((name, _resolved(value)) for name, value in options.items())

    def changed(self, changes: "StoreOptions", removed: Collection[str] = ()) -> "StoreOptions":
        """Return these options with some others or gone. NodeUnavailable where the secrets can't be opened."""
        fresh = changes._secrets()  # noqa: SLF001  of the same class
        gone = {*removed, *changes.plain, *fresh}
        plain = {name: value for name, value in self.plain.items() if name not in gone} | dict(changes.plain)
        secrets = {name: value for name, value in self._secrets().items() if name not in gone} | fresh
        return StoreOptions(plain, _sealed(secrets))

    def _secrets(self) -> dict[str, Any]:
        if not self.sealed:
            return {}
        try:
            found: dict[str, Any] = json.loads(sealing.unseal_bytes(self.sealed, purpose=PURPOSE))
        except sealing.SecretUnreadable:
            raise NodeUnavailable("its secrets were sealed with another OBJSTORE_SECRET_KEY") from None
        return found


def build_options(
    given: Mapping[str, Any], secret: Mapping[str, Any], from_environment: Mapping[str, str]
) -> StoreOptions:
    """Sort options into what may be shown and what may not. `from_environment` names a variable for each."""
    sealed = dict(secret) | {name: value for name, value in given.items() if is_secret(name, value)}
    plain = {name: value for name, value in given.items() if name not in sealed}
    plain |= {name: {_FROM_ENVIRONMENT: variable} for name, variable in from_environment.items()}
    return StoreOptions(plain, _sealed(sealed))


def _sealed(secrets: Mapping[str, Any]) -> bytes:
    return sealing.seal_bytes(json.dumps(dict(secrets)).encode(), purpose=PURPOSE) if secrets else b""


def is_secret(name: str, value: Any) -> bool:
    """Say whether an option must not be shown."""
    last = name.rpartition(".")[2]
    if _URL_WITH_PASSWORD.search(str(value)):
        return True
    return bool(_SECRET_NAME.search(last)) and not _PATH_NAME.search(last)


def describe(plain: Mapping[str, Any]) -> str:
    """Return the open options in a line, for people."""
    return " ".join(
        f"{name}=(from OBJSTORE_NODE_SECRET_{value[_FROM_ENVIRONMENT]})" if _is_reference(value) else f"{name}={value}"
        for name, value in sorted(plain.items())
    )


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {_FROM_ENVIRONMENT}


def _resolved(value: Any) -> Any:
    if not _is_reference(value):
        return value
    name = value[_FROM_ENVIRONMENT]
    try:
        return settings.OBJSTORE_NODE_SECRETS[name]
    except KeyError:
        raise NodeUnavailable(f"OBJSTORE_NODE_SECRET_{name} is not set for this process") from None


def _nested(options: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in options:
        *parents, last = name.split(".")
        place = found
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise NodeUnavailable(f"option {name}: {parent} has a value of its own")
        place[last] = value
    return found
