import asyncio
from time import monotonic

import pytest

from agents.process.release_deadline import Deadline, DeadlineExceededError


async def test_sleeps_in_full_without_a_deadline() -> None:
    started = monotonic()
    await Deadline().sleep(0.05)
    assert monotonic() - started >= 0.05


async def test_a_deadline_cuts_a_sleep_short_and_abandons() -> None:
    deadline = Deadline()
    deadline.wind_down(0.02)
    with pytest.raises(DeadlineExceededError):
        await asyncio.wait_for(deadline.sleep(10), 1)
    assert deadline.left() == 0.0


async def test_renewed_patience_is_unlimited_again() -> None:
    deadline = Deadline()
    deadline.wind_down(0.0)
    deadline.renew()
    deadline.check()
    assert deadline.left() is None
    assert not deadline.winding_down
