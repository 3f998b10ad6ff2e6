"""Gathering: who waits is served with the next group, gets what is its own, and never waits for long."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from chunks.gathering import Gathering
from tests.live.processes import wait_until


class Work:
    """Squares numbers; a group waits at the gate, if it is shut."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.groups.append(list(items))
        assert self.gate.wait(30)
        if 13 in items:
            raise ValueError("thirteen")
        return [item * item for item in items]


def queue_up(
    gathering: Gathering[int, int], work: Work, threads: ThreadPoolExecutor, numbers: Sequence[int]
) -> list[Future[int]]:
    """Submit numbers, and return when the first is worked on and the others wait."""
    first = threads.submit(gathering.submit, numbers[0])
    wait_until(lambda: work.groups == [[numbers[0]]], "the first is worked on")
    others = [threads.submit(gathering.submit, number) for number in numbers[1:]]
    wait_until(lambda: len(gathering._waiting) == len(others), "the others wait")
    return [first, *others]


def test_alone_one_works_at_once_and_alone() -> None:
    work = Work()
    gathering = Gathering(work, group_size_max=8)
    assert [gathering.submit(number) for number in range(3)] == [0, 1, 4]
    assert work.groups == [[0], [1], [2]]


def test_who_comes_meanwhile_is_the_next_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chunks.gathering.PATIENCE_SECONDS", 30)
    work = Work()
    gathering = Gathering(work, group_size_max=4)
    work.gate.clear()
    with ThreadPoolExecutor(8) as threads:
        first, *others = queue_up(gathering, work, threads, [1, *range(2, 8)])
        work.gate.set()
        assert first.result(30) == 1
        assert [other.result(30) for other in others] == [number * number for number in range(2, 8)]
    assert [len(group) for group in work.groups] == [1, 4, 2]
    assert gathering.submit(9) == 81


def test_what_a_group_fails_with_all_of_it_hear_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chunks.gathering.PATIENCE_SECONDS", 30)
    work = Work()
    gathering = Gathering(work, group_size_max=8)
    work.gate.clear()
    with ThreadPoolExecutor(8) as threads:
        first, *others = queue_up(gathering, work, threads, [1, 13, 14, 15])
        work.gate.set()
        assert first.result(30) == 1
        assert all(isinstance(other.exception(30), ValueError) for other in others)
    assert gathering.submit(9) == 81


def test_a_group_that_is_held_up_holds_nobody_else() -> None:
    work = Work()
    gathering = Gathering(work, group_size_max=8)
    work.gate.clear()
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(gathering.submit, 1)
        wait_until(lambda: work.groups == [[1]], "the first works")
        second = threads.submit(gathering.submit, 2)
        wait_until(lambda: work.groups == [[1], [2]], "the second has lost its patience")
        third = threads.submit(gathering.submit, 3)
        wait_until(lambda: work.groups == [[1], [2], [3]], "and so has the third")
        work.gate.set()
        assert [one.result(30) for one in (first, second, third)] == [1, 4, 9]
    assert gathering._group_count == 0
    assert gathering.submit(9) == 81


def test_enough_who_wait_are_a_second_group_but_never_a_third(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chunks.gathering.PATIENCE_SECONDS", 30)
    work = Work()
    gathering = Gathering(work, group_size_max=8, second_group_min=3)
    work.gate.clear()
    with ThreadPoolExecutor(8) as threads:
        first = queue_up(gathering, work, threads, [1, 2, 3])
        second = threads.submit(gathering.submit, 4)
        wait_until(lambda: len(work.groups) == 2, "three who wait begin a second group")
        others = [threads.submit(gathering.submit, number) for number in (5, 6, 7)]
        wait_until(lambda: len(gathering._waiting) == 3, "three more wait")
        assert [sorted(group) for group in work.groups] == [[1], [2, 3, 4]]
        work.gate.set()
        assert [one.result(30) for one in (*first, second, *others)] == [1, 4, 9, 16, 25, 36, 49]
    assert gathering._group_count == 0


def test_groups_are_bounded_by_the_size_of_their_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chunks.gathering.PATIENCE_SECONDS", 30)
    work = Work()
    gathering = Gathering(work, group_size_max=10, size_of=lambda number: number)
    work.gate.clear()
    with ThreadPoolExecutor(8) as threads:
        futures = queue_up(gathering, work, threads, [1, 20, 5, 5, 5])
        work.gate.set()
        assert [future.result(30) for future in futures] == [1, 400, 25, 25, 25]
    assert sorted(map(sorted, work.groups)) == [[1], [5], [5, 5], [20]]


def test_many_threads_all_get_their_own() -> None:
    work = Work()
    gathering = Gathering(work, group_size_max=5)
    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(gathering.submit, range(20, 2020)))
    assert results == [number * number for number in range(20, 2020)]
    assert sorted(number for group in work.groups for number in group) == list(range(20, 2020))
    assert gathering._group_count == 0
