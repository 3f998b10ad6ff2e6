"""Django finds an engine's `DatabaseWrapper` in a module of this name."""

from __future__ import annotations

from typing import Any

from objstore_project.postgresql import base
from tests.faults.crash_points.steps import STEPS


class Cursor(base.BlockingCursor):
    """A cursor each of whose statements is a step."""

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        STEPS.take(" ".join(str(query).split()[:4]))
        return super().execute(query, *args, **options)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose commits are steps."""

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "cursor_factory": Cursor}

    def _commit(self) -> None:
        STEPS.take("COMMIT")
        super()._commit()
