"""The user that the embedded servers run as, and how they reach their files.

PostgreSQL refuses to run as root. Started by root, the servers run as an unprivileged user: the one that owns the
cluster already, else `postgres` where the machine has it, else `nobody`. That user may be unable to pass the parents of
the data directory (`/root`, a home of mode 0700), and nobody's permissions are widened for it:

- directories are opened by root and handed down; `/proc/self/fd/N` names them without passing their parents;
- binaries in an unreachable virtual environment are copied, once per version, to `/var/cache/objstore`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from objstore_project.environment import ConfigurationError, reason

UNPRIVILEGED_NAMES = ("postgres", "nobody")
BINARIES_CACHE = Path("/var/cache/objstore")
# The number of an opened directory in a process that may be unable to pass its parents, and its name there.
DIRECTORY_DESCRIPTOR = 9
REACHED_DIRECTORY = f"/proc/self/fd/{DIRECTORY_DESCRIPTOR}"


@dataclass(frozen=True, slots=True)
class ServerUser:
    """A user of the machine, by name and numbers."""

    name: str
    user_id: int
    group_id: int

    @property
    def is_current(self) -> bool:
        """Whether this process is that user already."""
        return self.user_id == os.geteuid()


def _user(entry: pwd.struct_passwd) -> ServerUser:
    return ServerUser(name=entry.pw_name, user_id=entry.pw_uid, group_id=entry.pw_gid)


def current_user() -> ServerUser:
    """Return the user of this process; PostgreSQL cannot serve one that has no name."""
    try:
        return _user(pwd.getpwuid(os.geteuid()))
    except KeyError as error:
        raise ConfigurationError(
            f"the user id {os.geteuid()} has no name in /etc/passwd, which the embedded PostgreSQL needs:"
            " add one, or set DATABASE_URL and REDIS_URL"
        ) from error


def choose_server_user(cluster_directory: Path) -> ServerUser:
    """Return who runs the servers whose cluster stands, or will stand, in the directory."""
    owner_id = cluster_directory.stat().st_uid if cluster_directory.exists() else None
    if os.geteuid() != 0:
        user = current_user()
        if owner_id not in {None, user.user_id}:
            raise ConfigurationError(
                f"OBJSTORE_DATA_DIR: {cluster_directory} belongs to the user id {owner_id}:"
                " start as root or as that user, or choose another data directory"
            )
        return user
    with contextlib.suppress(KeyError):
        if owner_id:
            return _user(pwd.getpwuid(owner_id))
    for name in UNPRIVILEGED_NAMES:
        with contextlib.suppress(KeyError):
            return _user(pwd.getpwnam(name))
    raise ConfigurationError(
        "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`:"
        " start as an ordinary user, or set DATABASE_URL and REDIS_URL"
    )


def become(user: ServerUser) -> None:
    """Turn this process into the user's, for good."""
    if user.is_current:
        return
    os.setgroups([])
    os.setgid(user.group_id)
    os.setuid(user.user_id)


def enter_directory(path: Path) -> None:
    """Open the directory under its fixed number and work in it. Only for forked processes: the number may be in use."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    if descriptor != DIRECTORY_DESCRIPTOR:
        os.dup2(descriptor, DIRECTORY_DESCRIPTOR)
    os.set_inheritable(DIRECTORY_DESCRIPTOR, True)
    os.fchdir(DIRECTORY_DESCRIPTOR)


def run_as(user: ServerUser, action: Callable[[], None], *, directory: Path | None = None) -> bool:
    """Run the action in a forked process of the user, working in the directory; tell whether it succeeded."""
    process_id = os.fork()
    if process_id == 0:
        status = 1
        with contextlib.suppress(BaseException):
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            if directory is not None:
                enter_directory(directory)
            become(user)
            action()
            status = 0
        os._exit(status)
    _, wait_status = os.waitpid(process_id, 0)
    return os.waitstatus_to_exitcode(wait_status) == 0


def reachable_package(name: str, user: ServerUser) -> Path:
    """Return the directory of an installed package of binaries, or of a copy where the user cannot read the original.

    The package is found without importing it, which would have side effects. Its shared libraries lie beside it.
    """
    specification = importlib.util.find_spec(name)
    assert specification is not None, name
    assert specification.submodule_search_locations, name
    package = Path(specification.submodule_search_locations[0])
    parts = [path for path in (package, package.with_name(f"{name}.libs")) if path.is_dir()]
    if user.is_current or run_as(user, lambda: _require_readable(parts)):
        return package
    copy = BINARIES_CACHE / f"{name}-{version(name)}"
    if not copy.exists():
        _copy_for_everybody(parts, copy, user)
    if not run_as(user, lambda: _require_readable([copy])):
        raise ConfigurationError(f"the user {user.name}, who runs the embedded servers, cannot read {copy}")
    return copy / name


def _copy_for_everybody(parts: list[Path], copy: Path, user: ServerUser) -> None:
    """Make the copy whole or not at all, readable whatever the umask is: nothing in it is secret."""
    draft = copy.with_name(f".{copy.name}.{os.getpid()}")
    try:
        draft.mkdir(parents=True)
        draft.parent.chmod(0o755)
        for part in parts:
            shutil.copytree(part, draft / part.name, symlinks=True, ignore=shutil.ignore_patterns("include"))
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        draft.rename(copy)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise ConfigurationError(
            f"the user {user.name} cannot reach {parts[0]}, and it cannot be copied to {copy}: {reason(error)}"
        ) from error


def _require_readable(directories: list[Path]) -> None:
    for directory in directories:
        for path in (directory, *directory.rglob("*")):
            wanted = os.R_OK | (os.X_OK if path.is_dir() else 0)
            if not path.is_symlink() and not os.access(path, wanted):
                raise PermissionError(path)
