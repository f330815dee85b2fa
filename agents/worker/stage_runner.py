"""One stage on one partition: apply a batch, publish, commit, acknowledge.

It is the same for every stage of the flow.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from time import monotonic, time_ns
from types import MappingProxyType
from typing import Protocol

from agents.kafka.publisher import Publisher
from agents.store.checkpoint_store import (
    SUSPICIOUS_STARTS,
    Checkpoint,
    CheckpointStore,
    WatermarkStep,
)
from agents.store.keys import RecordPosition
from agents.transport.log_identity import mark_of
from agents.worker import unsent_messages
from agents.worker.checkpoint_schedule import CheckpointSchedule
from agents.worker.dead_letter_limit import DeadLetterLimit
from agents.worker.idle import declared
from agents.worker.isolation import IsolationLock
from streams.readings.points_guard import MoreSourcesError
from streams.records import Record
from streams.refusals.dead_letters import dead_letter
from streams.refusals.refused_batch import RefusedBatch, batch_letter, first_offset
from streams.stage import OutboxEntry, Output, ReadingView, Stage

CRASH_MESSAGE = "processing this record alone ended the process"
HELD = nullcontext()
"""In place of a lock that is held already."""


class AckHandle(Protocol):
    """The right to acknowledge one batch."""

    def ack(self) -> None:
        """The batch is covered by a commit."""

    def discard(self) -> None:
        """The batch is given back: it comes again after a seek."""


class StageObserver(Protocol):
    """What a runner reports besides what it publishes and commits."""

    def applied(self, topic: str, records: int, seconds: float) -> None:
        """A batch was applied."""

    def output(self, output: Output) -> None:
        """Count what a stage reports."""

    def replayed(self, topic: str, records: int) -> None:
        """Records at or below the watermark came again and were dropped."""

    def refused(self, batch: RefusedBatch) -> None:
        """A batch could not be unpacked."""

    def gap(self, topic: str, offsets: int) -> None:
        """Offsets are missing between the watermark and the next record."""

    async def recount(self) -> None:
        """Learn how many partitions the topics have now.

        Returns without an answer only when it was asked a moment ago.
        """

    def crashed(self, record: Record) -> None:
        """A record is dead-lettered because it killed the process."""

    def committed(self, chunks: Mapping[str, bytes], seconds: float) -> None:
        """A checkpoint of these changed chunks was written."""

    async def views(self, snapshots: Mapping[str, bytes], views: Sequence[ReadingView]) -> None:
        """Write the derived views; a failure is no concern of the runner."""

    def outbox_grew(self, length: int) -> None:
        """The outbox has grown to this length."""


class StageRunner:
    """Drives a `Stage` over its partition.

    All methods belong to one event loop; a lock keeps them apart.
    """

    def __init__(
        self,
        stage: Stage,
        publisher: Publisher,
        checkpoints: CheckpointStore,
        checkpoint: Checkpoint,
        schedule: CheckpointSchedule,
        observer: StageObserver,
        limit: DeadLetterLimit,
        isolation: IsolationLock,
        topic_ids: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`isolation` is shared by all runners of the process.

        While it is held, no record but its holder's can end the process.

        `topic_ids` are Kafka's, by input topic, where the broker gives them.
        """
        self.stage = stage
        self.publisher = publisher
        self.checkpoints = checkpoints
        self.observer = observer
        self.applied = dict(checkpoint.watermarks)
        """Last applied offset by input topic."""
        self.closed = False
        self.progressed = self.heard = self.committed = monotonic()
        self.covered = dict(checkpoint.watermarks)
        """Last committed offset by input topic."""
        self._schedule = schedule
        self._limit = limit
        self._lock = asyncio.Lock()
        self._isolation = isolation
        self.newest = dict.fromkeys(self.applied, 0)
        """Broker time of the newest applied record by input topic, milliseconds."""
        self.marks = dict(checkpoint.marks)
        """Which log the last committed offsets are of, by input topic."""
        self._topic_ids = topic_ids
        self._last: dict[str, Record] = {}
        self._ack_handles: list[AckHandle] = []
        self._outbox: list[OutboxEntry] = []
        self._snapshots: dict[str, bytes] = {}
        self._views: list[ReadingView] = []
        self._skip = checkpoint.skip
        self.record_by_record = {
            topic for topic, starts in checkpoint.starts.items() if starts >= SUSPICIOUS_STARTS
        }
        """Inputs that go record by record.

        The process died repeatedly at their watermark.
        """
        # Inputs of whose batch more follows: what is suspected stays so beyond its commits.
        self._in_pieces: set[str] = set()
        self.idle_declared = False
        """Whether the source was declared idle since it last spoke."""
        self.declared = 0.0
        """When that was last declared, monotonic seconds."""
        chunks = dict(checkpoint.chunks)
        self._unsent = unsent_messages.unpack(chunks.pop(unsent_messages.CHUNK, b""))
        stage.restore(chunks)

    @property
    def dirty(self) -> bool:
        """Whether input is applied and not yet committed."""
        return self.applied != self.covered

    async def begin(self) -> None:
        """Publish what a former checkpoint promised."""
        async with self._lock:
            await self.publisher.send(self._unsent)
            await self.publisher.drain()

    async def consume(
        self,
        topic: str,
        records: list[Record],
        handle: AckHandle,
        stored: Record | None = None,
        *,
        more: bool = False,
    ) -> None:
        """Apply one batch of one input, or a piece of it, in offset order.

        `stored` is its last record as the log has it. With `more`, pieces of the batch follow. Each
        piece is committed at once.

        Raises `DeadlineExceededError`, `FencedError`, `PublishError`, or what the stage raises.
        """
        async with self._lock:
            if self.closed:
                handle.discard()
                return
            self._ack_handles.append(handle)
            whole = not more and topic not in self._in_pieces
            self._in_pieces = self._in_pieces | {topic} if more else self._in_pieces - {topic}
            before, started = self.applied[topic], monotonic()
            fresh = (
                records
                if records[0].offset > before
                else [record for record in records if record.offset > before]
            )
            if len(fresh) < len(records):
                self.observer.replayed(topic, len(records) - len(fresh))
            if fresh:
                if before >= 0 and (first := first_offset(fresh[0])) > before + 1:
                    self.observer.gap(topic, first - before - 1)
                self._schedule.record_input(sum([len(record.value or b"") for record in fresh]))
                try:
                    await self._handler_of(topic, fresh)(topic, fresh)
                except BaseException:
                    # The stage may hold half of the batch: a timer's commit would put it beside
                    # the old watermark.
                    self.drop()
                    raise
                self.applied[topic], self.newest[topic] = fresh[-1].offset, fresh[-1].timestamp
                self._last[topic] = stored or fresh[-1]
                self.idle_declared = False
                self.progressed = self.heard = monotonic()
                self.observer.applied(topic, len(fresh), self.progressed - started)
            if not whole or self._schedule.is_due():
                await self._commit()

    def _handler_of(
        self, topic: str, records: Sequence[Record]
    ) -> Callable[[str, Sequence[Record]], Awaitable[None]]:
        if type(records[0]) is RefusedBatch:
            return self._refuse
        return (
            self._apply_record_by_record
            if topic in self.record_by_record or self._skip
            else self._together
        )

    async def _refuse(self, topic: str, records: Sequence[Record]) -> None:
        """A batch that could not be unpacked, alone in its list; the stage never sees it."""
        (refused,) = records
        assert isinstance(refused, RefusedBatch)
        self.observer.refused(refused)
        await self._take_counted(topic, records, Output(messages=[batch_letter(refused)]))

    async def _together(self, topic: str, records: Sequence[Record]) -> None:
        await self._apply(topic, records, self._isolation)

    async def _apply(
        self, topic: str, records: Sequence[Record], isolation: AbstractAsyncContextManager[None]
    ) -> None:
        """Process and account records; where topics seem to have grown, ask, and go on.

        `alone` is held while the stage is at work.
        """
        while records:
            async with isolation:
                done, output = self._processed(records)
            await self._take_counted(topic, records[:done], output)
            records = records[done:]
            if records:
                await self.observer.recount()

    def _processed(self, records: Sequence[Record]) -> tuple[int, Output]:
        """How many records were applied, and what came of them.

        All are applied unless the topics seem to have grown.
        """
        try:
            return len(records), self.stage.process(records)
        except MoreSourcesError as more:
            return more.at, more.done

    async def _take_counted(self, topic: str, records: Sequence[Record], output: Output) -> None:
        letters = sum(message.role == "dead_letters" for message in output.messages)
        await self._take(output)
        # A further input has no say in whether the stage goes on.
        if topic == self.checkpoints.keys.inputs[0]:
            self._limit.took(len(records), letters)

    async def _take(self, output: Output) -> None:
        self._outbox += output.outbox
        self._snapshots |= output.snapshots
        self._views += output.views
        self.observer.output(output)
        await self.publisher.send(output.messages)

    async def _apply_record_by_record(self, topic: str, records: Sequence[Record]) -> None:
        """Note each record before it is processed, with no other partition at work.

        One that is still noted at two deaths caused them.
        """
        async with self._isolation:
            for record in records:
                position = RecordPosition(topic, record.offset)
                if position in self._skip:
                    self.observer.crashed(record)
                    await self.publisher.send([dead_letter(record, "crash", CRASH_MESSAGE)])
                    continue
                if topic in self.record_by_record:
                    await self.checkpoints.note(probe=self.checkpoints.keys.name_of(position))
                await self._apply(topic, [record], HELD)
            if topic in self.record_by_record:
                await self.checkpoints.note(probe="")

    async def _commit(self, promised: bytes | None = None) -> None:
        try:
            await self._checkpoint(promised)
        except BaseException:
            # The stage has given out its changed chunks: a later commit would lack them.
            self.drop()
            raise

    async def _checkpoint(self, promised: bytes | None) -> None:
        """Acknowledgements in, then the commit, then tickets and views.

        One script commits state, the watermarks of all inputs and outbox.
        """
        await self.publisher.drain()
        chunks, steps = (
            self.stage.chunks(),
            [
                WatermarkStep(topic, self.covered[topic], last)
                for topic, last in self.applied.items()
            ],
        )
        if promised is not None or self._unsent:
            chunks[unsent_messages.CHUNK] = promised or b""
        if chunks or self._outbox or self.dirty:
            started, size = monotonic(), sum(map(len, chunks.values()))
            skip = tuple(
                position
                for position in self._skip
                if position.offset > self.applied[position.topic]
            )
            marks = {
                topic: mark_of(record, self._topic_ids.get(topic, ""))
                for topic, record in self._last.items()
            }
            length = await self.checkpoints.commit(steps, chunks, self._outbox, skip, marks)
            self.marks |= marks
            self._last.clear()
            self._skip = skip
            if self._in_pieces:
                await self.checkpoints.stay_suspicious(self.applied)
            moved = {step.topic for step in steps if step.last != step.expected}
            self.record_by_record -= moved - self._in_pieces
            self.committed = monotonic()
            self.covered = dict(self.applied)
            self._unsent = [] if promised is None else self._unsent
            self._schedule.record_checkpoint(size)
            self.observer.committed(chunks, self.committed - started)
            if self._outbox:
                self.observer.outbox_grew(length)
                self._outbox = []
        else:
            self._schedule.record_checkpoint(0)
        for handle in self._ack_handles:
            handle.ack()
        self._ack_handles.clear()
        if self._snapshots or self._views:
            snapshots, views, self._snapshots, self._views = self._snapshots, self._views, {}, []
            await self.observer.views(snapshots, views)

    async def checkpoint(self) -> None:
        """Commit now if a checkpoint is due and there is something to commit."""
        if self._lock.locked() or not self._schedule.is_due():
            # Busy: the batch under way commits itself.
            return
        async with self._lock:
            if not self.closed and (self._ack_handles or self.dirty or self._unsent):
                await self._commit()

    async def renew(self) -> None:
        """Prolong the lease of a partition that has nothing to commit."""
        async with self._lock:
            if not self.closed:
                await self.checkpoints.note()
                self.committed = monotonic()

    async def idle(self, heard: float | None = None, now_ns: int | None = None) -> None:
        """Let the stage close what is pending, because its source has gone silent.

        It is committed first and published after.

        Again, it only repeats that the source is silent. `heard` is when it last spoke as far as
        the caller knows: has it spoken since, nothing is said. `now_ns` is the wall time.
        """
        async with self._lock:
            if heard is not None and heard != self.heard:
                return
            again, self.idle_declared, self.declared = self.idle_declared, True, monotonic()
            if self.closed:
                return
            output = self.stage.idle()
            messages, output.messages = declared(output.messages, now_ns or time_ns()), []
            if not again:
                await self._take(output)
                self._unsent = list(messages)
                await self._commit(unsent_messages.pack(messages) if messages else None)
            await self.publisher.send(messages)
            await self.publisher.drain()
            self.progressed = monotonic()

    async def settle(self) -> None:
        """The final checkpoint; afterwards the runner takes nothing.

        On any trouble its batches are given back.
        """
        async with self._lock:
            if self.closed:
                return
            try:
                await self._commit()
                # A clean end: nobody need wait for the lease, and it is no crash. What is searched
                # for a record that ends the process is searched on by the next owner.
                counted = {} if self.record_by_record else {"starts": ""}
                await self.checkpoints.note(**counted, exp="0")
            finally:
                self.drop()

    def drop(self) -> None:
        """Forget everything that is not committed."""
        self.closed = True
        for handle in self._ack_handles:
            handle.discard()
        self._ack_handles.clear()
