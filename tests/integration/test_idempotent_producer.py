"""A broker that hangs longer than a request may take.

What is sent again must not be stored twice.
"""

import asyncio
import signal
from typing import Any

import faust
import pytest
from aiokafka.errors import RequestTimedOutError
from faust.transport.drivers import aiokafka as driver
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from agents.transport.assignment import AssignmentCallbacks
from agents.transport.consumer import broker_urls, install
from tests.support.stack import RealStack

COUNT = 20
REQUEST_SECONDS = 1.0
HANG_SECONDS = 2.5

pytestmark = [pytest.mark.stack, pytest.mark.timeout(60)]


def app_of(stack: RealStack) -> faust.App:
    app = faust.App(
        "producing", broker=broker_urls(stack.bootstrap_servers),
        producer_request_timeout=REQUEST_SECONDS, producer_acks=-1,
        topic_disable_leader=True, topic_allow_declare=False, autodiscover=False, web_enabled=False,
    )  # fmt: skip

    async def unused(*_: object) -> Any:
        raise AssertionError

    def unsaid(_anything: object) -> None:
        pass

    install(app, AssignmentCallbacks(unused, unused, unsaid, unsaid, unsaid, unsaid))
    return app


async def stored(stack: RealStack, producer: Any, topic: str) -> int:
    """How many records a topic holds after each of `COUNT` was acknowledged.

    The broker hangs meanwhile.
    """
    stack.create_topics([(topic, 1)])
    await producer.start()
    try:
        await (await producer.send(topic, None, b"first", 0, None, None))
        stack.kafka.signal(signal.SIGSTOP)
        try:
            answers = [
                await producer.send(topic, None, b"%d" % n, 0, None, None) for n in range(COUNT - 1)
            ]
            await asyncio.sleep(HANG_SECONDS)
        finally:
            stack.kafka.signal(signal.SIGCONT)
        await asyncio.wait_for(asyncio.gather(*answers), 30)
    finally:
        await producer.stop()
    consumer = KafkaConsumer(bootstrap_servers=stack.bootstrap_servers)
    try:
        place = TopicPartition(topic, 0)
        return int(consumer.end_offsets([place])[place])
    finally:
        consumer.close()


async def test_what_is_sent_again_is_stored_once(real_stack: RealStack, topic_prefix: str) -> None:
    app = app_of(real_stack)
    assert await stored(real_stack, app.producer, f"{topic_prefix}once") == COUNT
    with pytest.raises(
        RequestTimedOutError
    ):  # the stock one gives up, so the first request did time out
        await stored(
            real_stack, driver.Producer(transport=app.producer_transport), f"{topic_prefix}stock"
        )
