"""S3's storage classes: their order from warm to cold, which archive, and what S3 asks of a move between them. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html

Theory: a rule moves versions one way, to a colder class, so a run that tries the coldest class first moves each version
once and never back. A class that an operator has added has no place in that order: it is left and entered by any.
Not for: how a class keeps its bytes, which is a row of `chunks`.
"""

from __future__ import annotations

from collections.abc import Collection

STANDARD = "STANDARD"
REDUCED_REDUNDANCY = "REDUCED_REDUNDANCY"
STANDARD_IA = "STANDARD_IA"
INTELLIGENT_TIERING = "INTELLIGENT_TIERING"
ONEZONE_IA = "ONEZONE_IA"
GLACIER_IR = "GLACIER_IR"
GLACIER = "GLACIER"
DEEP_ARCHIVE = "DEEP_ARCHIVE"

WARM_TO_COLD = (
    STANDARD,
    REDUCED_REDUNDANCY,
    STANDARD_IA,
    INTELLIGENT_TIERING,
    ONEZONE_IA,
    GLACIER_IR,
    GLACIER,
    DEEP_ARCHIVE,
)
ARCHIVE_CLASSES = frozenset({GLACIER, DEEP_ARCHIVE})
"""Whose objects are not read until they are restored."""

NEVER_TARGETS = frozenset({STANDARD, REDUCED_REDUNDANCY})
INFREQUENT_CLASSES = frozenset({STANDARD_IA, ONEZONE_IA})
INFREQUENT_DAYS_MIN = 30
"""How old something must be before a rule moves it to one of those, and how long it stays there before the next move."""

TRANSITION_SIZE_BYTES_MIN = 128 * 1024
"""The size below which a rule moves nothing, unless its filter names a size."""

_RANKS = {name: rank for rank, name in enumerate(WARM_TO_COLD)}


def is_archive(storage_class: str) -> bool:
    """Say whether a class archives: what is in it must be restored before it is read."""
    return storage_class in ARCHIVE_CLASSES


def coldness(storage_class: str) -> int:
    """Return the place in the order from warm to cold; a class without one comes behind all."""
    return _RANKS.get(storage_class, len(_RANKS))


def is_colder(target: str, source: str) -> bool:
    """Say whether a rule may move versions from one class to the other."""
    if target == source or target in NEVER_TARGETS:
        return False
    return target not in _RANKS or source not in _RANKS or _RANKS[target] > _RANKS[source]


def sources_of(target: str, known: Collection[str]) -> list[str]:
    """Return the classes, of those that are known, from which a rule may move versions to this one."""
    return sorted(source for source in known if is_colder(target, source))


def size_bytes_min(target: str, *, is_by_class: bool) -> int:
    """Return the size below which a rule without a size in its filter moves nothing.

    `is_by_class` is varies_by_storage_class: what archives takes any size then.
    """
    return 0 if is_by_class and is_archive(target) else TRANSITION_SIZE_BYTES_MIN
