"""`manage.py document_operations`: write docs/s3-operations.md anew."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from objstore_project.operations_page import render_operations_page


class Command(BaseCommand):
    """Write the page of served operations."""

    help = "Write docs/s3-operations.md from the operation registry."
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        page = settings.BASE_DIR / "docs" / "s3-operations.md"
        page.write_text(render_operations_page(), encoding="utf-8")
        self.stdout.write(f"wrote {page}")
