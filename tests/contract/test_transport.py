"""What the rest of the worker relies on from the transport.

It is tested against the installed Faust and without a broker.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from time import time
from types import SimpleNamespace
from typing import Any, NamedTuple

import faust
import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import (
    CommitFailedError,
    GroupAuthorizationFailedError,
    IllegalStateError,
    InvalidRequestError,
    KafkaConnectionError,
    KafkaTimeoutError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
    UnknownError,
)
from faust.transport.consumer import Consumer
from faust.types import TP
from msgspec.structs import replace

from agents.plan import Plan
from agents.transport import confirmation
from agents.transport import pins as transport_pins
from agents.transport.assignment import Assignment, AssignmentCallbacks, Partition
from agents.transport.consumer import (
    AT_ONCE,
    COALESCE,
    POLL,
    BatchConsumer,
    IdempotentProducer,
    broker_urls,
    install,
)
from agents.transport.consumer_task import (
    COMMIT_TRIES,
    FETCH_BYTES,
    FETCH_WAIT_MS,
    GUARD_LIMIT,
    PARTITION_BYTES,
    GuardedConsumer,
    errors_for_guard,
)
from agents.transport.log_identity import LogState, Mark, mark_of
from agents.transport.pins import TransportMismatchError, check_pins
from agents.worker.takeover import log_mismatch
from tests.support.counting import CountingStage

ONE, TWO = TP("quotes", 0), TP("quotes", 1)
PLAN = Plan("surfaces", ("quotes",), lambda p, _: CountingStage(p, "quotes"), external=("quotes",))


class Fetched(NamedTuple):
    """A record as aiokafka hands it over, as far as the transport looks."""

    offset: int
    timestamp: int = 1_700_000_000_000
    timestamp_type: int = 0
    leader_epoch: int = 0
    value: bytes = b"as it was"


def fetched(first: int, last: int) -> list[Fetched]:
    return [Fetched(offset) for offset in range(first, last + 1)]


class Thread:
    """What Faust takes for the consumer's thread.

    It knows what is assigned, where the log begins and ends, where we seek.
    """

    def __init__(self) -> None:
        self.sought: list[dict[TP, int]] = []
        self.committed: dict[TP, int] = {}
        self.fetched: dict[TP, int] = {}
        self.rebalancing = False
        self.end = 0
        """Of the log of every partition."""
        self.first = 0
        self.brokers_heard = 0
        self.resets_allowed: list[bool] = []
        self.topics: dict[str, str] = {}
        self.looks: list[Mapping[TP, int]] = []

    def reset_silently(self, *, allowed: bool) -> None:
        self.resets_allowed.append(allowed)

    async def topic_ids(self, _topics: Collection[str]) -> Mapping[str, str]:
        return self.topics

    async def look(
        self, offsets: Mapping[Partition, int], _live: Callable[[], bool]
    ) -> Mapping[Partition, LogState]:
        self.looks.append(dict(offsets))
        return dict.fromkeys(offsets, LogState("", 0, self.end))

    def highwater(self, _tp: TP) -> int:
        return self.end

    def positions(self) -> Mapping[TP, int]:
        return self.fetched

    def assignment(self) -> set[TP]:
        return {ONE, TWO}

    async def seek_to_committed(self) -> Mapping[TP, int]:
        return self.committed

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        if self.rebalancing:
            raise IllegalStateError("not assigned")
        self.sought.append(dict(partitions))

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        return dict.fromkeys(partitions, self.first)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        return dict.fromkeys(partitions, 1000)


class Rig(NamedTuple):
    """An app with the transport, its consumer, and what was delivered."""

    app: faust.App
    consumer: Any
    thread: Thread
    delivered: list[Any]
    assignments: list[Assignment]
    said: list[str]
    """Why the process was to end."""


@pytest.fixture
async def rig() -> Rig:
    app = faust.App(
        "contract", broker=broker_urls("127.0.0.1:1"), autodiscover=False, web_enabled=False
    )
    assignments: list[Assignment] = []

    async def start(assignment: Assignment) -> Mapping[Partition, int]:
        assignments.append(assignment)
        return {Partition("quotes", 0): 7, Partition("quotes", 1): 0}

    async def release() -> None:
        return

    said: list[str] = []

    def mismatch(tp: Partition, last: int, mark: Mark | None, seen: LogState) -> str:
        return log_mismatch(PLAN, tp, last, mark, seen)

    async def end(reasons: Mapping[Partition, str]) -> None:
        said.extend(reasons.values())

    marks = {
        Partition("quotes", 0): Mark(6, "a1", 1_700_000_000_000, 0),
        Partition("quotes", 1): Mark(-1, "a1"),
    }
    install(
        app,
        AssignmentCallbacks(
            start,
            release,
            lambda error: said.append(repr(error)),
            said.append,
            said.append,
            said.append,
            marks=lambda: marks,
            mismatch=mismatch,
            refuse_partitions=end,
        ),
    )
    consumer: Any = app.consumer
    assert isinstance(consumer, BatchConsumer)
    thread, delivered = Thread(), []

    async def callback(message: Any) -> None:
        delivered.append(message)

    consumer._thread, consumer.callback = thread, callback
    app.topics._acking_topics.add("quotes")
    app.consumer_generation_id = 1
    return Rig(app, consumer, thread, delivered, assignments, said)


async def test_an_agent_receives_all_records_of_a_partition_as_one_list(rig: Rig) -> None:
    records = fetched(0, 4)
    await rig.consumer._deliver({ONE: records}, rig.consumer._epoch)
    (message,) = rig.delivered
    assert message.value is records
    assert (message.tp, message.offset, message.generation_id) == (ONE, 4, 1)
    channel = rig.app.topic(
        "quotes", key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )
    event = await channel.decode(message)
    assert event.value is records


async def test_records_already_delivered_are_left_out(rig: Rig) -> None:
    rig.consumer._read_offset[ONE] = 3
    await rig.consumer._deliver({ONE: fetched(0, 4)}, rig.consumer._epoch)
    assert [record.offset for record in rig.delivered[0].value] == [3, 4]
    await rig.consumer._deliver({ONE: fetched(0, 4)}, rig.consumer._epoch)
    assert len(rig.delivered) == 1


def deliver_and_ack(rig: Rig) -> Callable[[Collection[int]], None]:
    def ack(which: Collection[int]) -> None:
        for number in which:
            rig.consumer.ack(rig.delivered[number])

    return ack


async def test_commits_cover_contiguous_batches_only(rig: Rig) -> None:
    for first in (0, 5, 12):  # 10 and 11 are a gap of the log
        await rig.consumer._deliver({ONE: fetched(first, first + 4)}, rig.consumer._epoch)
    ack = deliver_and_ack(rig)
    ack([1])
    assert rig.consumer._new_offset(ONE) is None
    ack([0])
    assert rig.consumer._new_offset(ONE) == 10
    ack([2])
    assert rig.consumer._new_offset(ONE) == 17
    assert rig.consumer._new_offset(ONE) is None
    assert not rig.consumer._acked[ONE]


async def test_a_late_acknowledgement_of_an_older_generation_releases_nothing(rig: Rig) -> None:
    await rig.consumer._deliver({ONE: fetched(0, 4)}, rig.consumer._epoch)
    late = rig.delivered[0]
    rig.consumer._unacked_messages.add(late)
    rig.app.consumer_generation_id = 2
    rig.consumer._ranges.clear()
    rig.consumer._read_offset[ONE] = 0
    await rig.consumer._deliver({ONE: fetched(0, 4)}, rig.consumer._epoch)
    assert rig.consumer.ack(late) is False
    assert late not in rig.consumer._unacked_messages
    assert rig.consumer._new_offset(ONE) is None
    rig.consumer.ack(rig.delivered[1])
    assert rig.consumer._new_offset(ONE) == 5


async def test_what_was_fetched_before_a_seek_is_not_delivered(rig: Rig) -> None:
    before = rig.consumer._epoch
    rig.consumer._epoch += 1
    rig.consumer._read_offset[ONE] = 40
    await rig.consumer._deliver({ONE: fetched(100, 104)}, before)
    assert rig.delivered == []
    assert rig.thread.sought == [{ONE: 40}]


async def test_what_is_cut_off_by_a_stopped_flow_is_fetched_again(rig: Rig) -> None:
    async def stopping(message: Any) -> None:
        rig.delivered.append(message)
        rig.consumer.stop_flow()

    rig.consumer.callback = stopping
    rig.consumer._read_offset.update({ONE: 0, TWO: 20})
    await rig.consumer._deliver({ONE: fetched(0, 4), TWO: fetched(20, 24)}, rig.consumer._epoch)
    assert [message.tp for message in rig.delivered] == [ONE]
    assert rig.thread.sought == [{ONE: 5, TWO: 20}]


async def test_what_is_fetched_while_partitions_are_placed_is_fetched_again(rig: Rig) -> None:
    """A rebalance that another has overtaken may resume the flow.

    It may do so while its successor asks where the partitions start.
    """
    asked, answer = asyncio.Event(), asyncio.Event()

    async def start(_assignment: Assignment) -> Mapping[Partition, int]:
        asked.set()
        await answer.wait()
        return {Partition("quotes", 0): 7, Partition("quotes", 1): 0}

    async def overtaken(partitions: Mapping[TP, int]) -> None:
        """Fetched before the seek, handed over after it."""
        rig.thread.seek_wait = seek_wait  # type: ignore[method-assign]
        await seek_wait(partitions)
        late.append(
            asyncio.create_task(
                rig.consumer._deliver({TWO: fetched(300, 304)}, rig.consumer._epoch)
            )
        )
        await asyncio.sleep(0)

    late: list[asyncio.Task[None]] = []
    seek_wait = rig.thread.seek_wait
    rig.consumer.callbacks = rig.consumer.callbacks._replace(start=start)
    placing = asyncio.create_task(rig.consumer.perform_seek())
    await asked.wait()
    late.append(
        asyncio.create_task(rig.consumer._deliver({ONE: fetched(100, 104)}, rig.consumer._epoch))
    )
    await asyncio.sleep(0)
    rig.thread.seek_wait = overtaken  # type: ignore[method-assign]
    answer.set()
    await placing
    await asyncio.gather(*late)
    assert rig.delivered == []
    assert rig.thread.sought == [{ONE: 7, TWO: 0}, {ONE: 7}, {TWO: 0}]


async def test_a_rewind_that_a_rebalance_interrupts_is_left_to_the_rebalance(rig: Rig) -> None:
    before = rig.consumer._epoch
    rig.consumer._epoch += 1
    rig.consumer._read_offset[ONE] = 40
    rig.thread.rebalancing = True
    await rig.consumer._deliver({ONE: fetched(100, 104)}, before)
    assert rig.delivered == []
    assert rig.consumer._read_offset[ONE] == 40
    rig.thread.rebalancing = False
    await rig.consumer.perform_seek()
    assert rig.thread.sought == [{ONE: 7, TWO: 0}]
    await rig.consumer._deliver({ONE: fetched(5, 9)}, rig.consumer._epoch)
    assert [record.offset for record in rig.delivered[0].value] == [7, 8, 9]


async def test_markers_behind_the_last_record_hold_no_record(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.transport.consumer.LOOK_INTERVAL", -1)
    await rig.consumer.perform_seek()
    await rig.consumer._deliver({ONE: fetched(7, 9)}, rig.consumer._epoch)
    rig.thread.fetched = {ONE: 12, TWO: 0}  # 10 and 11 are markers
    rig.consumer._look(rig.consumer._epoch)
    assert rig.consumer.following(ONE, 10) == 12
    assert rig.consumer.following(ONE, 8) == 8, "records before the markers are not applied yet"
    await rig.consumer._deliver({ONE: fetched(12, 12)}, rig.consumer._epoch)
    assert rig.consumer.following(ONE, 13) == 13
    rig.thread.fetched = {ONE: 99}
    rig.consumer._look(rig.consumer._epoch - 1)
    assert rig.consumer.following(ONE, 10) == 12, "looked at after a seek"
    await rig.consumer.perform_seek()
    assert rig.consumer.following(ONE, 10) == 10


async def test_a_topic_that_may_not_be_read_ends_the_process(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def denied(_timeout: float) -> None:
        raise TopicAuthorizationFailedError("quotes")

    monkeypatch.setattr(rig.consumer, "_get_active_partitions", lambda: {ONE})
    monkeypatch.setattr(rig.consumer, "_wait_next_records", denied)
    with pytest.raises(TopicAuthorizationFailedError):
        await rig.consumer._drain_messages(rig.consumer)
    assert len(rig.said) == 1
    assert "grant Read on the topic" in rig.said[0]


async def test_a_consumer_that_is_behind_waits_for_room_all_the_same(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, turns = [0], 200
    waited = asyncio.create_task(asyncio.sleep(3 * COALESCE))

    def full() -> set[TP]:
        looks[0] += 1
        if waited.done() or looks[0] == turns:
            raise Ended
        return set()

    monkeypatch.setattr(rig.consumer, "_get_active_partitions", full)
    rig.consumer._behind = True
    with pytest.raises(Ended):
        await rig.consumer._drain_messages(rig.consumer)
    assert looks[0] < turns, "it spins"


async def test_a_consumer_that_has_waited_polls_at_once_for_a_while(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0

    async def silent(_seconds: float) -> tuple[dict[TP, Any], set[TP]]:
        nonlocal turns
        turns += 1
        if turns == 2:
            raise Ended
        await asyncio.sleep(2 * AT_ONCE * COALESCE)
        return {}, {ONE}

    assert rig.consumer._pause() == COALESCE, "it has not waited yet"
    monkeypatch.setattr(rig.consumer, "_wait_next_records", silent)
    rig.consumer._set_active_tps({ONE})
    with pytest.raises(Ended):
        await rig.consumer._drain_messages(rig.consumer)
    # One has been taken between the two polls.
    left = int(AT_ONCE) - 1
    assert [rig.consumer._pause() for _ in range(left + 1)] == [0.0] * left + [COALESCE]
    rig.consumer._behind = True
    assert rig.consumer._pause() == 0.0


async def test_room_in_a_buffer_ends_the_wait_for_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.transport.consumer.COALESCE", 60.0)
    rig.consumer._set_active_tps({ONE})
    rig.consumer.on_buffer_full(ONE)
    waiting = asyncio.create_task(rig.consumer._wait_for_room())
    await asyncio.sleep(0)
    rig.consumer.on_buffer_drop(ONE)
    await asyncio.wait_for(waiting, 10.0)
    assert rig.consumer._get_active_partitions() == {ONE}


async def test_what_is_asked_of_the_broker(rig: Rig) -> None:
    thread = GuardedConsumer(rig.consumer, asyncio.get_running_loop(), rig.consumer.beacon)
    fetching = thread._create_worker_consumer(rig.consumer.transport)
    assert fetching._fetch_max_wait_ms == FETCH_WAIT_MS < 1000 * POLL, (
        "another partition's records wait for it"
    )
    assert 1_000_000 < fetching._max_partition_fetch_bytes == PARTITION_BYTES, (
        "a usual batch of every partition fits into an answer"
    )
    assert fetching._fetch_max_bytes == FETCH_BYTES
    assert fetching._isolation_level == "read_committed"
    fetching._closed = True  # it never ran


async def test_a_full_buffer_is_not_left_alone_while_other_partitions_are_silent(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    polled: list[float] = []

    async def silent(seconds: float) -> tuple[dict[TP, Any], set[TP]]:
        polled.append(seconds)
        if len(polled) == 3:
            raise Ended
        (rig.consumer.on_buffer_full if len(polled) == 1 else rig.consumer.on_buffer_drop)(ONE)
        return {}, {TWO}

    monkeypatch.setattr(rig.consumer, "_wait_next_records", silent)
    rig.consumer._set_active_tps({ONE, TWO})
    with pytest.raises(Ended):
        await rig.consumer._drain_messages(rig.consumer)
    assert polled == [POLL, COALESCE, POLL]


@pytest.mark.parametrize(("end", "behind"), [(5, False), (7, False), (8, True), (100, True)])
async def test_a_consumer_is_behind_when_the_log_holds_as_much_again(
    rig: Rig, *, end: int, behind: bool
) -> None:
    rig.thread.end = end
    assert rig.consumer._is_behind(ONE, fetched(2, 4)) is behind


async def test_a_consumer_that_cannot_close_is_told_of_and_not_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    over = asyncio.Event()

    async def serve() -> None:
        raise RuntimeError("broken pipe")

    GuardedConsumer.Worker(SimpleNamespace(_serve=serve, set_shutdown=over.set)).start()
    await asyncio.wait_for(over.wait(), 10.0)
    assert "broken pipe" in caplog.text


class Coordinator:
    """A group coordinator that has so many errors in store."""

    def __init__(self, *errors: Exception | None) -> None:
        self._errors = iter(errors)
        self._metadata_snapshot: dict[str, int] = {}
        self._coordination_task: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def check_errors(self) -> None:
        error = next(self._errors, Ended())
        if error is not None:
            raise error


class Ended(BaseException):
    """Nothing more in store."""


async def watched(coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the guard has said of a coordinator's errors."""
    monkeypatch.setattr("agents.transport.consumer_task.GUARD_INTERVAL", 0)
    said: list[str] = []
    callbacks = {
        "coordinator_error": lambda error: said.append(str(error)),
        **dict.fromkeys(("give_up", "down", "refuse"), said.append),
    }
    thread: Any = SimpleNamespace(
        consumer=SimpleNamespace(callbacks=SimpleNamespace(**callbacks)),
        _consumer=SimpleNamespace(_coordinator=coordinator),
        _check_errors=coordinator.check_errors,
    )
    with pytest.raises(Ended):
        await GuardedConsumer._watch(thread)
    return said


