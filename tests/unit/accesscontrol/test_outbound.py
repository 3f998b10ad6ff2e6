"""Where the store connects to: public addresses, and networks that the operator names."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest
from django.test import override_settings

from accesscontrol.outbound import OutboundRefused, is_reachable, judged_address, open_connection


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "64:ff9b:1::a00:1",
        "::7f00:1",
        "::ffff:0:7f00:1",
        "fec0::1",
        "5f00::1",
    ],
)
def test_special_addresses_are_refused(address: str) -> None:
    assert not is_reachable(ipaddress.ip_address(address), ())


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_public_addresses_are_reached(address: str) -> None:
    assert is_reachable(ipaddress.ip_address(address), ())


def test_named_networks_are_reached_and_no_others() -> None:
    allowed = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
    assert is_reachable(ipaddress.ip_address("10.9.9.9"), allowed)
    assert is_reachable(ipaddress.ip_address("fd00::9"), allowed)
    assert is_reachable(ipaddress.ip_address("::ffff:10.0.0.1"), allowed)
    assert not is_reachable(ipaddress.ip_address("192.168.0.1"), allowed)


@override_settings(OBJSTORE_OUTBOUND_NETWORKS=())
def test_a_name_of_loopback_is_refused_when_it_is_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://localhost:{server.getsockname()[1]}/"
        with pytest.raises(OutboundRefused, match="OBJSTORE_OUTBOUND_NETWORKS"):
            open_connection(url, timeout_seconds=5).request("GET", "/")


@override_settings(OBJSTORE_OUTBOUND_NETWORKS=(ipaddress.ip_network("127.0.0.0/8"),))
def test_the_first_address_that_is_allowed_is_taken() -> None:
    assert judged_address("127.0.0.1", 80) == "127.0.0.1"


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "ftp://example.org/", "http://", "http://[::1", "gopher://x"]
)
def test_other_urls_are_refused(url: Any) -> None:
    with pytest.raises(OutboundRefused):
        open_connection(url, timeout_seconds=1)
