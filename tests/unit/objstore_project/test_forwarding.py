"""Whom the ports take for the client, by what a peer says; `tests/s3/test_proxies.py` does it through a real proxy."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objstore_project.environment import ConfigurationError, Environment
from objstore_project.forwarding import UnreadableAddress, behind_proxies, believe, find_client, read_address

TRUSTED = tuple(ipaddress.ip_network(text) for text in ("127.0.0.1", "10.0.5.0/24", "fd00::/64"))

proxies = st.sampled_from(["127.0.0.1", "10.0.5.1", "10.0.5.255", "fd00::9", "::ffff:10.0.5.7"])
clients = st.ip_addresses().filter(
    lambda address: (
        not any(address in network for network in TRUSTED if network.version == address.version)
        and getattr(address, "ipv4_mapped", None) is None
        and getattr(address, "scope_id", None) is None
    )
)
anything = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)


def believed(peer: str, hops: str | None = None, schemes: str | None = None, own: str = "http") -> tuple[str, str]:
    """Return the address and scheme that the endpoints see."""
    environ: dict[str, Any] = {"REMOTE_ADDR": peer, "wsgi.url_scheme": own, "REQUEST_METHOD": "GET"}
    if hops is not None:
        environ["HTTP_X_FORWARDED_FOR"] = hops
    if schemes is not None:
        environ["HTTP_X_FORWARDED_PROTO"] = schemes
    believe(environ, TRUSTED)
    return environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]


@given(clients, anything, anything)
def test_nobody_outside_the_networks_is_heard(peer: Any, hops: str, schemes: str) -> None:
    assert believed(str(peer), hops, schemes) == (str(peer), "http")


@given(clients, anything, st.lists(proxies, max_size=4), proxies)
def test_the_client_is_whom_the_outermost_proxy_saw_whatever_it_claims_to_be(
    client: Any, claims: str, between: list[str], peer: str
) -> None:
    header = ", ".join([*([claims] if claims else []), str(client), *between])
    assert believed(peer, header) == (str(client), "http")


@given(st.lists(proxies, min_size=1, max_size=4), proxies)
def test_where_all_are_proxies_the_first_one_asks(hops: list[str], peer: str) -> None:
    assert believed(peer, ",".join(hops))[0] == str(read_address(hops[0]))


@given(anything, st.lists(proxies, max_size=3))
def test_what_a_proxy_says_is_an_address_or_refused(claims: str, between: list[str]) -> None:
    try:
        address = find_client(",".join([claims, *between]), TRUSTED)
    except UnreadableAddress:
        return
    assert ipaddress.ip_address(str(address)) == address


UNREADABLE = [
    "",
    "  ",
    "unknown",
    "_hidden",
    "unix:",
    "1.2.3.4,",
    "1.2.3.4, ",
    "1.2.3",
    "01.2.3.4",
    "1.2.3.4:x",
    "1.2.3.4:",
    "1.2.3.4:123456",
    "[::1",
    "[::1]x",
    "[::1]:",
    "fe80::1%eth0",
    "1.2.3.4 5.6.7.8",
    '"1.2.3.4"',
    "1.2.3.4, unknown, 10.0.5.1",
]


@pytest.mark.parametrize("hops", UNREADABLE)
def test_what_no_proxy_should_say_is_refused_and_not_taken_for_the_proxy(hops: str) -> None:
    with pytest.raises(UnreadableAddress):
        believed("127.0.0.1", hops)


WRITTEN = {
    "192.0.2.1:4711": "192.0.2.1",
    "[2001:db8::1]:4711": "2001:db8::1",
    "[2001:DB8::1]": "2001:db8::1",
    "::ffff:192.0.2.1": "192.0.2.1",
    " 192.0.2.1\t": "192.0.2.1",
}


@pytest.mark.parametrize(("written", "address"), WRITTEN.items())
def test_addresses_are_read_as_proxies_write_them(written: str, address: str) -> None:
    assert believed("::ffff:127.0.0.1", written)[0] == address


@pytest.mark.parametrize("schemes", ["https", "HTTPS", " https ", "https,https"])
def test_a_connection_is_secure_when_every_hop_says_so(schemes: str) -> None:
    assert believed("10.0.5.1", "192.0.2.1", schemes) == ("192.0.2.1", "https")


@pytest.mark.parametrize(
    "schemes", ["", "http", "https,http", "http,https", "https,", "wss", "\u017fhttps", "https;http"]
)
def test_a_connection_is_not_secure_otherwise_even_where_the_last_hop_is(schemes: str) -> None:
    assert believed("10.0.5.1", schemes=schemes, own="https") == ("10.0.5.1", "http")


def test_what_a_proxy_does_not_say_is_as_the_connection_is() -> None:
    assert believed("127.0.0.1", own="https") == ("127.0.0.1", "https")
    assert believed("", "192.0.2.1") == ("", "http")


def test_without_proxies_the_application_is_served_as_it_is() -> None:
    def application(*_: Any) -> list[bytes]:
        return [b"served"]

    assert behind_proxies(application, ()) is application
    environ = {"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "HTTP_X_FORWARDED_FOR": "junk"}
    answered: list[str] = []
    for method in ("GET", "HEAD"):
        body = behind_proxies(application, TRUSTED)(
            {**environ, "REQUEST_METHOD": method},
            lambda status, headers: answered.append(status),  # type: ignore[arg-type, return-value]
        )
        assert (b"InvalidRequest" in b"".join(body)) == (method == "GET")
    assert answered == ["400 Bad Request"] * 2


@pytest.mark.parametrize(
    "value", ["s3.example.org", "ftp://s3.example.org", "https://s3.example.org/s3", "https://u@s3/"]
)
def test_an_origin_has_no_path(value: str) -> None:
    with pytest.raises(ConfigurationError, match="NAME: expected http"):
        Environment({"NAME": value}).http_origin("NAME")
    assert Environment({"NAME": "https://s3.example.org:8443/"}).http_origin("NAME") == "https://s3.example.org:8443"
