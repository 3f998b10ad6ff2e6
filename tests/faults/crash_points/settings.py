"""The settings of tests, with the engine that counts steps and no history to wait for."""

from objstore_project.settings.testing import *  # noqa: F403  settings build on each other
from objstore_project.settings.testing import DATABASES

DATABASES["default"]["ENGINE"] = "tests.faults.crash_points.engine"
OBJSTORE_LOG_LEVEL = "error"
OBJSTORE_NODE_GRACE_SECONDS = 0
OBJSTORE_GC_GRACE_SECONDS = 0
ALLOWED_HOSTS = ["*"]
