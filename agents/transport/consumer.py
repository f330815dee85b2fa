"""The Kafka transport of the Faust app.

It brings batches to agents, contiguous commits, and start offsets from the Redis watermark.

This room is the one place that knows private parts of Faust and aiokafka. It is written against
faust-streaming 0.15.3 and aiokafka 0.14.0; at import `agents.transport.pins` checks that what it
leans on is still there, and refuses to load otherwise.

Eight things differ from the stock transport. An agent receives all records of a poll and partition
as one event (a list), which costs 50 times less than an event a record. Commits cover contiguous
prefixes of delivered ranges only. On assignment a hook decides where each partition starts, inside
`perform_seek`, before anything is delivered. A guard asks the group coordinator every second
whether it is stuck, because nobody else does, and alone hears its errors. The consumer lives in the
app's loop and has no thread. One that is behind does not pause between polls. And no partition's
records wait long for another's silence: neither a fetch that finds nothing nor a poll that leaves a
full buffer out lasts. `pause_partitions` is not used. Of a transactional producer's records only
committed ones are read; we ourselves write none. And an offset is trusted in one log only: an
offset that the log does not have is never replaced in silence, and where the leader epoch of what
was fetched differs from that of what came before, or the topic has another id, the last delivered
record is read again.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

from aiokafka.errors import (
    CorruptRecordException,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)
from faust.transport.drivers import aiokafka as driver
from faust.types import ConsumerMessage

from agents.process.await_within import await_within
from agents.transport.assignment import Assignment, AssignmentCallbacks, Partition
from agents.transport.confirmation import confirmed
from agents.transport.consumer_task import DENIED, GuardedConsumer
from agents.transport.log_identity import UNKNOWN_EPOCH, LogState, Mark, mark_of

COALESCE = 0.01
"""Seconds between polls of a consumer that is busy and not behind.

Longer means larger batches and later ones.
"""
AT_ONCE = 5.0
"""Polls in a row, at most, that need no pause: one for each `COALESCE` of waiting for records.

A second ends with a few small polls: heartbeats, points, readings. Each pause between them would be
a part of the latency of an alert. A consumer that is busy has not waited, and pauses.
"""
POLL = 1.0
"""Seconds a poll may last that finds nothing."""
LOOK_INTERVAL = 1.0
"""Seconds between looks at how far the fetcher is."""
ASK_SECONDS = 60.0
"""How long Kafka may fail to say where partitions begin, end and were committed.

