"""`manage.py document_operations`: write docs/s3-operations.md and docs/iam-operations.md anew."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from objstore_project.operations_page import render_iam_operations_page, render_operations_page

PAGES = {"s3-operations.md": render_operations_page, "iam-operations.md": render_iam_operations_page}


class Command(BaseCommand):
    """Write the pages of served operations."""

    help = "Write docs/s3-operations.md and docs/iam-operations.md from the operation registries."
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        for name, text in PAGES.items():
            page = settings.BASE_DIR / "docs" / name
            page.write_text(text(), encoding="utf-8")
            self.stdout.write(f"wrote {page}")
