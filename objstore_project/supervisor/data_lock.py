"""One system per data directory: the lock that `manage.py up` holds as long as it lives.

The kernel lets go of it with the process, however that ends, so there is no stale lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from objstore_project.environment import ConfigurationError, reason


@contextlib.contextmanager
def hold_data_directory(data_directory: Path) -> Iterator[None]:
    """Hold the data directory; ConfigurationError names the process that holds it already."""
    path = data_directory / "run" / "up.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(f"OBJSTORE_DATA_DIR: cannot write to {path}: {reason(error)}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            raise ConfigurationError(
                f"{data_directory} is in use by another `manage.py up`, process {holder}"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