After that the process ends as *down*.
"""
ASK_PAUSE = 0.5
"""Seconds between such questions."""

log = logging.getLogger(__name__)


class BatchConsumer(driver.Consumer):  # type: ignore[misc]
    """Delivers lists of records, commits contiguous prefixes, starts where the hook says."""

    mundane_level = "debug"

    callbacks: AssignmentCallbacks
    """Set on the subclass that `install` makes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Delivered, not committed.
        self._ranges: defaultdict[Partition, deque[tuple[int, int]]] = defaultdict(deque)
        # Rises with every revocation and seek: what was fetched before is void.
        self._epoch = 0
        # Held by who seeks: what is fetched meanwhile is void too.
        self._placing = asyncio.Lock()
        # Next offset to deliver and to fetch, when nothing was in between.
        self._passed: dict[Partition, tuple[int, int]] = {}
        self._looked = 0.0
        self._behind = False
        # Polls that may follow without a pause.
        self._at_once = 0.0
        self._room = asyncio.Event()
        # Which log a partition is, as of its takeover.
        self._marks: dict[Partition, Mark] = {}
        # The record delivered last since.
        self._last: dict[Partition, Any] = {}
        self._brokers_heard = 0
        # Whether topics have been made anew.
        self._asking: asyncio.Task[Mapping[str, str]] | None = None
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> Any:
        return GuardedConsumer(self, self.loop, self.beacon)

    def _live(self, epoch: int) -> bool:
        return epoch == self._epoch and self.flow_active and not self._placing.locked()

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await asyncio.sleep(self._pause())
                # Before the fetch: it may straddle a seek.
                epoch = self._epoch
                if self.flow_active and not self._get_active_partitions():
                    await self._wait_for_room()
                    continue
                asked = monotonic()
                records = await self._fetch(epoch)
                waited = (monotonic() - asked) / COALESCE
                self._at_once = min(AT_ONCE, self._at_once + waited)
                self._behind = any(self._is_behind(tp, fetched) for tp, fetched in records.items())
                if records and not self.should_stop:
                    await self._deliver(records, epoch)
                self._look(epoch)
                await self._compare_topics(epoch)
        except TopicAuthorizationFailedError as error:
            self.callbacks.refuse(f"Kafka denies reading: {error!r}; grant Read on the topic")
            raise
        except (CorruptRecordException, RecordTooLargeError) as error:
            self.callbacks.refuse(
                f"a partition cannot be read on: {error}; mend the broker's log, "
                "or delete the records up to behind it"
            )
            raise
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    def _pause(self) -> float:
        """Seconds until the next poll."""
        if self._behind:
            return 0.0
        if self._at_once >= 1.0:
            self._at_once -= 1.0
            return 0.0
        return COALESCE

    async def _fetch(self, epoch: int) -> Mapping[Partition, list[Any]]:
        try:
            # A poll that leaves out a full buffer's partition must not outlast its being full:
            # nothing else might come.
            records, _ = await self._wait_next_records(
                COALESCE if self._buffered_partitions else POLL
            )
        except OffsetOutOfRangeError as error:
            await self._out_of_range([Partition(*tp) for tp in error.args[0]], epoch)
            return {}
        except NoOffsetForPartitionError:
            # Of a partition that is just being placed.
            return {}
        return records or {}

    async def _wait_for_room(self) -> None:
        """All buffers are full, or no partition is ours.

        Stock would sleep a second, and a consumer that is behind would not sleep.
        """
        self._room.clear()
        with suppress(TimeoutError):
            await await_within(COALESCE, self._room.wait())

    def on_buffer_drop(self, tp: Any) -> None:
        """A partition's buffer has room again."""
        super().on_buffer_drop(tp)
        self._room.set()

    def _is_behind(self, tp: Partition, fetched: list[Any]) -> bool:
        """Whether the log holds as many records again: there is nothing to wait for."""
        return bool((self._thread.highwater(tp) or 0) - fetched[-1].offset > len(fetched))

    async def _deliver(self, records: Mapping[Partition, list[Any]], epoch: int) -> None:
        generation = self.app.consumer_generation_id
        for tp, fetched in records.items():
            # Our convention: next offset to deliver (stock: the last delivered).
            following = self._read_offset[tp]
            batch = (
                fetched
                if following is None or fetched[0].offset >= following
                else [r for r in fetched if r.offset >= following]
            )
            if not batch or not self._live(epoch):
                continue
            last = batch[-1]
            if self._epoch_changed(tp, batch[0]) and not await self._same_log([tp], epoch):
                continue
            message = ConsumerMessage(
                tp.topic, tp.partition, last.offset, last.timestamp / 1000.0, last.timestamp_type,
                None, None, batch, None, 0, 0, tp, generation_id=generation,
            )  # fmt: skip
            # Before delivery: the acknowledgement may come first.
            self._ranges[tp].append((batch[0].offset, last.offset))
            await self.wait_first(self.callback(message), self.suspend_flow.wait())
            if epoch == self._epoch:
                self._read_offset[tp] = last.offset + 1
                self._last[tp] = last
        # What was fetched and not delivered must be fetched again.
        if not self._live(epoch):
            try:
                # After a placing under way, whose seek may be older than what was fetched.
                async with self._placing:
                    await self._seek_exact(
                        {
                            tp: o
                            for tp in records
                            if tp in self.assignment() and (o := self._read_offset[tp]) is not None
                        }
                    )
            # In the middle of a rebalance; the coming perform_seek covers it.
            except Exception as error:  # noqa: BLE001
                log.info("rewind left to the rebalance: %r", error)

    def _epoch_changed(self, tp: Partition, record: Any) -> bool:
        """Whether a broker has led the partition anew since the record delivered last.

        Its log may have been cut before.
        """
        before = getattr(
            self._last.get(tp),
            "leader_epoch",
            self._marks[tp].epoch if tp in self._marks else UNKNOWN_EPOCH,
        )
        now = getattr(record, "leader_epoch", UNKNOWN_EPOCH)
        return UNKNOWN_EPOCH not in {before, now} and bool(before != now)

    def _mark(self, tp: Partition) -> Mark | None:
        """Which log the partition is, by the record delivered last."""
        mark = self._marks.get(tp)
        return mark_of(self._last[tp], mark.topic_id if mark else "") if tp in self._last else mark

    async def _same_log(self, tps: Iterable[Partition], epoch: int) -> bool:
        """Whether what follows belongs behind what was delivered.

        Where it does not, the process ends. False when it matters no more.
        """
        followed = {tp: offset for tp in tps if (offset := self._read_offset[tp]) is not None}
        marks = {tp: self._mark(tp) for tp in followed}

        async def reasons() -> Mapping[Partition, str]:
            seen = await self._thread.look(
                {tp: mark.offset if mark else -1 for tp, mark in marks.items()},
                lambda: self._live(epoch),
            )
            if not self._live(epoch):
                return {}
            return {
                tp: self.callbacks.mismatch(tp, offset - 1, marks[tp], seen[tp])
                for tp, offset in followed.items()
            }

        if found := await confirmed(reasons):
            await self.callbacks.refuse_partitions(found)
        return self._live(epoch)

    async def _out_of_range(self, tps: Collection[Partition], epoch: int) -> None:
        """The log does not have the next offset.

        It was cut, or retention has outrun us, which inputs of others may.
        """
        if not await self._same_log(tps, epoch):
            return
        first = await self._answered(lambda: self.earliest_offsets(*tps))
        target = {tp: first[tp] for tp in tps if first[tp] > (self._read_offset[tp] or 0)}
        for tp, offset in target.items():
            log.warning(
                "%s partition %d: retention has passed us, going on at its start, offset %d",
                tp.topic,
                tp.partition,
                offset,
            )
        if self._live(epoch):
            async with self._placing:
                await self._seek_exact(target)

    async def _compare_topics(self, epoch: int) -> None:
        """After news of the brokers: whether topics are still those of the takeover."""
        if self._asking is None and self._thread.brokers_heard != self._brokers_heard:
            self._brokers_heard = self._thread.brokers_heard
            self._asking = asyncio.create_task(
                self._thread.topic_ids({tp.topic for tp in self._marks})
            )
        if self._asking is not None and self._asking.done():
            ids, self._asking = self._asking.result(), None
            made_anew = [
                tp
                for tp, mark in self._marks.items()
                if ids.get(tp.topic, mark.topic_id) != mark.topic_id
            ]
            # Nothing was applied of them yet.
            if made_anew and await self._same_log(made_anew, epoch):
                self._marks.update({tp: Mark(-1, ids[tp.topic]) for tp in made_anew})

    def _look(self, epoch: int) -> None:
        """Once a second: all that was fetched is delivered.

        So between the two offsets there is no record.
        """
        if self._live(epoch) and monotonic() - self._looked > LOOK_INTERVAL:
            self._looked = monotonic()
            offsets = {
                tp: (self._read_offset[tp], position)
                for tp, position in self._thread.positions().items()
            }
            self._passed = {
                tp: (delivered, position)
                for tp, (delivered, position) in offsets.items()
                if delivered is not None
            }

    def following(self, tp: Partition, offset: int) -> int:
        """The next offset that may hold a record, when `offset` is the next to apply.

        The log's end can lie behind markers.
        """
        delivered, position = self._passed.get(tp, (offset, offset))
        return max(offset, position) if offset >= delivered else offset

    async def look(self, offsets: Mapping[Partition, int]) -> Mapping[Partition, LogState]:
        """How partitions look now, and what is at the offset given for each."""
        seen: Mapping[Partition, LogState] = await self._thread.look(offsets)
        return seen

    def join_anew(self) -> None:
        """Ask the group for a rebalance."""
        self._thread.join_anew()

    async def _seek_exact(self, target: Mapping[Partition, int]) -> None:
        if target:
            await self._thread.seek_wait(target)
            # Seek_wait forgets offset 0.
            self._read_offset.update(target)

    def _new_offset(self, tp: Partition) -> int | None:
        done, ranges, last = self._acked_index[tp], self._ranges[tp], None
        while ranges and ranges[0][1] in done:
            last = ranges.popleft()[1]
            done.discard(last)
        self._acked[tp] = [offset for offset in self._acked[tp] if offset in done]
        return None if last is None else last + 1

    def ack(self, message: Any) -> bool:
        """Acknowledge a batch; one of an older generation releases nothing."""
        if message.generation_id == self.app.consumer_generation_id:
            return bool(super().ack(message))
        self._unacked_messages.discard(message)
        return False

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        """Settle and commit while we still own them, then let go.

        Stock forgets acknowledgements first.
        """
        await self.callbacks.release()
        await self.commit()
        self._epoch += 1
        self._ranges.clear()
        self._passed = {}
        self._thread.reset_silently(allowed=True)
        await super().on_partitions_revoked(revoked)

    async def perform_seek(self) -> None:
        """Place every assigned partition where the hook says.

        This happens once per assignment, before the flow resumes.

        Faust resumes the flow even after a rebalance that the next one has overtaken, so the flow
        may run during this one.
        """
        async with self._placing:
            await self._place()

    async def _place(self) -> None:
        self._epoch += 1
        for forgotten in (
            self._ranges,
            self._acked,
            self._acked_index,
            self._passed,
            self._marks,
            self._last,
        ):
            forgotten.clear()
        await self._answered(super().perform_seek)
        tps = [Partition(*tp) for tp in self.assignment()]
        if tps:
            committed = {tp: self._read_offset[tp] for tp in tps}
            first = await self._answered(lambda: self.earliest_offsets(*tps))
            end = await self._answered(lambda: self.highwaters(*tps))
            self._brokers_heard = self._thread.brokers_heard
            target = await self.callbacks.start(
                Assignment(self.app.consumer_generation_id, committed, first, end)
            )
            self._marks = dict(self.callbacks.marks())
            await self._seek_exact(target)
            self._thread.reset_silently(allowed=False)
            # Else acknowledgements of re-read records are ignored for ever.
            self._committed_offset.update(target)
        self._epoch += 1

    async def _answered(self, question: Callable[[], Awaitable[Any]]) -> Any:
        """Ask the broker until it answers.

        Stock ends the process at the first error; ours count, and time ends them.
        """
        deadline = monotonic() + ASK_SECONDS
        while True:
            try:
                return await await_within(max(ASK_PAUSE, deadline - monotonic()), question())
            except DENIED as error:
                self.callbacks.refuse(
                    f"Kafka denies the group's offsets: {error!r}; "
                    "grant Read on the group and on its topics"
                )
                raise
            except IllegalStateError:
                # The next rebalance has begun, and places the partitions itself.
                raise
            except (KafkaError, TimeoutError) as error:
                self.callbacks.coordinator_error(error)
                if monotonic() > deadline:
                    self.callbacks.down(
                        f"Kafka has not told the group's offsets for {ASK_SECONDS:.0f} s: {error!r}"
                    )
                await asyncio.sleep(ASK_PAUSE)


class IdempotentProducer(driver.Producer):  # type: ignore[misc]
    """Retries without duplicates within its session, and never gives up on an accepted message."""

    mundane_level = "debug"

    def _settings_extra(self) -> Mapping[str, Any]:
        return {**super()._settings_extra(), "acks": "all", "enable_idempotence": True}


def install(app: Any, callbacks: AssignmentCallbacks) -> None:
    """Give an app this transport for consuming and producing, with its own hooks."""
    consumer = type(
        "CallbackConsumer", (BatchConsumer,), {"callbacks": callbacks, "__module__": __name__}
    )
    transport = type(
        "BatchTransport",
        (driver.Transport,),
        {"Consumer": consumer, "Producer": IdempotentProducer},
    )
    app.transport = transport(app.conf.broker_consumer, app)
    app.producer_transport = transport(app.conf.broker_producer, app)


def broker_urls(servers: str) -> str:
    """`host:port,host:port` as the broker setting of an app."""
    return ";".join(f"kafka://{server.strip()}" for server in servers.split(",") if server.strip())
