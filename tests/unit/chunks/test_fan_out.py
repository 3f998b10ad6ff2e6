from __future__ import annotations

import os
import threading
from functools import partial

import pytest

from chunks.fan_out import Lane


def test_results_come_in_the_order_of_tasks() -> None:
    lane = Lane(2)
    for _ in range(20):
        assert lane.run_all([partial(int, number) for number in range(7)]) == list(range(7))


def test_tasks_run_at_once_as_far_as_the_lane_is_wide() -> None:
    meeting = threading.Barrier(3, timeout=10)
    assert len(set(Lane(2).run_all([meeting.wait] * 3))) == 3


def test_a_full_lane_leaves_the_work_to_the_caller() -> None:
    assert Lane(1).run_all([threading.get_ident] * 5).count(threading.get_ident()) >= 4


def test_what_a_task_raises_is_raised() -> None:
    lane = Lane(1)
    for tasks in ([partial(int, "x"), int], [int, partial(int, "x"), int]):
        with pytest.raises(ValueError, match="invalid literal"):
            lane.run_all(tasks)
    assert lane.run_all([int, int, int]) == [0, 0, 0]


def test_a_forked_child_has_threads_of_its_own() -> None:
    lane = Lane(4)
    lane.run_all([int] * 4)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            meeting = threading.Barrier(2, timeout=5)
            code = 0 if len(lane.run_all([meeting.wait] * 2)) == 2 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
