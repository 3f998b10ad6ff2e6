#!/usr/bin/env python3
"""Run a management command: `manage.py up` is the whole system, `manage.py help` lists the others."""

from __future__ import annotations

import os
import sys

from django.conf import settings
from django.db import OperationalError, connection

from objstore_project import environment
from objstore_project.audited_commands import AuditedUtility


def main(arguments: list[str]) -> None:
    """Run the command; where the environment is wrong, say so in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "objstore_project.settings.console")
    try:
        if arguments[1:2] == ["up"]:
            # Before the settings, because they read the secret key that this writes.
            environment.prepare_data_directory(os.environ)
        AuditedUtility(arguments).execute()
    except environment.ConfigurationError as error:
        sys.exit(f"objstore: {error}")
    except OperationalError as error:
        if connection.connection is not None:
            raise
        hint = "; is `manage.py up` running?" if settings.OBJSTORE_IS_DATABASE_EMBEDDED else ""
        sys.exit(f"objstore: the database does not answer: {str(error).splitlines()[0]}{hint}")


if __name__ == "__main__":
    main(sys.argv)
