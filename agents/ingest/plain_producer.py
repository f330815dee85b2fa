"""A producer without Faust: aiokafka's own, idempotent.

It is as `agents.kafka.publisher.Publisher` wants it.
"""

from collections.abc import Awaitable
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from agents.kafka.credentials import client_options
from config.settings import Settings

REQUEST_MS = 10_000
"""Until a request is given up and sent again.

A broker that is coming back may take a connection and lose it.
"""


class PlainProducer:
    """Keeps the order within a partition, and never gives up on a message it has accepted."""

    def __init__(self, settings: Settings) -> None:
        """Within an event loop. Raises `ConfigError`."""
        size = settings.kafka.max_message_bytes
        options = {
            "acks": "all",
            "enable_idempotence": True,
            "max_request_size": size,
            "request_timeout_ms": REQUEST_MS,
        }
        self._client: Any = AIOKafkaProducer(**client_options(settings.kafka), **options)

    async def open(self) -> None:
        """Connect."""
        await self._client.start()

    async def close(self) -> None:
        """Disconnect."""
        await self._client.stop()

    async def partitions(self, topic: str) -> int:
        """As far as is known by now."""
        return len(await self._client.partitions_for(topic))

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
    ) -> Awaitable[Any]:
        """Accept a message; `timestamp` in seconds."""
        at = None if timestamp is None else round(timestamp * 1000)
        try:
            answer: Awaitable[Any] = await self._client.send(
                topic, value, key, partition, at, headers
            )
        except KafkaTimeoutError as error:
            raise RuntimeError(topic) from error
        return answer