async def test_coordinator_errors_end_the_process_when_they_come_in_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = RuntimeError("42")
    almost = [error] * (GUARD_LIMIT - 1)
    assert await watched(Coordinator(*almost, None, *almost), monkeypatch) == ["42"] * 2 * (
        GUARD_LIMIT - 1
    )
    said = await watched(Coordinator(*almost, error), monkeypatch)
    assert said[:-1] == ["42"] * GUARD_LIMIT
    assert "does not recover" in said[-1]


async def test_a_coordinator_that_has_ended_or_denies_the_group_ends_the_process_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dead = Coordinator(RuntimeError("x"))
    dead._coordination_task.set_result(None)
    assert "has ended" in (await watched(dead, monkeypatch))[-1]
    assert (
        "grant Read on the group"
        in (await watched(Coordinator(GroupAuthorizationFailedError("g")), monkeypatch))[-1]
    )


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20.0):
        while not true():  # noqa: ASYNC110 - what is waited for is inside aiokafka
            await asyncio.sleep(0.001)


@pytest.fixture
async def joined(rig: Rig) -> AsyncIterator[tuple[GuardedConsumer, GroupCoordinator]]:
    """The consumer as after its start, in the middle of a rebalance.

    Coordinator and fetcher are aiokafka's own; nothing is sent.
    """
    thread: Any = GuardedConsumer(rig.consumer, asyncio.get_running_loop(), rig.consumer.beacon)
    consumer = thread._create_worker_consumer(rig.consumer.transport)
    thread._consumer, rig.consumer._thread = consumer, thread
    subscription = consumer._subscription
    coordinator = GroupCoordinator(consumer._client, subscription, group_id="contract")
    coordinator._coordination_task.cancel()  # it would look for a broker
    coordinator._coordination_task = asyncio.get_running_loop().create_future()
    consumer._coordinator, consumer._fetcher = coordinator, Fetcher(consumer._client, subscription)
    subscription.subscribe({"quotes"})
    subscription.assign_from_subscribed([TopicPartition(*ONE), TopicPartition(*TWO)])
    subscription.begin_reassignment()
    thread._check_errors = errors_for_guard(consumer)
    rig.consumer._set_active_tps({ONE, TWO})
    rig.consumer.flow_active = True
    yield thread, coordinator
    await consumer._fetcher.close()
    consumer._closed = True


