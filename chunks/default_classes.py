"""The storage classes of a new installation: S3's names, so that every client finds the one that it asks for. Pure.

All are kept by what the nodes can carry. What archives is encoded from a smaller size on: it is written once and hardly
read, so that bytes count for more than the time of a read. An operator changes the rows, and adds others.
"""

KIBIBYTE = 1024

_WARM = ("STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY", "GLACIER_IR")
_ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")

DEFAULT_CLASSES: dict[str, dict[str, int]] = {
    **{name: {} for name in _WARM},
    **{name: {"large_from_bytes": 16 * KIBIBYTE} for name in _ARCHIVES},
}
"""Name and what differs from the columns' own defaults."""
