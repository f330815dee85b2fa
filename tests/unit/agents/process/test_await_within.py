"""An answer in time, none in time, and a cancellation that comes together with the answer."""

import asyncio
from contextlib import suppress

import pytest

from agents.process.await_within import await_within


async def test_an_answer_in_time() -> None:
    assert await await_within(20, asyncio.sleep(0, "answer")) == "answer"


async def test_no_answer_in_time() -> None:
    with pytest.raises(TimeoutError):
        await await_within(0.01, asyncio.Event().wait())


async def test_a_cancellation_is_not_lost_beside_the_answer() -> None:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(await_within(20, answer))
    await asyncio.sleep(0)
    answer.set_result("answer")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nor_one_that_the_awaited_call_has_lost() -> None:
    """As redis-py's calls do, which send each command through `asyncio.wait_for`."""

    async def loses_it() -> str:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "answer"

    task = asyncio.create_task(await_within(20, loses_it()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_of_before_is_not_this_ones() -> None:
    """A task that goes on though it was told to end, to clean up, gets its answers."""

    async def cleans_up() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return await await_within(20, asyncio.sleep(0, "answer"))
        raise AssertionError

    task = asyncio.create_task(cleans_up())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "answer"
