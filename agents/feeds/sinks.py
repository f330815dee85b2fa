"""Where a feed's items go: to Kafka, into a count, into files."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from agents.kafka.frame_publisher import FramePublisher
from config.settings import Settings
from streams.records import Quotes, Ticks, Vols

Rows = Quotes | Vols | Ticks
_Value = TypeVar("_Value")


class FeedSink(Protocol):
    """What takes items in order."""

    async def add(self, rows: Rows) -> None:
        """Take rows."""

    async def beat(self, ts_event: int) -> None:
        """Nothing at or before this time (ns) will follow."""

    async def flush(self) -> None:
        """Wait until all that was taken is safe."""

    async def close(self) -> None:
        """Let go, whatever was taken."""


class KafkaSink:
    """Frames on the monitor's topics.

    One thread makes the calls, in the order in which they were asked for. Errors are those of
    `FramePublisher`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._publisher: FramePublisher | None = None
        self._thread = ThreadPoolExecutor(1, "publish")

    async def add(self, rows: Rows) -> None:
        """Gather rows into frames."""
        await self._call(lambda: self._connected().add(rows))

    async def beat(self, ts_event: int) -> None:
        """Heartbeats on every partition of both topics."""
        await self._call(lambda: self._connected().beat(ts_event))

    async def flush(self) -> None:
        """All is acknowledged."""
        await self._call(lambda: self._connected().flush())

    async def close(self) -> None:
        """Disconnect; what is not acknowledged is given up."""
        if self._publisher is not None:
            await self._call(self._close)
        self._thread.shutdown(wait=False)

    def _close(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close(flush=False)

    def _connected(self) -> FramePublisher:
        if self._publisher is None:
            self._publisher = FramePublisher(self._settings)
        return self._publisher

    async def _call(self, work: Callable[[], _Value]) -> _Value:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class DryRun:
    """Takes everything and publishes nothing."""

    async def add(self, rows: Rows) -> None:
        """Nothing: rows are counted by the runner."""

    async def beat(self, ts_event: int) -> None:
        """Nothing."""

    async def flush(self) -> None:
        """Nothing waits."""

    async def close(self) -> None:
        """Nothing to let go."""
