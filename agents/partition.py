"""One stage on one partition: apply a batch, publish, commit, acknowledge; the same for every stage of the flow."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from time import monotonic, time_ns
from types import MappingProxyType
from typing import Protocol

from agents import unsent
from agents.alone import Alone
from agents.cadence import Cadence
from agents.dead_letter_limit import DeadLetterLimit
from agents.log_marks import mark_of
from agents.producer import Publisher
from agents.quiet import declared
from agents.store.keys import Place
from agents.store.ledger import SUSPICIOUS_STARTS, Checkpoint, Ledger, Progress
from streams.dead_letters import dead_letter
from streams.readings.points_guard import MoreSourcesError
from streams.records import Record
from streams.refused_batch import RefusedBatch, batch_letter, first_offset
from streams.stage import OutboxEntry, Output, ReadingView, Stage

CRASH_MESSAGE = "processing this record alone ended the process"
HELD = nullcontext()
"""In place of a lock that is held already."""


class Ticket(Protocol):
    """The right to acknowledge one batch."""

    def ack(self) -> None:
        """The batch is covered by a commit."""

    def discard(self) -> None:
        """The batch is given back: it comes again after a seek."""


class Effects(Protocol):
    """What a runner tells the world besides Kafka's topics and its own books."""

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
        """Learn how many partitions the topics have now; returns without an answer only when it was asked a moment ago."""

    def crashed(self, record: Record) -> None:
        """A record is dead-lettered because it killed the process."""

    def committed(self, chunks: Mapping[str, bytes], seconds: float) -> None:
        """A checkpoint of these changed chunks was written."""

    async def views(self, snapshots: Mapping[str, bytes], views: Sequence[ReadingView]) -> None:
        """Write the derived views; a failure is no concern of the runner."""

    def posted(self, length: int) -> None:
        """The outbox has grown to this length."""


