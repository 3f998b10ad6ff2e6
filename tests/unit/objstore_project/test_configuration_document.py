"""docs/configuration.md lists what the settings read, no more and no less, with the same defaults."""

from __future__ import annotations

import re

from django.conf import settings

DOCUMENT = (settings.BASE_DIR / "docs" / "configuration.md").read_text()
ROWS = dict(re.findall(r"^\| `([A-Z_0-9]+)` \| (.+?) \|", DOCUMENT, flags=re.MULTILINE))


def test_every_variable_that_is_read_is_documented_and_no_other() -> None:
    assert set(ROWS) == settings.ENVIRONMENT.names_read


def test_documented_numbers_are_the_defaults() -> None:
    documented = {name: int(default.strip("`")) for name, default in ROWS.items() if default.strip("`").isdigit()}
    assert documented
    assert documented == {name: getattr(settings, name) for name in documented}


def test_documented_addresses_and_names_are_the_defaults() -> None:
    for name in ("OBJSTORE_S3_ADDRESS", "OBJSTORE_CONSOLE_ADDRESS", "OBJSTORE_REGION", "OBJSTORE_ADMIN_USER"):
        assert ROWS[name] == f"`{getattr(settings, name)}`"
