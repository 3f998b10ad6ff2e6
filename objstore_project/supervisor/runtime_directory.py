"""The directory of the embedded servers' unix sockets: short, private, and a function of the data directory alone.

A socket's path holds at most 107 bytes and the data directory may be long, so the sockets live under /tmp, in a
directory that belongs to the user of the servers and is closed to everybody else: being able to enter it is the
permission to use the servers. Every command with the same data directory computes the same name, without a state file.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from objstore_project.environment import ConfigurationError, reason

# Not TMPDIR: it differs between the sessions of one user, and can be long.
PARENT = Path("/tmp")  # noqa: S108  guarded by the checks below


def runtime_directory(data_directory: Path) -> Path:
    """Return the socket directory of a data directory given by its real path."""
    digest = hashlib.sha256(os.fsencode(data_directory)).hexdigest()
    return PARENT / f"objstore-{digest[:16]}"


def ensure_runtime_directory(path: Path, *, owner_id: int, group_id: int) -> None:
    """Create the directory for its owner alone, and refuse one that somebody else may have prepared."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigurationError(f"cannot create the socket directory {path}: {reason(error)}") from error
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {owner_id, os.geteuid()}:
        raise ConfigurationError(f"the socket directory {path} belongs to somebody else: remove it")
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if status.st_uid != owner_id:
            os.fchown(descriptor, owner_id, group_id)
        os.fchmod(descriptor, 0o700)
    except OSError as error:
        raise ConfigurationError(f"cannot secure the socket directory {path}: {reason(error)}") from error
    finally:
        os.close(descriptor)
