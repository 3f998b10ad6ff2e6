"""A subject and its reference, measured in turns: what disturbs the machine disturbs both."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures of all rounds, as rates, and the ratios of subject to reference within each round."""

    name: str
    unit: str
    reference_name: str
    subject: list[float]
    reference: list[float]
    bar: float | None = None  # what the ratio should reach
    remark: str = ""

    @property
    def ratios(self) -> list[float]:
        """Return the ratio of each round."""
        return [subject / reference for subject, reference in zip(self.subject, self.reference, strict=True)]

    @property
    def ratio(self) -> float:
        """Return the median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def is_reached(self) -> bool:
        """Say whether the bar is reached, if there is one."""
        return self.bar is None or self.ratio >= self.bar


def compare(
    name: str,
    unit: str,
    subject: Callable[[], float],
    reference_name: str,
    reference: Callable[[], float],
    *,
    rounds: int,
    bar: float | None = None,
) -> Comparison:
    """Measure in turns, after one round that does not count."""
    reference()
    subject()
    subjects, references = [], []
    for _ in range(rounds):
        references.append(reference())
        subjects.append(subject())
    return Comparison(name, unit, reference_name, subjects, references, bar)
