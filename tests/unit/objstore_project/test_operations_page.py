"""The page of served operations."""

from pathlib import Path

from objstore_project.operations_page import render_iam_operations_page, render_operations_page
from s3protocol.registry import REGISTRY

PAGE = Path(__file__).parents[3] / "docs" / "s3-operations.md"


def test_the_page_in_docs_says_what_the_registry_says():
    assert PAGE.read_text(encoding="utf-8") == render_operations_page(), "run manage.py document_operations"


def test_every_served_operation_has_its_row():
    rows = [line for line in render_operations_page().splitlines() if "| yes |" in line]
    for name in REGISTRY:
        assert any(row.startswith(f"| {name} |") for row in rows)


def test_the_page_of_iam_and_sts_is_what_their_registry_says() -> None:
    page = PAGE.with_name("iam-operations.md")
    assert page.read_text(encoding="utf-8") == render_iam_operations_page(), "run manage.py document_operations"
