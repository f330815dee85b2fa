"""A worker's look at its clock while it works, against a real Redis."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from agents.process.exits import ActionNeededError
from agents.store import clock_check
from agents.store.client import connect
from config.settings import RedisSettings
from tests.support.stack import EmbeddedTestStack

pytestmark = pytest.mark.embedded


@pytest.fixture
async def redis(
    embedded_stack: EmbeddedTestStack, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Redis]:
    monkeypatch.setattr(clock_check, "WATCH_SECONDS", 0.01)
    client = connect(RedisSettings(url=SecretStr(embedded_stack.redis.url)))
    yield client
    await client.aclose()


def off(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
    """The clock is off by so much at each look, and by the last of it from then on."""
    left = [skew for skew in seconds for _ in range(2)]  # a look reads it before and after
    monkeypatch.setattr(
        clock_check, "time", lambda: time.time() + (left.pop(0) if len(left) > 1 else left[0])
    )


@pytest.mark.parametrize("skew", [90.0, -90.0, 3_600.0])
async def test_a_clock_that_is_off_by_a_minute_is_refused(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, skew: float
) -> None:
    off(monkeypatch, 0.0, skew)
    told: list[float] = []
    with pytest.raises(ActionNeededError, match=f"gone [+-]{abs(skew):.0f} s away"):
        await asyncio.wait_for(clock_check.watch_clock(redis, told.append), 30)
    assert told[0] == 0.0
    assert told[-1] == pytest.approx(skew, abs=2)


async def test_a_watch_that_is_told_to_end_ends(redis: Redis) -> None:
    """Wherever in its look it is: its task would keep the worker from stopping."""
    for step in range(40):
        watch = asyncio.create_task(clock_check.watch_clock(redis, lambda _: None))
        await asyncio.sleep(clock_check.WATCH_SECONDS)
        for _ in range(step % 8):
            await asyncio.sleep(0)
        watch.cancel()
        done, _ = await asyncio.wait([watch], timeout=20)
        assert done, f"it looks on, told to end {step % 8} steps of the loop after its sleep"


async def test_seconds_are_noted_and_a_single_leap_is_looked_at_again(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    off(monkeypatch, 90.0, 30.0)
    told: list[float] = []
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(clock_check.watch_clock(redis, told.append), 2.5)
    assert told
    assert told == pytest.approx([30.0] * len(told), abs=2)
    assert "the clock is +30.0 s against that of Redis: run a time service" in caplog.text
