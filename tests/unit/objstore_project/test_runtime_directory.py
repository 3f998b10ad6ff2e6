from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from objstore_project.environment import ConfigurationError
from objstore_project.supervisor.runtime_directory import ensure_runtime_directory, runtime_directory

ME = {"owner_id": os.geteuid(), "group_id": os.getegid()}


def test_the_longest_data_directory_leaves_room_for_a_socket_name() -> None:
    path = runtime_directory(Path("/" + "long name/" * 300))
    assert len(os.fsencode(path / ".s.PGSQL.5432")) < 108


def test_the_directory_follows_from_the_data_directory_alone() -> None:
    assert runtime_directory(Path("/a")) == runtime_directory(Path("/a")) != runtime_directory(Path("/b"))


def test_the_directory_is_closed_to_others_also_where_it_was_open(tmp_path: Path) -> None:
    path = tmp_path / "sockets"
    path.mkdir(mode=0o777)
    ensure_runtime_directory(path, **ME)
    ensure_runtime_directory(path, **ME)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sockets").symlink_to(tmp_path)
    with pytest.raises(ConfigurationError, match="belongs to somebody else"):
        ensure_runtime_directory(tmp_path / "sockets", **ME)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_the_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sockets"
    path.mkdir()
    os.chown(path, 12345, 12345)
    with pytest.raises(ConfigurationError, match="belongs to somebody else"):
        ensure_runtime_directory(path, **ME)
