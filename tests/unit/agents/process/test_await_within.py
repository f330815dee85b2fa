"""An answer in time, none in time, and a cancellation that comes together with the answer."""

import asyncio

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
