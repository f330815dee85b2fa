"""Event time at a chosen speed."""

import pytest

from agents.replay import pacing
from agents.replay.pacing import ReplayClock
from streams.records import NS


class Wall:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    clock = Wall()
    monkeypatch.setattr(pacing, "time", clock)
    return clock


MORNING = 1_783_951_200 * NS


def test_event_time_passes_at_the_speed(wall: Wall) -> None:
    clock = ReplayClock(60)
    for second in (0, 1, 1, 61, 361):
        clock.keep(MORNING + second * NS)
    assert wall.now == pytest.approx(1000 + 361 / 60)


def test_the_gap_between_sessions_is_jumped_over(wall: Wall) -> None:
    clock = ReplayClock(1)
    clock.keep(MORNING)
    clock.keep(MORNING + 18 * 3600 * NS)
    assert wall.now == 1000
    clock.keep(MORNING + (18 * 3600 + 2) * NS)
    assert wall.now == pytest.approx(1002)


def test_a_slow_publisher_catches_up(wall: Wall) -> None:
    clock = ReplayClock(1)
    clock.keep(MORNING)
    wall.now += 5
    clock.keep(MORNING + 3 * NS)
    assert wall.now == 1005
    clock.keep(MORNING + 6 * NS)
    assert wall.now == pytest.approx(1006)


def test_no_limit_never_waits(wall: Wall) -> None:
    clock = ReplayClock(float("inf"))
    clock.keep(MORNING)
    clock.keep(MORNING + 100 * NS)
    assert wall.now == 1000
