"""Connections that the store opens to addresses which people name: targets of events, identity providers, stores elsewhere.

A name is resolved here, once, and the connection goes to the address that was judged, so that a name which answers
differently a moment later leads nowhere else. Loopback, private, link-local and other special addresses are refused but for
the networks that the operator names (OBJSTORE_OUTBOUND_NETWORKS): from there a request could reach what trusts the store's
machine. Redirects are for the caller, and nobody follows them.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

CONNECT_SECONDS_MAX = 60.0
# Where an IPv6 address ends with the IPv4 one that it leads to, or did: translators, and what came before them.
_EMBEDDING = tuple(
    ipaddress.IPv6Network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
)
# Special, and global to `ipaddress` all the same: addresses of a site, as they were called, and of segments of routes.
_SPECIAL = tuple(ipaddress.IPv6Network(network) for network in ("fec0::/10", "5f00::/16"))


class OutboundRefused(Exception):
    """The address is none that the store connects to."""


def is_reachable(address: Address, allowed: Sequence[Network]) -> bool:
    """Say whether an address may be connected to: a public one, or one in an allowed network. Pure."""
    address = _embedded(address)
    if any(address in network for network in allowed if network.version == address.version):
        return True
    if any(address in network for network in _SPECIAL if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast


_LOCAL = (ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1"))


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, or the address."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address not in _LOCAL and any(address in network for network in _EMBEDDING):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def judged_address(host: str, port: int) -> str:
    """Resolve a host and return the first address that may be connected to.

    Raises OutboundRefused where none may, OSError where the name has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    for text in addresses:
        if is_reachable(ipaddress.ip_address(text.partition("%")[0]), settings.OBJSTORE_OUTBOUND_NETWORKS):
            return text
    raise OutboundRefused(
        f"{host} is at {', '.join(sorted(set(addresses)))}, in no network that OBJSTORE_OUTBOUND_NETWORKS allows"
    )


def connect(host: str, port: int, *, timeout_seconds: float) -> socket.socket:
    """Open a connection to the address of a host that was judged. Raises OutboundRefused, OSError."""
    opened = socket.create_connection((judged_address(host, port), port), timeout_seconds)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def require_local() -> None:
    """Let a connection to this machine pass, by a unix socket, where loopback is allowed. Raises OutboundRefused."""
    if not is_reachable(ipaddress.IPv4Address("127.0.0.1"), settings.OBJSTORE_OUTBOUND_NETWORKS):
        raise OutboundRefused("a unix socket is on this machine, which OBJSTORE_OUTBOUND_NETWORKS does not allow")


def open_connection(url: str, *, timeout_seconds: float) -> http.client.HTTPConnection:
    """Return a connection to the server of an http or https URL, not opened yet; opening it judges the address.

    Raises OutboundRefused for another kind of URL; using the connection OutboundRefused, OSError, HTTPException.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise OutboundRefused("this is no URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise OutboundRefused("only http:// and https:// are connected to")
    if parts.scheme == "https":
        return _JudgedHTTPSConnection(parts.hostname, port, timeout=timeout_seconds, context=_trusting())
    return _JudgedHTTPConnection(parts.hostname, port, timeout=timeout_seconds)


@lru_cache(maxsize=1)
def _trusting() -> ssl.SSLContext:
    return ssl.create_default_context()


class _JudgedHTTPConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        """Connect to the address that was judged."""
        self.sock = connect(self.host, self.port, timeout_seconds=self.timeout or CONNECT_SECONDS_MAX)


class _JudgedHTTPSConnection(http.client.HTTPSConnection):
    def connect(self) -> None:
        """Likewise; the certificate is checked against the name."""
        plain = connect(self.host, self.port, timeout_seconds=self.timeout or CONNECT_SECONDS_MAX)
        self.sock = _trusting().wrap_socket(plain, server_hostname=self.host)
