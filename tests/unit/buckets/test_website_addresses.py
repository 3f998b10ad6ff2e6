"""Where websites send browsers."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest

from buckets.website import quoted_path


@pytest.mark.parametrize("key", ["docs/", "/evil.example/", "//evil.example/", "\\evil.example/", "a b/ü/"])
def test_a_folder_is_at_the_same_host(key: str) -> None:
    address = urlsplit(urljoin("http://site.example/x", quoted_path(key)))
    assert address.hostname == "site.example"


def test_a_plain_path_stays_as_it_is() -> None:
    assert quoted_path("docs/a+b/") == "/docs/a+b/"
