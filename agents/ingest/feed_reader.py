"""All partitions of a feed's topic, read by one process from where it last committed.

It is no member of a group, so nobody waits for a dead one's session to end, and its commits are
under a group's name all the same. A second process would read and publish the same again, which is
a waste and no harm.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from agents.ingest.plain_producer import REQUEST_MS
from agents.kafka.credentials import client_options
from agents.process.await_within import await_within
from agents.transport.fetched_records import use_fetched_records
from config.settings import Settings

FETCH_BYTES = 512 * 1024
"""Of one partition in one answer of the broker, which gives a longer record all the same.

Megabytes leave the processor's cache: they cost half as much again.
"""
FETCH_WAIT_MS = 100
"""How long a broker may hold a fetch that finds nothing.

A partition that was drained meanwhile waits for it.
"""
METADATA_SECONDS = 60
"""How long a topic may have grown unnoticed."""
SILENT_SECONDS = 5.0
"""A partition that has more and gives nothing for so long is away.

The others wait for it no longer.
"""

Start = Literal["earliest", "latest"]


class FeedReader:
    """Used within one event loop; errors are aiokafka's."""

    def __init__(self, settings: Settings, topic: str, start: Start) -> None:
        """`start` is where a partition begins of which nothing is committed."""
        self._topic = topic
        self._start = start
        self._most = settings.kafka.max_poll_records
        use_fetched_records()
        self._consumer: Any = AIOKafkaConsumer(
            **client_options(settings.kafka),
            auto_offset_reset="earliest",
            check_crcs=settings.kafka.check_crcs,
            enable_auto_commit=False,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            group_id=f"{settings.kafka.group}-ingest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=FETCH_BYTES,
            metadata_max_age_ms=METADATA_SECONDS * 1000,
            request_timeout_ms=REQUEST_MS,
        )
        self._next: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._heard: dict[int, float] = {}

    async def open(self) -> None:
        """Connect."""
        await self._consumer.start()

    async def close(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def assign(self, partitions: int) -> dict[int, int]:
        """Take so many partitions, each from its commit; where each begins.

        Those without a commit get one.
        """
        places = [TopicPartition(self._topic, number) for number in range(partitions)]
        self._consumer.assign(places)
        committed = {place: await self._consumer.committed(place) for place in places}
        first, ends = (
            await self._consumer.beginning_offsets(places),
            await self._consumer.end_offsets(places),
        )
        fresh = {
            place: (first if self._start == "earliest" else ends)[place]
            for place in places
            if committed[place] is None
        }
        if fresh:
            await self._consumer.commit(fresh)
        for place in places:
            offset = fresh.get(place, committed[place])
            self._consumer.seek(place, offset)
            self._next[place.partition], self._ends[place.partition] = (
                max(offset, first[place]),
                ends[place],
            )
            self._heard[place.partition] = monotonic()
        return dict(self._next)

    async def poll(self, partitions: Iterable[int], seconds: float) -> Mapping[int, Sequence[Any]]:
        """New records of some partitions, after a while at the latest."""
        places = [TopicPartition(self._topic, number) for number in partitions]
        if not places:
            await asyncio.sleep(seconds)
            return {}
        found = await self._consumer.getmany(
            *places, timeout_ms=int(seconds * 1000), max_records=self._most
        )
        for place, records in found.items():
            if records:
                self._next[place.partition], self._heard[place.partition] = (
                    records[-1].offset + 1,
                    monotonic(),
                )
        for place in places:
            self._ends[place.partition] = max(self._ends[place.partition], self._end(place))
            if not found.get(place):
                await self._pass_markers(place)
        return {place.partition: records for place, records in found.items() if records}

    def lag(self) -> dict[int, int]:
        """Records to read, by partition."""
        return {
            number: max(0, self._ends[number] - offset) for number, offset in self._next.items()
        }

    def behind(self) -> Collection[int]:
        """Partitions that have more to give and give it."""
        now = monotonic()
        return [
            number
            for number, lag in self.lag().items()
            if lag and now - self._heard[number] < SILENT_SECONDS
        ]

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """Commit next offsets by partition."""
        await self._consumer.commit(
            {TopicPartition(self._topic, number): offset for number, offset in offsets.items()}
        )

    def _end(self, place: TopicPartition) -> int:
        stable = self._consumer.last_stable_offset(place)
        return int(
            (stable if stable is not None and stable >= 0 else self._consumer.highwater(place)) or 0
        )

    async def _pass_markers(self, place: TopicPartition) -> None:
        """Go on to where the fetcher stands, where nothing came.

        It may have gone past places without a record: markers of transactions, holes of compaction.
        """
        try:
            position = await await_within(0.01, self._consumer.position(place))
        except TimeoutError:
            return
        self._next[place.partition] = max(self._next[place.partition], position)
