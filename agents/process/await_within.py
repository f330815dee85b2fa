"""Waiting for an answer no longer than so many seconds."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def await_within(seconds: float, awaitable: Awaitable[T]) -> T:
    """The answer; raises `TimeoutError` when there is none in time.

    `asyncio.wait_for` of Python 3.11 loses a cancellation that comes together with the answer, and
    redis-py sends each command through it. A task that was told to end would then go on for ever,
    so a cancellation that did not come back out of `awaitable` is raised after it.
    """
    told = _cancellations()
    async with asyncio.timeout(seconds):
        answer = await awaitable
    if _cancellations() > told:
        raise asyncio.CancelledError
    return answer


def _cancellations() -> int:
    """How often this task was told to end, without those that somebody has dealt with."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
