"""Session tokens: temporary credentials that hold, sealed, everything that they are.

Nothing is stored when a session is made, and none is looked up by its key: the token that comes with every request says
whose session it is, until when, and with which policies. What may change meanwhile (the role's policies, whether the
user is still there) is looked up as for any other key (`selectors.principals`).

A token is a Fernet token of the deflated JSON of a `SessionSeal`: authenticated, so that it can't be made up, and
encrypted, as it holds the secret key. Rotating SECRET_KEY (see SECRET_KEY_FALLBACKS) rotates these, too.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from accesscontrol import secrets
from accesscontrol.errors import SecretUnreadable
from accesscontrol.principal import SessionKind

PURPOSE = b"objstore session tokens"
TOKEN_LENGTH_MAX = 8_192
_DOCUMENT_BYTES_MAX = 65_536


@dataclass(frozen=True, slots=True)
class SessionSeal:
    """What a token holds. `issuer_id` is the unique id of the role or user; times are seconds since the epoch.

    `policies` are texts, `policy_ids` rows of managed policies; both absent (None) is no session policy at all.
    """

    access_key_id: str
    secret_key: str
    kind: SessionKind
    account_id: str
    issuer_id: str
    name: str
    issued_at_seconds: int
    expires_at_seconds: int
    policies: tuple[str, ...] | None = None
    policy_ids: tuple[int, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str | None = None
    federated_provider: str | None = None
    claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def issued_at(self) -> datetime:
        """When the session was made."""
        return datetime.fromtimestamp(self.issued_at_seconds, UTC)

    @property
    def expires_at(self) -> datetime:
        """When it ends."""
        return datetime.fromtimestamp(self.expires_at_seconds, UTC)

    def __repr__(self) -> str:
        """Leave out the secret key: values end up in tracebacks and logs."""
        return f"SessionSeal({self.access_key_id!r}, {self.kind}, {self.issuer_id!r}, {self.name!r})"


def seal_session(session: SessionSeal) -> str:
    """Make the token of a session."""
    document = json.dumps({name: value for name, value in asdict(session).items() if value}, separators=(",", ":"))
    if session.policies == ():
        document = document[:-1] + ',"policies":[]}'
    return secrets.seal_bytes(zlib.compress(document.encode(), 9), purpose=PURPOSE).decode()


def open_session(token: str) -> SessionSeal | None:
    """Open a token; None for one that was not made here, or with a key that is gone. Not: whether it has expired."""
    if len(token) > TOKEN_LENGTH_MAX or not token.isascii():
        return None
    try:
        opened = secrets.unseal_bytes(token.encode(), purpose=PURPOSE)
    except SecretUnreadable:
        return None
    document = json.loads(zlib.decompressobj().decompress(opened, _DOCUMENT_BYTES_MAX))
    for name in ("policies", "policy_ids", "transitive_tag_keys"):
        if name in document:
            document[name] = tuple(document[name])
    document["kind"] = SessionKind(document["kind"])
    document["claims"] = {key: tuple(values) for key, values in document.get("claims", {}).items()}
    return SessionSeal(**document)
