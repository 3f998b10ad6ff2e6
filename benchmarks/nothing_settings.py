"""The gateway's settings with another URL configuration: what a request costs before S3 begins."""

from objstore_project.settings.gateway import *  # noqa: F403  settings build on each other

ROOT_URLCONF = "benchmarks.nothing"
