"""The Celery application. Tasks live in `workers/tasks.py`; the settings' CELERY_ names configure it."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init

from objstore_project.supervisor.parent_death import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "objstore_project.settings.console")

app = Celery("objstore")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect(weak=False)
def end_with_the_worker(**_: Any) -> None:
    """Let no pool process outlive the worker that was killed; its unacknowledged task runs again elsewhere."""
    die_with_parent(os.getppid())


@setup_logging.connect(weak=False)
def keep_logging(**_: Any) -> None:
    """Leave the log configuration to Django's settings: Celery sets none up where this signal has a receiver."""
