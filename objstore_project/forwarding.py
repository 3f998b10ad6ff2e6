"""Who asks, and how, where proxies stand before a port. Both WSGI applications are wrapped here; nobody else reads such headers.

The peer of a connection is believed when it is in one of the networks that the operator names (OBJSTORE_TRUSTED_PROXIES).
Then REMOTE_ADDR and `wsgi.url_scheme` become what it says, and all that looks at these (policies, the audit log, events,
access logs, Django) sees the client. Whoever else sends such headers is not heard.

- `X-Forwarded-For` is read from the right, where the nearest proxy writes, past the addresses that are proxies
  themselves. What stands left of the first other address is the client's own invention. When what has to be read can't be,
  the request is refused: the proxy's address in its place might be one that policies let in.
- `X-Forwarded-Proto`: the client's connection is secure when every hop says `https`.
- `Forwarded` (RFC 7239) is not read: no proxy in use writes it by default, and a proxy that writes the other leaves a
  client's `Forwarded` in place, so that reading both would believe the client.
- `X-Forwarded-Host` is not read: signatures cover Host, so that a proxy has to leave that as it is.

WSGI knows no difference between `X-Forwarded-For` and `X_Forwarded_For`: a proxy must not pass on the latter (docs/proxies.md).
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ADDRESSES_REMEMBERED_MAX = 4_096
_REFUSAL = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InvalidRequest</Code><Message>'
    b"The proxy before this server tells no client's address that can be read.</Message></Error>"
)

logger = logging.getLogger("objstore.proxies")


class UnreadableAddress(Exception):
    """A trusted proxy names something that is no address."""


def behind_proxies(application: WSGIApplication, trusted: Sequence[Network]) -> WSGIApplication:
    """Return the application as it is to be served: itself, where no proxies are trusted."""
    if not trusted:
        return application

    def forwarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            believe(environ, trusted)
        except UnreadableAddress:
            logger.warning("refused: X-Forwarded-For from %s can't be read", environ.get("REMOTE_ADDR"))
            start_response("400 Bad Request", [("Content-Type", "application/xml"), ("Connection", "close")])
            return [b"" if environ["REQUEST_METHOD"] == "HEAD" else _REFUSAL]
        return application(environ, start_response)

    return forwarded


def believe(environ: WSGIEnvironment, trusted: Sequence[Network]) -> None:
    """Make the request's address and scheme what its peer says, if that is a trusted proxy. Raises UnreadableAddress."""
    peer = read_address(environ.get("REMOTE_ADDR", ""))
    if peer is None or not _is_within(peer, trusted):
        return
    hops = environ.get("HTTP_X_FORWARDED_FOR")
    if hops is not None:
        environ["REMOTE_ADDR"] = str(find_client(hops, trusted))
    schemes = environ.get("HTTP_X_FORWARDED_PROTO")
    if schemes is not None:
        environ["wsgi.url_scheme"] = "https" if is_secure(schemes) else "http"


def find_client(hops: str, trusted: Sequence[Network]) -> Address:
    """Return the right-most address that is no trusted proxy, else the first one. Raises UnreadableAddress."""
    address = None
    for hop in reversed(hops.split(",")):
        address = read_address(hop.strip())
        if address is None:
            raise UnreadableAddress
        if not _is_within(address, trusted):
            break
    assert address is not None, "a split text has a part"
    return address


def is_secure(schemes: str) -> bool:
    """Say whether every scheme of an X-Forwarded-Proto header is `https`."""
    return all(scheme.strip().lower() == "https" for scheme in schemes.split(","))


@lru_cache(maxsize=ADDRESSES_REMEMBERED_MAX)
def read_address(text: str) -> Address | None:
    """Read an address, also one with a port or in brackets, as some proxies write it; None for what is none.

    One of version 4 in version 6's clothes, as a port sees it that listens to both, is the former.
    """
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or (port and not _is_port(port)):
            return None
    elif text.count(":") == 1:
        host, port = text.split(":")
        if not _is_port(f":{port}"):
            return None
    else:
        host = text
    if "%" in host:  # what stands behind it means something on the proxy alone
        return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_port(text: str) -> bool:
    digits = text.removeprefix(":")
    return text != digits and digits.isascii() and digits.isdecimal() and len(digits) <= 5


def _is_within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
