"""pytest and `make check`: nothing of the machine's environment, no server needed until a test asks for the database.

tests/conftest.py starts an embedded PostgreSQL for this process at the first test that needs one.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_data_directory = Path(tempfile.gettempdir()) / f"objstore-tests-{os.getuid()}-{os.getpid()}"
for _name in list(os.environ):
    # OBJSTORE_TEST_* speaks to the tests themselves (OBJSTORE_TEST_SCALE), not to the system.
    if _name in {"DATABASE_URL", "REDIS_URL"} or (
        _name.startswith("OBJSTORE_") and not _name.startswith("OBJSTORE_TEST_")
    ):
        del os.environ[_name]
os.environ["OBJSTORE_DATA_DIR"] = str(_data_directory)
os.environ["OBJSTORE_SECRET_KEY"] = "the secret key of tests, which guards nothing"  # noqa: S105  guards nothing
os.environ["OBJSTORE_LOG_LEVEL"] = "warning"
os.environ["OBJSTORE_JOURNAL"] = "off"  # nobody writes it; its own tests do

from objstore_project.settings.console import *  # noqa: E402, F403  the environment is set before it is read

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_BROKER_URL = "memory://"
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; no password here guards anything
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