async def test_a_coordinators_error_passes_the_fetch_loop_by(
    rig: Rig, joined: tuple[Any, GroupCoordinator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One SyncGroup answered with error 42 while the loop waits for its assignment.

    Stock ends the loop, and with it the process.
    """
    thread, coordinator = joined
    monkeypatch.setattr("agents.transport.consumer_task.GUARD_INTERVAL", 0.01)
    loop = asyncio.create_task(rig.consumer._drain_messages(thread))
    waiters = thread._consumer._subscription._assignment_waiters
    await until(lambda: bool(waiters))
    pushed = asyncio.ensure_future(coordinator._push_error_to_user(InvalidRequestError()))
    watch = asyncio.create_task(thread._watch())
    await asyncio.wait_for(pushed, 10.0)
    assert rig.said == ["InvalidRequestError()"], "the guard alone hears of it, and once"
    assert not loop.done(), loop
    coordinator._pending_exception = UnknownError()
    thread._consumer._coordinator.check_errors()  # as a seek does
    await until(lambda: len(rig.said) == 2)
    for task in (watch, loop):
        task.cancel()
    await asyncio.gather(watch, loop, return_exceptions=True)


async def test_a_commit_that_fails_is_tried_again_and_then_left(
    rig: Rig, joined: tuple[Any, GroupCoordinator], monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, _ = joined
    answers: list[Exception | None] = []
    seen: list[Mapping[TP, Any]] = []

    async def commit(offsets: Mapping[TP, Any]) -> None:
        seen.append(offsets)
        if error := answers.pop(0):
            raise error

    monkeypatch.setattr("agents.transport.consumer_task.COMMIT_PAUSE", 0)
    monkeypatch.setattr(thread._consumer, "commit", commit)
    monkeypatch.setattr(thread, "assignment", lambda: {ONE})
    answers[:] = [InvalidRequestError(), UnknownError(), None]
    assert await thread._commit({ONE: 5, TWO: 6})
    assert [offset.offset for offset in seen[-1].values()] == [5], "what is not ours is left out"
    answers[:] = [UnknownError()] * COMMIT_TRIES
    assert not await thread._commit({ONE: 5})
    answers[:] = [CommitFailedError("already rebalanced")]
    assert not await thread._commit({ONE: 5})
    assert not answers
    assert not thread.crashed
    answers[:] = [GroupAuthorizationFailedError("g"), None]
    await thread._commit({ONE: 5})
    assert "grant Read on the group" in rig.said[-1]


@pytest.mark.parametrize("question", ["seek_to_committed", "earliest_offsets", "highwaters"])
async def test_partitions_are_placed_when_kafka_answers_again(
    rig: Rig, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.transport.consumer.ASK_PAUSE", 0.001)
    answered, errors = (
        getattr(rig.thread, question),
        [UnknownError("42"), KafkaTimeoutError(), KafkaConnectionError()],
    )

    async def troubled(*arguments: Any) -> Any:
        if errors:
            raise errors.pop(0)
        return await answered(*arguments)

    monkeypatch.setattr(rig.thread, question, troubled)
    await rig.consumer.perform_seek()
    assert rig.thread.sought == [{ONE: 7, TWO: 0}]
    assert len(rig.said) == 3


async def test_kafka_that_does_not_tell_where_partitions_start_is_down(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(reason: str) -> None:
        rig.said.append(reason)
        raise Ended

    async def silent(*_tps: TP) -> Mapping[TP, int]:
        await asyncio.sleep(60)
        return {}

    monkeypatch.setattr("agents.transport.consumer.ASK_PAUSE", 0.001)
    monkeypatch.setattr("agents.transport.consumer.ASK_SECONDS", 0.05)
    monkeypatch.setattr(rig.thread, "highwaters", silent)
    rig.consumer.callbacks = rig.consumer.callbacks._replace(down=down)
    with pytest.raises(Ended):
        await rig.consumer.perform_seek()
    assert "has not told" in rig.said[-1]


async def test_the_hook_decides_where_every_partition_starts(rig: Rig) -> None:
    rig.thread.committed = {ONE: 500}
    rig.consumer._acked[ONE].append(3)
    epoch = rig.consumer._epoch
    await rig.consumer.perform_seek()
    assert rig.assignments == [
        Assignment(1, {ONE: 500, TWO: None}, {ONE: 0, TWO: 0}, {ONE: 1000, TWO: 1000})
    ]
    assert rig.thread.sought == [{ONE: 7, TWO: 0}]
    assert (rig.consumer._read_offset[ONE], rig.consumer._committed_offset[ONE]) == (7, 7)
    assert rig.consumer._read_offset[TWO] == 0
    assert not rig.consumer._acked
    assert rig.consumer._epoch > epoch
    await rig.consumer._deliver({ONE: fetched(7, 9)}, rig.consumer._epoch)
    rig.consumer.ack(rig.delivered[0])
    assert rig.consumer._new_offset(ONE) == 10


async def placed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The consumer behind offset 9 of partition 0, in a log of leader epoch 0."""
    monkeypatch.setattr(confirmation, "CONFIRM_SECONDS", 0.0)
    monkeypatch.setattr(confirmation, "CONFIRM_PAUSE", 0.0)
    rig.thread.end = 1000
    await rig.consumer.perform_seek()
    await rig.consumer._deliver({ONE: fetched(7, 9)}, rig.consumer._epoch)
    return rig.consumer


def shows(rig: Rig, seen: LogState) -> None:
    async def look(
        offsets: Mapping[Partition, int], _live: Callable[[], bool]
    ) -> Mapping[Partition, LogState]:
        rig.thread.looks.append(dict(offsets))
        return dict.fromkeys(offsets, seen)

    rig.thread.look = look  # type: ignore[method-assign]


async def test_records_of_another_leader_epoch_wait_for_a_look_at_the_last_delivered(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = await placed(rig, monkeypatch)
    kept = mark_of(Fetched(9), "a1")
    shows(rig, LogState("a1", 0, 1000, "record", kept))
    await consumer._deliver(
        {ONE: [Fetched(10, leader_epoch=2), Fetched(11, leader_epoch=2)]}, consumer._epoch
    )
    await consumer._deliver({ONE: [Fetched(12, leader_epoch=2)]}, consumer._epoch)
    assert rig.thread.looks == [{ONE: 9}], "once an election"
    assert not rig.said
    shows(rig, LogState("a1", 0, 1000, "record", replace(kept, offset=12, epoch=3)))
    await consumer._deliver({ONE: [Fetched(13, leader_epoch=4)]}, consumer._epoch)
    assert "the record at offset 12 is another one: leader epoch 3, not 2" in rig.said[0]


async def test_the_first_records_after_a_takeover_are_compared_with_the_watermarks_epoch(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirmation, "CONFIRM_SECONDS", 0.0)
    await rig.consumer.perform_seek()
    shows(rig, LogState("a1", 0, 1000, "record", Mark(6, "a1", 1_700_000_000_001, 1)))
    await rig.consumer._deliver({ONE: [Fetched(7, leader_epoch=1)]}, rig.consumer._epoch)
    assert rig.thread.looks == [{ONE: 6}]
    assert "the record at offset 6 is another one" in rig.said[0]


async def test_an_offset_that_the_log_does_not_have_is_never_replaced_in_silence(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = await placed(rig, monkeypatch)
    assert rig.thread.resets_allowed == [False]

    async def out_of_range(_timeout: float) -> Any:
        raise OffsetOutOfRangeError({ONE: 10})

    monkeypatch.setattr(consumer, "_wait_next_records", out_of_range)
    shows(rig, LogState("a1", 30, 1000))
    rig.thread.first = 30
    assert await consumer._fetch(consumer._epoch) == {}
    assert (rig.thread.sought[-1], rig.said) == ({ONE: 30}, []), (
        "an input of others: retention may outrun us"
    )
    shows(rig, LogState("a1", 0, 5))
    await consumer._fetch(consumer._epoch)
    assert "applied offset 29, but the log ends at 5" in rig.said[0]
    await consumer.on_partitions_revoked({ONE, TWO})
    assert rig.thread.resets_allowed == [False, True], (
        "who is assigned a partition without a commit must start somewhere"
    )


async def test_topics_made_anew_are_found_by_their_ids(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = await placed(rig, monkeypatch)

    async def heard(topic_id: str) -> None:
        rig.thread.brokers_heard += 1
        rig.thread.topics = {"quotes": topic_id}
        shows(rig, LogState(topic_id, 0, 1000))
        for _ in range(2):
            await consumer._compare_topics(consumer._epoch)
            await asyncio.sleep(0)

    await heard("a1")
    assert not rig.said
    await heard("b2")
    assert len(rig.said) == 1, "of partition 1 nothing has been applied"
    assert "made anew: the id was a1 and is b2" in rig.said[0]


async def test_an_offset_that_is_just_being_reset_ends_nothing(rig: Rig) -> None:
    subscriptions = SubscriptionState()
    subscriptions.assign_from_user([ONE])
    state = subscriptions.subscription.assignment.state_value(ONE)
    state.highwater, state.timestamp = 7, time() * 1000
    thread: Any = rig.consumer._new_consumer_thread()
    thread._consumer, thread.time_started = (
        SimpleNamespace(_fetcher=SimpleNamespace(_subscriptions=subscriptions)),
        0.0,
    )
    with pytest.raises(AssertionError):  # why Faust's own look is not asked
        super(GuardedConsumer, thread).verify_event_path(time(), ONE)
    thread.verify_event_path(time(), ONE)


async def test_the_producer_is_idempotent_and_waits_for_all_replicas(rig: Rig) -> None:
    assert isinstance(rig.app.producer, IdempotentProducer)
    assert rig.app.producer._settings_extra() == {"acks": "all", "enable_idempotence": True}


def test_every_server_carries_the_scheme() -> None:
    assert broker_urls("h1:9092, h2:9093") == "kafka://h1:9092;kafka://h2:9093"


def test_another_release_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_pins, "version", lambda _name: "0.16.0")
    with pytest.raises(TransportMismatchError, match=r"faust-streaming 0\.15\.3, found 0\.16\.0"):
        check_pins()


def test_a_changed_signature_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def ack(self: Any, message: Any, extra: Any) -> None:
        del self, message, extra

    monkeypatch.setattr(Consumer, "ack", ack)
    with pytest.raises(TransportMismatchError, match="ack takes"):
        check_pins()


def test_a_missing_attribute_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_pins, "ATTRIBUTES", ((Consumer, ("_no_such_thing",)),))
    with pytest.raises(TransportMismatchError, match="_no_such_thing is gone"):
        check_pins()
