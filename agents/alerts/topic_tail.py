"""Reading back what a relay published: the tail of the alert log and the compacted alert states.

Only what is exactly ours counts. Such a record has the headers that we make of its event, the
number of its outbox entry among them. It is not part of a transaction, for we write none, and it is
of our mode.
"""

import re
from collections.abc import AsyncIterator, Mapping
from time import time
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

import agents.transport.consumer_task  # noqa: F401 - records that know of transactions
from agents.alerts.cloud_event import SEQ_HEADER, event_message
from agents.alerts.current_states import CurrentStates
from agents.alerts.foreign_records import ForeignRecords, RecordAddress
from agents.alerts.heartbeat import is_heartbeat
from agents.alerts.published_events import PublishedEvent, PublishedEvents
from streams.detection.alerts.alert_event import AlertEvent
from streams.detection.alerts.own_event import ForeignEventError, own_event

STEP: Final = 1_000
"""Records read back at first; four times as many each time while they do not reach far enough."""
MOST: Final = 100_000
"""Records read back at most."""
_NUMBER: Final = re.compile(rb"[1-9][0-9]{0,17}\Z")
_OF_NOW: Final = frozenset({"live", "delayed"})
"""Modes of events that people are to act on.

The others are repeats and rehearsals with the same ids.
"""


class TopicTail:
    """The two alert topics of one process, for the relays of its partitions."""

    def __init__(
        self,
        client: Mapping[str, Any],
        alerts: str,
        states: str,
        mode: str,
        foreign: ForeignRecords,
    ) -> None:
        """`client` are aiokafka's options; `mode` is that of our events."""
        self._client = client
        self._alerts = alerts
        self._states = states
        self._mode = mode
        self._foreign = foreign

    async def published(self, partition: int, first: int) -> PublishedEvents:
        """What stands at the end of the log, back to before the outbox number `first`.

        It is at most `MOST` records. Raises `KafkaError`.
        """
        async with _Reader(self._client, self._alerts, partition) as reader:
            until, step, parts = reader.end, STEP, list[list[PublishedEvent]]()
            while until > reader.begin and reader.end - until < MOST:
                start = max(reader.begin, until - step, reader.end - MOST)
                parts.append(
                    [
                        event
                        async for record in reader.records(start, until)
                        if (event := self._event(record))
                    ]
                )
                until, step = start, 4 * step
                if any(event.seq < first for event in parts[-1]):
                    break
        return PublishedEvents(event for part in reversed(parts) for event in part)

    async def current_states(self, partition: int) -> CurrentStates:
        """What a partition of the alert states holds. Raises `KafkaError`."""
        current = CurrentStates()
        async with _Reader(self._client, self._states, partition) as reader:
            async for record in reader.records(reader.begin, reader.end):
                self._stand(record, current)
        return current

    def _event(self, record: Any) -> PublishedEvent | None:
        try:
            if is_heartbeat(record.key, record.value):
                return None
            event, seq = self._own(record), _number(record)
        except ForeignEventError as foreign:
            self._foreign.saw(_place(record), foreign.reason, str(foreign))
            return None
        return PublishedEvent(seq, event, record.value, max(0, record.timestamp) / 1000)

    def _stand(self, record: Any, current: CurrentStates) -> None:
        if record.key is None:
            self._foreign.saw(_place(record), "key", "a record without a key")
        elif record.value is None:
            current.forget(record.key)
        else:
            try:
                event = self._own(record)
            except ForeignEventError as foreign:
                self._foreign.saw(_place(record), foreign.reason, str(foreign))
                current.hide(record.key)
            else:
                current.update(record.key, event, min(max(0, record.timestamp) / 1000, time()))

    def _own(self, record: Any) -> AlertEvent:
        """The event of a record of either topic. Raises `ForeignEventError`."""
        event = own_event(record.key, record.value)
        if record.transactional:
            raise ForeignEventError("transaction", "written in a transaction; we write in none")
        if (event.data.mode in _OF_NOW) != (self._mode in _OF_NOW):
            raise ForeignEventError(
                "mode", f"an event of mode {event.data.mode}; ours are {self._mode}"
            )
        return event


def _number(record: Any) -> int:
    """The outbox number, once all headers are those that we would give the event.

    Raises `ForeignEventError`.
    """
    number = dict(record.headers).get(SEQ_HEADER) or b""
    if not _NUMBER.match(number):
        raise ForeignEventError("headers", f"{SEQ_HEADER} is no number: {number[:40]!r}")
    made = event_message("alerts", record.value, record.partition, int(number))
    if tuple(record.headers) != made.headers:
        raise ForeignEventError("headers", "the headers are not those of its event")
    return int(number)


def _place(record: Any) -> RecordAddress:
    return RecordAddress(record.topic, record.partition, record.offset)


class _Reader:
    """One partition, from anywhere to its present end; an asynchronous context manager."""

    def __init__(self, client: Mapping[str, Any], topic: str, partition: int) -> None:
        self._consumer = AIOKafkaConsumer(
            **client, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        self._tp = TopicPartition(topic, partition)
        self.begin = self.end = 0

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
            self._consumer.assign([self._tp])
            self.begin = (await self._consumer.beginning_offsets([self._tp]))[self._tp]
            self.end = (await self._consumer.end_offsets([self._tp]))[self._tp]
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def records(self, start: int, until: int) -> AsyncIterator[Any]:
        """The records from an offset up to, but without, another."""
        self._consumer.seek(self._tp, start)
        while start < until:
            fetched = (await self._consumer.getmany(self._tp, timeout_ms=1000)).get(self._tp, [])
            for record in fetched:
                if record.offset < until:
                    yield record
            start = await self._consumer.position(self._tp)
