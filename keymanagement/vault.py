"""Keys held by HashiCorp Vault or OpenBao: the transit secrets engine, over HTTP.

A key here is a transit key of type aes256-gcm96 under the same name; the context travels as associated data. Source:
https://developer.hashicorp.com/vault/api-docs/secret/transit
"""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from keymanagement.errors import KeyExists, KeyManagementUnavailable, KeyNotFound, WrapInvalid
from keymanagement.protocol import WrappedKey

ANSWER_SECONDS_MAX = 5.0
REMEMBERED_SECONDS = 30.0
_ANSWER_BYTES_MAX = 1 << 20


class VaultTransit:
    """Keys of a transit engine. One HTTP request for each call, but that versions are remembered for a while."""

    def __init__(self, url: str, token: str, mount: str = "transit") -> None:
        self._base = f"{url.rstrip('/')}/v1/{urllib.parse.quote(mount.strip('/'))}"
        self._token = token
        self._newest: dict[str, tuple[int, float]] = {}

    def create_key(self, name: str) -> None:
        """Make a key with its first version. Raises KeyExists."""
        # Transit answers the same whether a key was made or was there, so it is asked before.
        if self._call("GET", f"keys/{name}") is not None:
            raise KeyExists(name)
        self._call("POST", f"keys/{name}", {"type": "aes256-gcm96"})

    def rotate_key(self, name: str) -> int:
        """Give a key a new version and return its number. Raises KeyNotFound."""
        self.newest_version(name)
        self._call("POST", f"keys/{name}/rotate", {})
        self._newest.pop(name, None)
        return self.newest_version(name)

    def newest_version(self, name: str) -> int:
        """Return the number of the version that wraps. Raises KeyNotFound."""
        remembered = self._newest.get(name)
        if remembered is not None and time.monotonic() - remembered[1] < REMEMBERED_SECONDS:
            return remembered[0]
        answer = self._call("GET", f"keys/{name}")
        if answer is None:
            raise KeyNotFound(name)
        newest = int(answer["latest_version"])
        self._newest[name] = newest, time.monotonic()
        return newest

    def list_key_names(self) -> list[str]:
        """Return the names of all keys, in order."""
        answer = self._call("GET", "keys?list=true")
        return [] if answer is None else sorted(answer["keys"])

    def wrap(self, name: str, data_key: bytes, context: bytes) -> WrappedKey:
        """Wrap a data key with the newest version. Raises KeyNotFound."""
        # Asked before, because `encrypt` makes a key that is not there for a token that may.
        self.newest_version(name)
        question = {"plaintext": base64.b64encode(data_key).decode(), **_associated(context)}
        answer = self._call("POST", f"encrypt/{name}", question)
        if answer is None:
            raise KeyNotFound(name)
        text = str(answer["ciphertext"])
        return WrappedKey(name, _version_of(text), text)

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Return the data key. Raises KeyNotFound, WrapInvalid."""
        question = {"ciphertext": wrapped.text, **_associated(context)}
        answer = self._call("POST", f"decrypt/{wrapped.key_name}", question)
        if answer is None:
            raise KeyNotFound(wrapped.key_name)
        return base64.b64decode(answer["plaintext"])

    def _call(self, method: str, path: str, question: dict[str, str] | None = None) -> dict[str, Any] | None:
        """Ask Vault; None for what is not there. Raises WrapInvalid for a refused question."""
        request = urllib.request.Request(  # noqa: S310  the settings take http and https alone
            f"{self._base}/{path}",
            method=method,
            data=None if question is None else json.dumps(question).encode(),
            headers={"X-Vault-Token": self._token, "X-Vault-Request": "true", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX) as response:  # noqa: S310  likewise
                text = response.read(_ANSWER_BYTES_MAX)
            return dict(json.loads(text).get("data") or {}) if text else {}
        except urllib.error.HTTPError as error:
            _explain(error)
            return None
        except (OSError, ValueError) as error:
            raise KeyManagementUnavailable(f"Vault does not answer: {error}") from error


def _explain(error: urllib.error.HTTPError) -> None:
    """Say nothing of what is not there. Raises WrapInvalid for 400, KeyManagementUnavailable for all else."""
    with error:
        reasons = error.read(_ANSWER_BYTES_MAX).decode("utf-8", "replace")
    if error.code == 404 or (error.code == 400 and "key not found" in reasons):
        return
    if error.code == 400:
        raise WrapInvalid(f"Vault refuses: {reasons}")
    raise KeyManagementUnavailable(f"Vault answers {error.code}: {reasons}")


def _associated(context: bytes) -> dict[str, str]:
    return {"associated_data": base64.b64encode(context).decode()} if context else {}


def _version_of(text: str) -> int:
    """Read the version out of `vault:v3:...`."""
    try:
        return int(text.split(":")[1].removeprefix("v"))
    except (IndexError, ValueError):
        raise KeyManagementUnavailable("Vault answers with something else than vault:vN:...") from None
