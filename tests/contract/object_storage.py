"""A Django storage as cloud stores are: names that get their bytes whole, overwritten or not as it is told."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage


class ObjectStorage(Storage):
    """Keeps objects in memory. Instances with the same `account` keep the same ones."""

    accounts: ClassVar[dict[str, dict[str, tuple[bytes, datetime]]]] = {}

    def __init__(self, account: str, *, file_overwrite: bool = True, api_key: str = "") -> None:
        self.objects = self.accounts.setdefault(account, {})
        self.file_overwrite = file_overwrite
        self.api_key = api_key
        self.hang = threading.Event()
        self.hang.set()

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name if self.file_overwrite else super().get_available_name(name, max_length)

    def _open(self, name: str, mode: str = "rb") -> File:
        self.hang.wait()
        try:
            return ContentFile(self.objects[name][0])
        except KeyError:
            raise FileNotFoundError(name) from None

    def _save(self, name: str, content: Any) -> str:
        self.hang.wait()
        self.objects[name] = (content.read(), datetime.now(UTC))
        return name

    def delete(self, name: str) -> None:
        self.objects.pop(name, None)

    def exists(self, name: str) -> bool:
        return name in self.objects

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        return [], [name.removeprefix(f"{path}/") for name in list(self.objects) if name.startswith(f"{path}/")]

    def size(self, name: str) -> int:
        try:
            return len(self.objects[name][0])
        except KeyError:
            raise FileNotFoundError(name) from None

    def get_modified_time(self, name: str) -> datetime:
        return self.objects[name][1]
