"""The relay: publishes the outbox of one readings partition to the alert topics, in order.

It then drops what is acknowledged.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from time import time
from typing import Protocol, TypeVar

from aiokafka.errors import KafkaError

from agents.alerts.cloud_event import event_message
from agents.alerts.current_states import CurrentStates
from agents.alerts.heartbeat import HEARTBEAT_SECONDS, heartbeat
from agents.alerts.published_events import PublishedEvent, PublishedEvents
from agents.kafka.publisher import Publisher, PublishError
from agents.process.await_within import await_within
from agents.process.release_deadline import DeadlineExceededError
from agents.store.checkpoint_store import CheckpointStore, OutboxRecord
from streams.detection.alerts.alert_event import AlertEvent, decode_event
from streams.stage import Message, Role

COUNT = 100
"""Entries a round."""
IDLE_POLL = 1.0
FLUSH_SECONDS = 1.0
ROLES: tuple[Role, ...] = ("alerts", "alerts_state")
"""The log and, compacted by its key, the latest event of each alert."""

Judged = Callable[[], Mapping[str, datetime]]
"""Event time of the latest reading that was judged, by index."""
T = TypeVar("T")

log = logging.getLogger(__name__)


class RelayObserver(Protocol):
    """Who counts what the relay does."""

    def outbox(self, partition: int, length: int, oldest: float) -> None:
        """Entries that wait, and the Unix time of the oldest (0 for none)."""

    def alert(self, event: AlertEvent, outcome: str) -> None:
        """An event was acknowledged by the broker, found there already or refused.

        The outcome is `published`, `repeated` or `error`.
        """

    def delivered(self, seconds: float) -> None:
        """The broker acknowledged an event so long after it was committed."""


class PublishedHistory(Protocol):
    """How to read back what was published before; both raise `KafkaError`."""

    async def published(self, partition: int, first: int) -> PublishedEvents:
        """The end of the log, back to before the outbox number `first`."""

    async def current_states(self, partition: int) -> CurrentStates:
        """The alert states."""


class Relay:
    """One partition's relay.

    It is owned and stopped together with the detector's runner of the same partition.
    """

    def __init__(
        self,
        partition: int,
        checkpoints: CheckpointStore,
        publisher: Publisher,
        history: PublishedHistory,
        observer: RelayObserver,
        mode: str,
        judged: Judged = dict,
    ) -> None:
        self._partition = partition
        self._checkpoints = checkpoints
        self._publisher = publisher
        self._history = history
        self._observer = observer
        self._mode = mode
        self._judged = judged
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._published = PublishedEvents()
        self._current = CurrentStates()
        self._beat = self._oldest = 0.0

    def wake(self, length: int) -> None:
        """The outbox has grown to this length.

        It is told at once, because the broker may hold up the round under way.
        """
        self._oldest = self._oldest or time()
        self._observer.outbox(self._partition, length, self._oldest)
        self._empty.clear()
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled. Raises `DeadlineExceededError`, `FencedError` or `PublishError`."""
        await self._read_back()
        floor, published = self._published.newest, ""
        while True:
            self._wake.clear()
            length, entries, _ = await self._checkpoints.outbox(published, COUNT, floor)
            floor = 0
            self._oldest = _committed(entries[0]) if entries else 0.0
            self._observer.outbox(self._partition, length, self._oldest)
            if entries:
                await self._publish(entries)
                published = entries[-1].entry_id
                continue
            if not self._wake.is_set():
                self._empty.set()
            await self._heartbeat()
            await self._wait()

    async def _read(self, read: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await read()
            except KafkaError as error:
                log.warning("cannot read back alert partition %d yet: %r", self._partition, error)
                await asyncio.sleep(IDLE_POLL)

    async def _read_back(self) -> None:
        """Learn what stands on the topics, and bring the states to the last words of the log.

        A crash may lie between the two.
        """
        _, waiting, newest = await self._checkpoints.outbox("", 1)
        first = waiting[0].seq if waiting else newest + 1
        self._published = await self._read(lambda: self._history.published(self._partition, first))
        self._current = await self._read(lambda: self._history.current_states(self._partition))
        behind = self._current.behind(self._published, time())
        if behind:
            log.warning(
                "partition %d: the states of %d alerts lag behind the log; published again",
                self._partition,
                len(behind),
            )
        for last in behind:
            await self._publisher.send(
                [event_message("alerts_state", last.value, self._partition, last.seq)]
            )
            self._current.update(last.key, last.event, last.published)
        await self._publisher.drain()

    async def _publish(self, entries: list[OutboxRecord]) -> None:
        """Publish what is not on the log yet.

        The first word under a name stands, whatever the later one says.
        """
        events = [decode_event(entry.value) for entry in entries]
        fresh = set[int]()
        try:
            for at, (entry, event) in enumerate(zip(entries, events, strict=True)):
                if self._published.has(event):
                    continue
                fresh.add(at)
                self._published.add(PublishedEvent(entry.seq, event, entry.value, time()))
                self._current.update(event.partitionkey.encode(), event, time())
                await self._publisher.send(
                    [event_message(role, entry.value, self._partition, entry.seq) for role in ROLES]
                )
            await self._publisher.drain()
        except PublishError:
            for at in sorted(fresh):
                self._observer.alert(events[at], "error")
            raise
        now = time()
        for at, event in enumerate(events):
            self._observer.alert(event, "published" if at in fresh else "repeated")
            if at in fresh:
                # Redis gave the time of the commit: its clock may be a little ahead of ours.
                self._observer.delivered(max(0.0, now - _committed(entries[at])))

    async def _heartbeat(self) -> None:
        now = time()
        if now - self._beat >= HEARTBEAT_SECONDS:
            self._beat = now
            beat = heartbeat(self._partition, self._mode, now, self._judged())
            await self._publisher.send([event_message("alerts", beat, self._partition)])
            forgotten = [
                Message("alerts_state", key, None, (), self._partition)
                for key in self._current.tombstones.due(now)
            ]
            await self._publisher.send(forgotten)
            await self._publisher.drain()

    async def _wait(self) -> None:
        try:
            await await_within(IDLE_POLL, self._wake.wait())
        except TimeoutError:
            return

    async def flush(self) -> None:
        """Give the relay a moment to empty the outbox before its partition is handed over."""
        try:
            await await_within(FLUSH_SECONDS, self._empty.wait())
        except (TimeoutError, DeadlineExceededError):
            log.info("the outbox of partition %d is left to its next owner", self._partition)


def _committed(entry: OutboxRecord) -> float:
    """When Redis took an entry, Unix seconds by its clock."""
    return int(entry.entry_id.partition("-")[0]) / 1000
