import asyncio

import pytest

from agents.process.release_deadline import Deadline, DeadlineExceededError
from agents.store.breaker import Breaker, BreakerState


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(threshold=2)
    breaker.failure()
    breaker.success()
    breaker.failure()
    before = breaker.state
    breaker.failure()
    assert (before, breaker.state) == (BreakerState.CLOSED, BreakerState.OPEN)


async def test_one_caller_tries_after_the_cooldown_and_the_others_wait_for_it() -> None:
    clock = Clock()
    breaker = Breaker(threshold=1, cooldown=5, clock=clock)
    breaker.failure()
    waiting = [asyncio.create_task(breaker.ready(Deadline())) for _ in range(3)]
    await asyncio.sleep(0.12)
    assert not any(task.done() for task in waiting)
    clock.now = 6
    await asyncio.sleep(0.12)
    assert sum(task.done() for task in waiting) == 1
    breaker.success()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)


async def test_a_failed_trial_opens_it_at_once() -> None:
    clock = Clock()
    breaker = Breaker(threshold=3, cooldown=1, clock=clock)
    for _ in range(3):
        breaker.failure()
    clock.now = 2
    await breaker.ready(Deadline())
    breaker.failure()
    assert breaker.state is BreakerState.OPEN


async def test_waiting_ends_at_the_deadline() -> None:
    breaker, deadline = Breaker(threshold=1, cooldown=60), Deadline()
    breaker.failure()
    deadline.wind_down(0.05)
    with pytest.raises(DeadlineExceededError):
        await breaker.ready(deadline)
