"""This machine's clock against that of Redis: sessions, silent sources and ages are judged by it.

Kafka does not tell its time.
"""

import asyncio
import logging
from collections.abc import Callable
from time import time

from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents.process.await_within import await_within
from agents.process.exits import ActionNeededError
from agents.store.retry import ask
from agents.store.server_check import ANSWER_SECONDS

NOTED_SECONDS = 2.0
REFUSED_SECONDS = 60.0
NEXT = "run a time service on both machines"
WATCH_SECONDS = 60.0
"""Time between two looks of a worker at work."""
LOOKS = 3
"""So many looks, a second apart, must agree before a worker at work is refused."""

log = logging.getLogger(__name__)


async def check_clock(redis: Redis, *, seconds: float = ANSWER_SECONDS) -> None:
    """Warn of a difference of seconds, refuse one of a minute.

    Raises `ActionNeededError`, or `UnavailableError` after so many seconds.
    """
    whole, micros = await ask(redis.time, seconds)
    skew = time() - (whole + micros / 1e6)
    if abs(skew) >= REFUSED_SECONDS:
        raise ActionNeededError(
            f"the clock is {skew:+.0f} s against that of Redis, "
            f"so sessions and silent sources would be judged wrong: {NEXT}"
        )
    if abs(skew) >= NOTED_SECONDS:
        log.warning("the clock is %+.1f s against that of Redis: %s", skew, NEXT)


async def watch_clock(redis: Redis, told: Callable[[float], None]) -> None:
    """Look again and again while the worker works.

    `told` gets each difference. Raises `ActionNeededError` at a minute, as the start does.
    """
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        skews = [await _skew(redis)]
        while abs(skews[-1]) >= REFUSED_SECONDS and len(skews) < LOOKS:
            await asyncio.sleep(1.0)
            skews.append(await _skew(redis))
        told(skews[-1])
        if abs(skews[-1]) >= REFUSED_SECONDS:
            raise ActionNeededError(
                f"the clock has gone {skews[-1]:+.0f} s away from that of Redis: "
                f"{NEXT}, then start again"
            )
        if abs(skews[-1]) >= NOTED_SECONDS:
            log.warning("the clock is %+.1f s against that of Redis: %s", skews[-1], NEXT)


async def _skew(redis: Redis) -> float:
    """How far this clock is ahead, at least.

    What the answer may have taken on its way is not counted. 0 while Redis is away.
    """
    before = time()
    try:
        whole, micros = await await_within(ANSWER_SECONDS, redis.time())
    except (RedisError, OSError, TimeoutError):
        return 0.0
    return ahead(before, whole + micros / 1e6, time())


def ahead(before: float, there: float, after: float) -> float:
    """Seconds that a clock is ahead of another one, at least.

    The other one said `there` between two looks at the clock.

    >>> ahead(10.0, 10.1, 10.2), ahead(40.0, 10.1, 40.2), ahead(10.0, 40.0, 12.0)
    (0.0, 29.9, -28.0)
    """
    return round(before - there if there < before else min(0.0, after - there), 3)
