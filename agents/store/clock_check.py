"""This machine's clock against that of Redis: sessions, silent sources and ages are judged by it. Kafka does not tell its time."""

import logging
from time import time

from redis.asyncio import Redis

from agents.exits import Refusal
from agents.store.asking import ask
from agents.store.server_check import ANSWER_SECONDS

NOTED_SECONDS = 2.0
REFUSED_SECONDS = 60.0
NEXT = "run a time service on both machines"

log = logging.getLogger(__name__)


async def check_clock(redis: Redis, *, seconds: float = ANSWER_SECONDS) -> None:
    """Warn of a difference of seconds, refuse one of a minute. Raises `Refusal`, or `Down` after so many seconds."""
    whole, micros = await ask(redis.time, seconds)
    skew = time() - (whole + micros / 1e6)
    if abs(skew) >= REFUSED_SECONDS:
        raise Refusal(f"the clock is {skew:+.0f} s against that of Redis, so sessions and silent sources would be judged wrong: {NEXT}")
    if abs(skew) >= NOTED_SECONDS:
        log.warning("the clock is %+.1f s against that of Redis: %s", skew, NEXT)
