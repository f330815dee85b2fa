import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    UnknownProducerId,
)

from agents.kafka.publisher import (
    IN_FLIGHT,
    LogLostError,
    Publisher,
    PublishError,
    RefusedMessageError,
)
from agents.process.exits import EXIT_ACTION_NEEDED, EXIT_INTERNAL, EXIT_UNAVAILABLE
from agents.process.release_deadline import Deadline, DeadlineExceededError
from agents.worker.partitions import _exit_code_of
from streams.stage import Message
from streams.topics import Topics


class Broker:
    """Accepts messages; the test decides when and how they are acknowledged."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes | None]] = []
        self.futures: list[asyncio.Future[None]] = []
        self.refusals: list[Exception] = []
        self.times: list[float | None] = []

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
    ) -> Awaitable[Any]:
        del key, partition, headers
        self.times.append(timestamp)
        if self.refusals:
            raise RuntimeError from self.refusals.pop(0)
        self.sent.append((topic, value))
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1]


def publisher(broker: Broker, deadline: Deadline | None = None) -> Publisher:
    return Publisher(broker, Topics("t."), deadline or Deadline(), lambda _topic, _n: None)


@pytest.mark.parametrize(("now", "dated"), [(None, [None, 5.0, 7.0]), (5_000, [None, None, 7.0])])
async def test_with_a_clock_no_message_is_dated_in_the_past(
    now: int | None, dated: list[float | None]
) -> None:
    broker = Broker()
    ours = Publisher(
        broker,
        Topics("t."),
        Deadline(),
        lambda _topic, _n: None,
        None if now is None else lambda: now,
    )
    await ours.send([Message("points", None, b"1", timestamp=at) for at in (None, 5_000, 7_000)])
    assert broker.times == dated


async def test_drain_waits_for_every_acknowledgement() -> None:
    broker = Broker()
    ours = publisher(broker)
    await ours.send([Message("points", b"SPX", b"1"), Message("readings", None, b"2")])
    draining = asyncio.create_task(ours.drain())
    broker.futures[1].set_result(None)
    await asyncio.sleep(0.01)
    assert not draining.done()
    broker.futures[0].set_result(None)
    await asyncio.wait_for(draining, 1)
    assert broker.sent == [("t.dispersion.points.v1", b"1"), ("t.dispersion.readings.v1", b"2")]


async def test_a_refused_message_is_never_taken_for_stored() -> None:
    broker = Broker()
    ours = publisher(broker)
    await ours.send([Message("points", None, b"1")])
    broker.futures[0].set_exception(MessageSizeTooLargeError())
    with pytest.raises(PublishError):
        await ours.drain()


async def test_a_refusal_goes_before_what_follows_from_it() -> None:
    broker = Broker()
    ours = publisher(broker)
    for _ in range(4):
        await ours.send([Message("points", None, b"1")])
    for future, error in zip(
        broker.futures, (OutOfOrderSequenceNumber, MessageSizeTooLargeError) * 2, strict=True
    ):
        future.set_exception(error())
    with pytest.raises(RefusedMessageError, match=r"points\.v1 does not take") as caught:
        await ours.drain()
    assert _exit_code_of(caught.value) == EXIT_ACTION_NEEDED


@pytest.mark.parametrize("error", [OutOfOrderSequenceNumber(), UnknownProducerId()])
async def test_a_broker_that_has_lost_records_is_no_bug_of_ours(error: Exception) -> None:
    broker = Broker()
    ours = publisher(broker)
    await ours.send([Message("points", None, b"1")])
    broker.futures[0].set_exception(error)
    with pytest.raises(LogLostError, match="records that it had acknowledged") as caught:
        await ours.drain()
    assert _exit_code_of(caught.value) == EXIT_UNAVAILABLE
    assert _exit_code_of(PublishError("too large")) == EXIT_INTERNAL


async def test_a_full_buffer_is_waited_out_and_order_is_kept() -> None:
    broker = Broker()
    broker.refusals = [KafkaTimeoutError(), KafkaTimeoutError()]
    await publisher(broker).send([Message("points", None, b"1"), Message("points", None, b"2")])
    assert [value for _, value in broker.sent] == [b"1", b"2"]


async def test_any_other_refusal_is_final() -> None:
    broker = Broker()
    broker.refusals = [MessageSizeTooLargeError()]
    with pytest.raises(PublishError):
        await publisher(broker).send([Message("points", None, b"1")])


async def test_patience_ends_the_wait() -> None:
    deadline = Deadline()
    ours = publisher(Broker(), deadline)
    await ours.send([Message("points", None, b"1")])
    deadline.wind_down(0.05)
    with pytest.raises(DeadlineExceededError):
        await asyncio.wait_for(ours.drain(), 2)
    assert ours.waiting


async def test_what_is_in_flight_is_bounded() -> None:
    broker = Broker()
    ours = publisher(broker)
    sending = asyncio.create_task(ours.send([Message("points", None, b"")] * (IN_FLIGHT + 1)))
    await asyncio.sleep(0.1)
    assert len(broker.sent) == IN_FLIGHT
    for future in broker.futures:
        future.set_result(None)
    await asyncio.wait_for(sending, 1)
    assert len(broker.sent) == IN_FLIGHT + 1
    broker.futures[-1].cancel()
