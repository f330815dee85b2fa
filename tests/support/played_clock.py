"""A clock that runs as fast as the work allows: a day in seconds.

Time stands while a request or a publication is under way, and jumps to the next sleeper when
nothing is.
"""

import asyncio
import heapq
import itertools
from typing import Any

from agents.feeds.http_source import HttpAnswer, HttpSource
from agents.feeds.sinks import FeedSink, Rows
from streams.records import NS

SPINS = 16
"""Turns of the event loop after which nothing is under way but what is counted as busy."""


class PlayedClock:
    """Wall and steady time of a test."""

    def __init__(self, start: int) -> None:
        self.now = start
        self.off = 0
        """By how much the wall clock is wrong, ns."""
        self.busy = 0
        self._number = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def wall(self) -> int:
        return self.now + self.off

    def steady(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        at = self.now + max(1, round(seconds * NS))
        heapq.heappush(self._sleepers, (at, next(self._number), future))
        await future

    async def play(self, until: int, work: "asyncio.Task[Any]") -> None:
        """Let the work go on until a time."""
        idle = 0
        while self.now < until and not work.done():
            for _ in range(SPINS):
                await asyncio.sleep(0)
            if self.busy:
                await asyncio.sleep(0.0005)
                continue
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            if not self._sleepers and idle < 100:
                # Connections are being closed, or nothing is left to do.
                idle += 1
                await asyncio.sleep(0.005)
                continue
            if not self._sleepers or self._sleepers[0][0] > until:
                self.now = until
                return
            at, _, future = heapq.heappop(self._sleepers)
            self.now = max(self.now, at)
            future.set_result(None)


class CountedSource(HttpSource):
    """Holds the clock while a request is under way."""

    def __init__(self, clock: PlayedClock, timeout: float = 5.0) -> None:
        super().__init__(timeout)
        self._clock = clock

    async def exchange(self, url: str, headers: dict[str, str]) -> HttpAnswer:
        self._clock.busy += 1
        try:
            return await super().exchange(url, headers)
        finally:
            self._clock.busy -= 1


class CountedSink:
    """Holds the clock while something is being published."""

    def __init__(self, clock: PlayedClock, inner: FeedSink) -> None:
        self._clock = clock
        self._inner = inner

    async def _held(self, work: Any) -> None:
        self._clock.busy += 1
        try:
            await work
        finally:
            self._clock.busy -= 1

    async def add(self, rows: Rows) -> None:
        await self._held(self._inner.add(rows))

    async def beat(self, ts_event: int) -> None:
        await self._held(self._inner.beat(ts_event))

    async def flush(self) -> None:
        await self._held(self._inner.flush())

    async def close(self) -> None:
        await self._held(self._inner.close())
