"""The runs: plan, prepare, act and be killed, settle; each in a process of its own, so that nothing is remembered."""

from __future__ import annotations

import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.faults.crash_points import verification
from tests.faults.crash_points.duties import SCENARIOS
from tests.faults.crash_points.scenarios import SMALL, Multipart, Plan, Scenario
from tests.faults.crash_points.steps import STEPS
from tests.faults.crash_points.world import Ledger, in_child, running_world, wait_for_the_dead

KEPT_RUNS = 12
FIRST_GUESS = 8


@dataclass
class Deck:
    """The steps of a scenario at which it is still to be killed, in an order by chance.

    How many there are is known once it has come to its end; until then steps are drawn from an ever wider range.
    """

    chance: random.Random
    step_count: int = 0
    left: list[int] = field(default_factory=list)
    guessed_count: int = FIRST_GUESS

    def draw(self) -> int:
        """Return a step."""
        if not self.step_count:
            self.guessed_count *= 2
            return self.chance.randrange(1, self.guessed_count)
        if not self.left:
            self.left = list(range(1, self.step_count + 1))
            self.chance.shuffle(self.left)
        return self.left.pop()


class Runs:
    """Runs of one seed in one world, and what was found."""

    def __init__(self, seed: int, *, only: str | None = None) -> None:
        self.chance = random.Random(seed)
        self.names = [only] if only else self.chance.sample(list(SCENARIOS), len(SCENARIOS))
        self.decks = {name: Deck(self.chance) for name in self.names}
        self.ledger = Ledger()
        self.number = 0
        self.acknowledged = 0
        self.killed: Counter[str] = Counter()
        self.places: Counter[str] = Counter()  # the beginnings of the steps before which processes were killed
        self.seen: dict[str, set[int]] = defaultdict(set)
        self.failures: list[str] = []

    @contextmanager
    def world(self) -> Iterator[None]:
        """Have somewhere to run."""
        with running_world():
            yield

    def is_done(self, run_count: int, *, is_every_step: bool) -> bool:
        """Say whether that was all: so many processes killed, or each scenario at each step, or something is broken."""
        if self.failures:
            return True
        if is_every_step:
            return all(deck.step_count and not deck.left and self.killed[name] for name, deck in self.decks.items())
        return self.killed.total() >= run_count

    def run(self) -> None:
        """Do one run."""
        name = self.names[self.number % len(self.names)]
        scenario, deck = SCENARIOS[name], self.decks[name]
        self.number += 1
        plan = Plan(random.Random(self.chance.randrange(1 << 62)), self.number)
        scenario.plan(plan)
        if isinstance(scenario, Multipart):
            plan.facts["last_bytes"] = SMALL
        kill_at = deck.draw()
        try:
            self._run(name, scenario, plan, kill_at)
        except verification.Wrong as error:
            self.failures.append(f"run {self.number}, {name}, to be killed before step {kill_at}: {error}")

    def _run(self, name: str, scenario: Scenario, plan: Plan, kill_at: int) -> None:
        plan.facts |= _result(in_child(lambda: scenario.prepare(plan)))
        with tempfile.TemporaryFile() as log:
            outcome = in_child(lambda: _act(scenario, plan, kill_at, log.fileno()))
            log.seek(0)
            steps = log.read().decode().splitlines()
        if outcome.failure:
            raise verification.Wrong(f"{steps[-3:]}: {outcome.failure}")
        acknowledged = None
        if outcome.is_killed:
            self.killed[name] += 1
            self.seen[name].add(kill_at)
            self.places[" ".join(steps[-1].split()[:2])] += 1
            wait_for_the_dead()
        else:
            self.acknowledged += 1
            acknowledged = outcome.result
            self.decks[name].step_count = len(steps)
        ledger = self.ledger
        self.ledger = _result(
            in_child(
                lambda: verification.settle(
                    scenario, plan, ledger, is_acknowledged=not outcome.is_killed, acknowledged=acknowledged
                )
            )
        )
        if self.number % KEPT_RUNS == 0:
            old = set(range(self.number - KEPT_RUNS))
            self.ledger = _result(in_child(lambda: verification.forget(self.ledger, old)))

    def look_deep(self) -> int:
        """Read everything once more."""
        if self.failures:
            return 0
        try:
            count: int = _result(in_child(lambda: verification.look_deep(self.ledger), seconds=600))
        except verification.Wrong as error:
            self.failures.append(f"at the end: {error}")
            return 0
        return count


def _act(scenario: Scenario, plan: Plan, kill_at: int, log: int) -> Any:
    STEPS.begin(kill_at, log)
    result = scenario.act(plan)
    STEPS.take("acknowledge")
    return result


def _result(outcome: Any) -> Any:
    if outcome.failure or outcome.is_killed:
        raise verification.Wrong(outcome.failure or "the process was killed, and not by us")
    return outcome.result
