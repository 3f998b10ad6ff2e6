from __future__ import annotations

from chunks.throttle import Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_duty_is_held_to_its_rate() -> None:
    clock = Clock()
    throttle = Throttle(10.0, clock=lambda: clock.now, sleep=clock.sleep)
    for _ in range(20):
        clock.now += 0.1  # the work itself takes time too
        throttle.spend(5)
    assert clock.now - 100.0 >= 9.5


def test_slow_work_is_not_held_back() -> None:
    clock = Clock()
    throttle = Throttle(10.0, clock=lambda: clock.now, sleep=clock.sleep)
    for _ in range(5):
        clock.now += 2.0
        throttle.spend(10)
    assert clock.now == 110.0


def test_an_idle_hour_is_not_saved_up() -> None:
    clock = Clock()
    throttle = Throttle(10.0, clock=lambda: clock.now, sleep=clock.sleep)
    clock.now += 3600
    throttle.spend(1000)
    assert clock.now - 3700 >= 99


def test_no_limit_is_no_wait() -> None:
    clock = Clock()
    Throttle(None, clock=lambda: clock.now, sleep=clock.sleep).spend(1 << 60)
    Throttle(0, clock=lambda: clock.now, sleep=clock.sleep).spend(1 << 60)
    assert clock.now == 100.0
