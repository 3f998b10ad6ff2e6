"""Numbers as people read them: sizes, durations. Pure."""

from __future__ import annotations

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DURATIONS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def human_size(size_bytes: int) -> str:
    """Render a size with three digits at least, in binary units: 1536 → `1.50 KiB`."""
    size, unit = float(size_bytes), 0
    while abs(size) >= 1023.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    if unit == 0:
        return f"{size_bytes} B"
    if abs(size) < 9.995:
        return f"{size:.2f} {_UNITS[unit]}"
    return f"{size:.1f} {_UNITS[unit]}" if abs(size) < 99.95 else f"{size:.0f} {_UNITS[unit]}"


def human_duration(seconds: float) -> str:
    """Render a duration in its largest unit, and the next one where it matters: 90000 → `1 day 1 hour`."""
    left = max(0, int(seconds))
    words: list[str] = []
    for unit_seconds, name in _DURATIONS:
        count, left = divmod(left, unit_seconds)
        if count:
            words.append(f"{count:,} {name}" + ("" if count == 1 else "s"))
        if words and (len(words) == 2 or count >= 10 or not count):
            break
    return " ".join(words) or "0 seconds"
