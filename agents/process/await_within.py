"""Waiting for an answer no longer than so many seconds."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def await_within(seconds: float, awaitable: Awaitable[T]) -> T:
    """The answer; raises `TimeoutError` when there is none in time.

    `asyncio.wait_for` of Python 3.11 loses a cancellation that comes together with the answer. A
    task that was told to end then goes on for ever.
    """
    async with asyncio.timeout(seconds):
        return await awaitable
