"""What the rest of the worker relies on from the transport, against the installed Faust and without a broker."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from time import time
from types import SimpleNamespace
from typing import Any, NamedTuple

import faust
import pytest
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import GroupAuthorizationFailedError, IllegalStateError, TopicAuthorizationFailedError
from faust.transport.consumer import Consumer
from faust.types import TP

from agents import transport_pins
from agents.assignment import Assignment, Hooks, Partition
from agents.transport import COALESCE, POLL, BatchConsumer, IdempotentProducer, broker_urls, install
from agents.transport_consumer import FETCH_BYTES, FETCH_WAIT_MS, GUARD_LIMIT, PARTITION_BYTES, GuardedConsumer
from agents.transport_pins import TransportMismatchError, check_pins

ONE, TWO = TP("quotes", 0), TP("quotes", 1)


class Fetched(NamedTuple):
    """A record as aiokafka hands it over, as far as the transport looks."""

    offset: int
    timestamp: int = 1_700_000_000_000
    timestamp_type: int = 0


def fetched(first: int, last: int) -> list[Fetched]:
    return [Fetched(offset) for offset in range(first, last + 1)]


class Thread:
    """What Faust takes for the consumer's thread: what is assigned, where the log begins and ends, where we seek."""

    def __init__(self) -> None:
        self.sought: list[dict[TP, int]] = []
        self.committed: dict[TP, int] = {}
        self.fetched: dict[TP, int] = {}
        self.rebalancing = False
        self.end = 0
        """Of the log of every partition."""

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
        return dict.fromkeys(partitions, 0)

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
    app = faust.App("contract", broker=broker_urls("127.0.0.1:1"), autodiscover=False, web_enabled=False)
    assignments: list[Assignment] = []

    async def start(assignment: Assignment) -> Mapping[Partition, int]:
        assignments.append(assignment)
        return {Partition("quotes", 0): 7, Partition("quotes", 1): 0}

    async def release() -> None:
        return

    said: list[str] = []
    install(app, Hooks(start, release, lambda _error: None, said.append, said.append))
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
    channel = rig.app.topic("quotes", key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
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
    """A rebalance that another has overtaken may resume the flow while its successor asks where the partitions start."""
    asked, answer = asyncio.Event(), asyncio.Event()

    async def start(_assignment: Assignment) -> Mapping[Partition, int]:
        asked.set()
        await answer.wait()
        return {Partition("quotes", 0): 7, Partition("quotes", 1): 0}

    async def overtaken(partitions: Mapping[TP, int]) -> None:
        """Fetched before the seek, handed over after it."""
        rig.thread.seek_wait = seek_wait  # type: ignore[method-assign]
        await seek_wait(partitions)
        late.append(asyncio.create_task(rig.consumer._deliver({TWO: fetched(300, 304)}, rig.consumer._epoch)))
        await asyncio.sleep(0)

    late: list[asyncio.Task[None]] = []
    seek_wait = rig.thread.seek_wait
    rig.consumer.hooks = rig.consumer.hooks._replace(start=start)
    placing = asyncio.create_task(rig.consumer.perform_seek())
    await asked.wait()
    late.append(asyncio.create_task(rig.consumer._deliver({ONE: fetched(100, 104)}, rig.consumer._epoch)))
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


async def test_markers_behind_the_last_record_hold_no_record(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.transport.LOOK_INTERVAL", -1)
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


async def test_a_topic_that_may_not_be_read_ends_the_process(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def denied(_timeout: float) -> None:
        raise TopicAuthorizationFailedError("quotes")

    monkeypatch.setattr(rig.consumer, "_get_active_partitions", lambda: {ONE})
    monkeypatch.setattr(rig.consumer, "_wait_next_records", denied)
    with pytest.raises(TopicAuthorizationFailedError):
        await rig.consumer._drain_messages(rig.consumer)
    assert len(rig.said) == 1
    assert "grant Read on the topic" in rig.said[0]


async def test_a_consumer_that_is_behind_waits_for_room_all_the_same(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
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


async def test_room_in_a_buffer_ends_the_wait_for_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.transport.COALESCE", 60.0)
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
    assert fetching._fetch_max_wait_ms == FETCH_WAIT_MS < 1000 * POLL, "another partition's records wait for it"
    assert 1_000_000 < fetching._max_partition_fetch_bytes == PARTITION_BYTES, "a usual batch of every partition fits into an answer"
    assert fetching._fetch_max_bytes == FETCH_BYTES
    assert fetching._isolation_level == "read_committed"
    fetching._closed = True  # it never ran


async def test_a_full_buffer_is_not_left_alone_while_other_partitions_are_silent(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
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
async def test_a_consumer_is_behind_when_the_log_holds_as_much_again(rig: Rig, *, end: int, behind: bool) -> None:
    rig.thread.end = end
    assert rig.consumer._is_behind(ONE, fetched(2, 4)) is behind


async def test_a_consumer_that_cannot_close_is_told_of_and_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
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
    monkeypatch.setattr("agents.transport_consumer.GUARD_INTERVAL", 0)
    said: list[str] = []
    hooks = {"coordinator_error": lambda error: said.append(str(error)), "give_up": said.append, "refuse": said.append}
    thread: Any = SimpleNamespace(
        consumer=SimpleNamespace(hooks=SimpleNamespace(**hooks)), _consumer=SimpleNamespace(_coordinator=coordinator)
    )
    with pytest.raises(Ended):
        await GuardedConsumer._watch(thread)
    return said


async def test_coordinator_errors_end_the_process_when_they_come_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    error = RuntimeError("42")
    almost = [error] * (GUARD_LIMIT - 1)
    assert await watched(Coordinator(*almost, None, *almost), monkeypatch) == ["42"] * 2 * (GUARD_LIMIT - 1)
    said = await watched(Coordinator(*almost, error), monkeypatch)
    assert said[:-1] == ["42"] * GUARD_LIMIT
    assert "does not recover" in said[-1]


async def test_a_coordinator_that_has_ended_or_denies_the_group_ends_the_process_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = Coordinator(RuntimeError("x"))
    dead._coordination_task.set_result(None)
    assert "does not recover" in (await watched(dead, monkeypatch))[-1]
    assert "grant Read on the group" in (await watched(Coordinator(GroupAuthorizationFailedError("g")), monkeypatch))[-1]


async def test_the_hook_decides_where_every_partition_starts(rig: Rig) -> None:
    rig.thread.committed = {ONE: 500}
    rig.consumer._acked[ONE].append(3)
    epoch = rig.consumer._epoch
    await rig.consumer.perform_seek()
    assert rig.assignments == [Assignment(1, {ONE: 500, TWO: None}, {ONE: 0, TWO: 0}, {ONE: 1000, TWO: 1000})]
    assert rig.thread.sought == [{ONE: 7, TWO: 0}]
    assert (rig.consumer._read_offset[ONE], rig.consumer._committed_offset[ONE]) == (7, 7)
    assert rig.consumer._read_offset[TWO] == 0
    assert not rig.consumer._acked
    assert rig.consumer._epoch > epoch
    await rig.consumer._deliver({ONE: fetched(7, 9)}, rig.consumer._epoch)
    rig.consumer.ack(rig.delivered[0])
    assert rig.consumer._new_offset(ONE) == 10


async def test_an_offset_that_is_just_being_reset_ends_nothing(rig: Rig) -> None:
    subscriptions = SubscriptionState()
    subscriptions.assign_from_user([ONE])
    state = subscriptions.subscription.assignment.state_value(ONE)
    state.highwater, state.timestamp = 7, time() * 1000
    thread: Any = rig.consumer._new_consumer_thread()
    thread._consumer, thread.time_started = SimpleNamespace(_fetcher=SimpleNamespace(_subscriptions=subscriptions)), 0.0
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