class PartitionRunner:
    """Drives a `Stage` over its partition. All methods belong to one event loop; a lock keeps them apart."""

    def __init__(
        self,
        stage: Stage,
        publisher: Publisher,
        ledger: Ledger,
        checkpoint: Checkpoint,
        cadence: Cadence,
        effects: Effects,
        limit: DeadLetterLimit,
        alone: Alone,
        topic_ids: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`alone` is shared by all runners of the process: held, no record but its holder's can end it.

        `topic_ids` are Kafka's, by input topic, where the broker gives them.
        """
        self.stage, self.publisher, self.ledger, self.effects = stage, publisher, ledger, effects
        self.applied = dict(checkpoint.watermarks)
        """Last applied offset by input topic."""
        self.closed = False
        self.progressed = self.heard = self.committed = monotonic()
        self.covered = dict(checkpoint.watermarks)
        """Last committed offset by input topic."""
        self._cadence, self._limit, self._lock, self._alone = cadence, limit, asyncio.Lock(), alone
        self.newest = dict.fromkeys(self.applied, 0)
        """Broker time of the newest applied record by input topic, milliseconds."""
        self.marks = dict(checkpoint.marks)
        """Which log the last committed offsets are of, by input topic."""
        self._topic_ids = topic_ids
        self._last: dict[str, Record] = {}
        self._tickets: list[Ticket] = []
        self._outbox: list[OutboxEntry] = []
        self._snapshots: dict[str, bytes] = {}
        self._views: list[ReadingView] = []
        self._skip = checkpoint.skip
        self.careful = {topic for topic, starts in checkpoint.starts.items() if starts >= SUSPICIOUS_STARTS}
        """Inputs that go record by record, because the process died repeatedly at their watermark."""
        self.idle_declared, self.declared = False, 0.0
        """Whether the source was said to be silent since it last spoke, and when that was last said."""
        chunks = dict(checkpoint.chunks)
        self._unsent = unsent.unpack(chunks.pop(unsent.CHUNK, b""))
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

    async def consume(self, topic: str, records: list[Record], ticket: Ticket, stored: Record | None = None) -> None:
        """Apply one batch of one input, in offset order; `stored` is its last record as the log has it.

        Raises `Abandoned`, `Fenced`, `PublishError`, or what the stage raises.
        """
        async with self._lock:
            if self.closed:
                ticket.discard()
                return
            self._tickets.append(ticket)
            before, started = self.applied[topic], monotonic()
            fresh = records if records[0].offset > before else [record for record in records if record.offset > before]
            if len(fresh) < len(records):
                self.effects.replayed(topic, len(records) - len(fresh))
            if fresh:
                if before >= 0 and (first := first_offset(fresh[0])) > before + 1:
                    self.effects.gap(topic, first - before - 1)
                self._cadence.took(sum([len(record.value or b"") for record in fresh]))
                try:
                    await self._way_of(topic, fresh)(topic, fresh)
                except BaseException:
                    self.drop()  # the stage may hold half of the batch: a timer's commit would put it beside the old watermark
                    raise
                self.applied[topic], self.newest[topic] = fresh[-1].offset, fresh[-1].timestamp
                self._last[topic] = stored or fresh[-1]
                self.idle_declared = False
                self.progressed = self.heard = monotonic()
                self.effects.applied(topic, len(fresh), self.progressed - started)
            if self._cadence.due():
                await self._commit()

    def _way_of(self, topic: str, records: Sequence[Record]) -> Callable[[str, Sequence[Record]], Awaitable[None]]:
        if type(records[0]) is RefusedBatch:
            return self._refuse
        return self._carefully if topic in self.careful or self._skip else self._together

    async def _refuse(self, topic: str, records: Sequence[Record]) -> None:
        """A batch that could not be unpacked, alone in its list; the stage never sees it."""
        (refused,) = records
        assert isinstance(refused, RefusedBatch)
        self.effects.refused(refused)
        await self._account(topic, records, Output(messages=[batch_letter(refused)]))

    async def _together(self, topic: str, records: Sequence[Record]) -> None:
        await self._apply(topic, records, self._alone)

    async def _apply(self, topic: str, records: Sequence[Record], alone: AbstractAsyncContextManager[None]) -> None:
        """Process and account records; where topics seem to have grown, ask, and go on. `alone` is held while the stage is at work."""
        while records:
            async with alone:
                done, output = self._processed(records)
            await self._account(topic, records[:done], output)
            records = records[done:]
            if records:
                await self.effects.recount()

    def _processed(self, records: Sequence[Record]) -> tuple[int, Output]:
        """How many records were applied, all unless the topics seem to have grown, and what came of them."""
        try:
            return len(records), self.stage.process(records)
        except MoreSourcesError as more:
            return more.at, more.done

    async def _account(self, topic: str, records: Sequence[Record], output: Output) -> None:
        letters = sum(message.role == "dead_letters" for message in output.messages)
        await self._take(output)
        if topic == self.ledger.keys.inputs[0]:  # a further input has no say in whether the stage goes on
            self._limit.took(len(records), letters)

    async def _take(self, output: Output) -> None:
        self._outbox += output.outbox
        self._snapshots |= output.snapshots
        self._views += output.views
        self.effects.output(output)
        await self.publisher.send(output.messages)

    async def _carefully(self, topic: str, records: Sequence[Record]) -> None:
        """Note each record before it is processed, with no other partition at work: one still noted at two deaths caused them."""
        async with self._alone:
            for record in records:
                place = Place(topic, record.offset)
                if place in self._skip:
                    self.effects.crashed(record)
                    await self.publisher.send([dead_letter(record, "crash", CRASH_MESSAGE)])
                    continue
                if topic in self.careful:
                    await self.ledger.note(probe=self.ledger.keys.name_of(place))
                await self._apply(topic, [record], HELD)
            if topic in self.careful:
                await self.ledger.note(probe="")

    async def _commit(self, promised: bytes | None = None) -> None:
        try:
            await self._checkpoint(promised)
        except BaseException:
            self.drop()  # the stage has given out its changed chunks: a later commit would lack them
            raise

    async def _checkpoint(self, promised: bytes | None) -> None:
        """Acknowledgements in, then state, the watermarks of all inputs and outbox in one script, then tickets and views."""
        await self.publisher.drain()
        chunks, steps = self.stage.chunks(), [Progress(topic, self.covered[topic], last) for topic, last in self.applied.items()]
        if promised is not None or self._unsent:
            chunks[unsent.CHUNK] = promised or b""
        if chunks or self._outbox or self.dirty:
            started, size = monotonic(), sum(map(len, chunks.values()))
            skip = tuple(place for place in self._skip if place.offset > self.applied[place.topic])
            marks = {topic: mark_of(record, self._topic_ids.get(topic, "")) for topic, record in self._last.items()}
            length = await self.ledger.commit(steps, chunks, self._outbox, skip, marks)
            self.marks |= marks
            self._last.clear()
            self._skip = skip
            self.careful.difference_update(step.topic for step in steps if step.last != step.expected)
            self.committed = monotonic()
            self.covered = dict(self.applied)
            self._unsent = [] if promised is None else self._unsent
            self._cadence.made(size)
            self.effects.committed(chunks, self.committed - started)
            if self._outbox:
                self.effects.posted(length)
                self._outbox = []
        else:
            self._cadence.made(0)
        for ticket in self._tickets:
            ticket.ack()
        self._tickets.clear()
        if self._snapshots or self._views:
            snapshots, views, self._snapshots, self._views = self._snapshots, self._views, {}, []
            await self.effects.views(snapshots, views)

    async def checkpoint(self) -> None:
        """Commit now if a checkpoint is due and there is something to commit."""
        if self._lock.locked() or not self._cadence.due():
            return  # busy: the batch under way commits itself
        async with self._lock:
            if not self.closed and (self._tickets or self.dirty or self._unsent):
                await self._commit()

    async def renew(self) -> None:
        """Prolong the lease of a partition that has nothing to commit."""
        async with self._lock:
            if not self.closed:
                await self.ledger.note()
                self.committed = monotonic()

    async def idle(self, heard: float | None = None, now_ns: int | None = None) -> None:
        """Let the stage close what is pending, because its source has gone silent; committed first, published after.

        Again, it only repeats that the source is silent. `heard` is when it last spoke as far as the caller knows: has it spoken
        since, nothing is said. `now_ns` is the wall time.
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
                await self._commit(unsent.pack(messages) if messages else None)
            await self.publisher.send(messages)
            await self.publisher.drain()
            self.progressed = monotonic()

    async def settle(self) -> None:
        """The final checkpoint; afterwards the runner takes nothing. On any trouble its batches are given back."""
        async with self._lock:
            if self.closed:
                return
            try:
                await self._commit()
                await self.ledger.note(starts="", exp="0")  # a clean end: not a crash, and nobody need wait for the lease
            finally:
                self.drop()

    def drop(self) -> None:
        """Forget everything that is not committed."""
        self.closed = True
        for ticket in self._tickets:
            ticket.discard()
        self._tickets.clear()
