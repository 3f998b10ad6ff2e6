from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from objstore_project.environment import ConfigurationError
from objstore_project.supervisor.credentials import banner, ensure_credentials


def test_what_is_missing_is_generated_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = ensure_credentials(tmp_path)
    assert ensure_credentials(tmp_path) == first
    assert ensure_credentials(tmp_path / ".") == first
    assert stat.S_IMODE((tmp_path / "credentials.json").stat().st_mode) == 0o600
    assert len(first.access_key) == 20
    assert len(first.secret_key) == 40
    assert first.secret_key in banner(first)


def test_a_secret_of_the_environment_is_used_but_neither_kept_nor_shown(tmp_path: Path, settings: Any) -> None:
    settings.OBJSTORE_ROOT_SECRET_KEY = "given-secret"
    credentials = ensure_credentials(tmp_path)
    assert credentials.secret_key == "given-secret"
    assert "given-secret" not in banner(credentials)
    assert set(json.loads((tmp_path / "credentials.json").read_text())) == {"access_key", "admin_password"}


def test_a_generated_secret_survives_a_start_with_a_given_one(tmp_path: Path, settings: Any) -> None:
    first = ensure_credentials(tmp_path)
    settings.OBJSTORE_ADMIN_PASSWORD = "given"
    assert ensure_credentials(tmp_path).admin_password == "given"
    settings.OBJSTORE_ADMIN_PASSWORD = None
    assert ensure_credentials(tmp_path) == first


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_a_damaged_file_is_named_and_not_overwritten(tmp_path: Path, text: str) -> None:
    (tmp_path / "credentials.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"credentials\.json: cannot be read"):
        ensure_credentials(tmp_path)
    assert (tmp_path / "credentials.json").read_text() == text
