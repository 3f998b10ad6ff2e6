"""Where links to the S3 port lead, as a browser sees it."""

from __future__ import annotations

from typing import Any

import pytest

from console.services.presigned_links import s3_endpoint
from objstore_project.environment import Address


@pytest.mark.parametrize(
    ("listens", "endpoint"),
    [
        (Address("127.0.0.1", 9000), "http://127.0.0.1:9000"),
        (Address("0.0.0.0", 9000), "http://console.example.org:9000"),
        (Address("::1", 9000), "http://[::1]:9000"),
    ],
)
def test_links_lead_to_the_port_or_to_what_the_operator_calls_it(
    settings: Any, listens: Address, endpoint: str
) -> None:
    settings.OBJSTORE_S3_ADDRESS = listens
    assert s3_endpoint("console.example.org") == endpoint
    settings.OBJSTORE_S3_URL = "https://s3.example.org"
    assert s3_endpoint("console.example.org") == "https://s3.example.org"
