"""From a node's row to its store: the storage class by its dotted path, the driver that suits it, time-outs."""

import os
import threading
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import Storage
from django.utils.module_loading import import_string

from chunks.errors import NodeUnavailable
from chunks.stores.django_storage.drivers import ANSWER_SECONDS, Driver
from chunks.stores.django_storage.options import StoreOptions
from chunks.stores.django_storage.plain import PlainDriver
from chunks.stores.django_storage.store import DjangoStorage, read_identity

TIMEOUT_OPTION = "timeout_seconds"  # the adapter's own; all others are the storage's


def open_storage(
    dotted_path: str, options: StoreOptions, identity: UUID, *, capacity_bytes: int | None = None
) -> DjangoStorage:
    """Open the store of a node whose identity is known. NodeUnavailable if it can't be reached or is another one."""
    return DjangoStorage(_driver_of(dotted_path, options, identity), identity, capacity_bytes=capacity_bytes)


def open_unknown_storage(dotted_path: str, options: StoreOptions) -> DjangoStorage:
    """Open a store of which nothing is known but how to reach it. NodeUnavailable if it is none; it is not made one."""
    driver = make_driver(dotted_path, options.opened())
    try:
        return DjangoStorage.find(driver)
    except BaseException:
        driver.close()
        raise


# A node that failed is opened afresh; its driver is kept, as to make a client costs a tenth of a second.
_drivers: dict[UUID, tuple[str, StoreOptions, Driver]] = {}
_drivers_lock = threading.Lock()


def _driver_of(dotted_path: str, options: StoreOptions, identity: UUID) -> Driver:
    with _drivers_lock:
        found = _drivers.get(identity)
        if found is not None and found[:2] == (dotted_path, options):
            return found[2]
        if found is not None:
            found[2].close()
        driver = make_driver(dotted_path, options.opened())
        _drivers[identity] = (dotted_path, options, driver)
        return driver


def _forget_after_fork() -> None:
    global _drivers_lock  # noqa: PLW0603 - a child must share neither connections nor locks with its parent
    _drivers.clear()
    _drivers_lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_after_fork)


def initialize_storage(dotted_path: str, options: StoreOptions) -> UUID:
    """Make a storage a store and return its identity. NodeUnavailable if that can't be done."""
    driver = make_driver(dotted_path, options.opened())
    try:
        return DjangoStorage.initialize(driver)
    finally:
        driver.close()


def identify_storage(dotted_path: str, options: StoreOptions) -> UUID | None:
    """Return the identity that a storage bears, None if it bears none. NodeUnavailable if it can't be asked."""
    driver = make_driver(dotted_path, options.opened())
    try:
        return read_identity(driver)
    finally:
        driver.close()


def make_driver(dotted_path: str, options: Mapping[str, Any]) -> Driver:
    """Return the driver of a storage class with its options. Nothing is asked of the storage yet."""
    storage_class = _storage_class(dotted_path)
    given = dict(options)
    try:
        answer_seconds = float(given.pop(TIMEOUT_OPTION, ANSWER_SECONDS))
    except (TypeError, ValueError):
        raise NodeUnavailable(f"{TIMEOUT_OPTION}: expected a number of seconds") from None
    origins = {f"{base.__module__}.{base.__qualname__}" for base in storage_class.__mro__}
    if "storages.backends.s3.S3Storage" in origins:
        from chunks.stores.django_storage.s3 import S3Driver, client_config

        given.setdefault("client_config", client_config(given, answer_seconds))
        return S3Driver(_made(storage_class, given))
    if "storages.backends.sftpstorage.SFTPStorage" in origins:
        from chunks.stores.django_storage.sftp import SftpDriver, with_time_outs

        given = with_time_outs(given, answer_seconds)
        _made(storage_class, given)  # so that a wrong option is said now
        return SftpDriver(lambda: _made(storage_class, given), answer_seconds=answer_seconds)
    return PlainDriver(_made(storage_class, given), answer_seconds=answer_seconds)


def _storage_class(dotted_path: str) -> type[Storage]:
    try:
        found = import_string(dotted_path)
    except (ImportError, ImproperlyConfigured) as error:
        raise NodeUnavailable(f"{dotted_path} can't be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Storage)):
        raise NodeUnavailable(f"{dotted_path} is not a storage class")
    return found


def _made(storage_class: type[Storage], options: Mapping[str, Any]) -> Storage:
    try:
        return storage_class(**options)
    except (ImproperlyConfigured, TypeError, ValueError) as error:
        raise NodeUnavailable(f"{storage_class.__name__}: {error}") from error
