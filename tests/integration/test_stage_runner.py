"""One runner over one partition.

The tests tell what is published, committed and acknowledged, in which order, and what a crash
leaves.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
import pytest
from pydantic import SecretStr
from redis import Redis

from agents.kafka.publisher import Publisher
from agents.plan import CheckpointPolicy
from agents.process.release_deadline import Deadline, DeadlineExceededError
from agents.store.checkpoint_store import FencedError, StoreClient
from agents.store.client import connect
from agents.store.keys import RecordPosition, stage_keys
from agents.worker import unsent_messages
from agents.worker.batch_pieces import PIECE, PieceAckHandle, in_pieces
from agents.worker.checkpoint_schedule import CheckpointSchedule
from agents.worker.dead_letter_limit import DeadLetterLimit, TooManyDeadLettersError
from agents.worker.isolation import IsolationLock
from agents.worker.stage_runner import StageRunner
from config.settings import RedisSettings
from streams.readings.points_guard import MoreSourcesError
from streams.records import Record
from streams.refusals.refused_batch import RefusedBatch
from streams.stage import Output, ReadingView
from streams.topics import Topics
from tests.integration.test_checkpoint_store import Silent
from tests.support.counting import GROUP, POISON, CountingStage, record_value
from tests.support.stack import EmbeddedTestStack

pytestmark = pytest.mark.embedded
SLOW = CheckpointPolicy(seconds=3600)


class Consumed(NamedTuple):
    """A record as aiokafka hands it over."""

    offset: int
    value: bytes
    topic: str = "quotes"
    partition: int = 0
    timestamp: int = 1_700_000_000_000
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


def consumed(first: int, last: int) -> list[Any]:
    return [Consumed(n, record_value(n)) for n in range(first, last + 1)]


class AckHandle:
    """Notes its fate in the world's diary."""

    def __init__(self, diary: list[str], name: str) -> None:
        self._diary, self._name = diary, name

    def ack(self) -> None:
        self._diary.append(f"ack {self._name}")

    def discard(self) -> None:
        self._diary.append(f"discard {self._name}")


class World:
    """A broker that acknowledges when the test lets it, and effects that are written down."""

    def __init__(self, stack: EmbeddedTestStack, tag: str, *further: str) -> None:
        self.redis = connect(RedisSettings(url=SecretStr(stack.redis.url)))
        self.keys = stage_keys("slow", [f"{tag}quotes", *further], 0)
        self.diary: list[str] = []
        self.sent: list[bytes | None] = []
        self.open = asyncio.Event()
        self.open.set()
        self.generation = 0
        self.deadline = Deadline()
        self.alone = IsolationLock()

    @property
    def topic(self) -> str:
        return self.keys.inputs[0]

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
    ) -> Any:
        del topic, key, partition, timestamp, headers
        self.sent.append(value)
        return asyncio.ensure_future(self.open.wait())

    async def runner(
        self, policy: CheckpointPolicy = SLOW, limit: DeadLetterLimit | None = None
    ) -> StageRunner:
        """Take the partition over, as a worker of the next generation does."""
        self.generation += 1
        if self.alone.locked():
            self.alone = IsolationLock()  # the process that held it has ended
        checkpoints = StoreClient(self.redis, Silent(), lease_seconds=10).checkpoints(
            self.keys, self.generation, self.deadline
        )
        checkpoint = await checkpoints.acquire(waiting=self.keys.inputs)
        publisher = Publisher(self, Topics(), self.deadline, lambda _topic, _n: None)
        stage, limit = CountingStage(0, "quotes"), limit or DeadLetterLimit(1.0)
        runner = StageRunner(
            stage,
            publisher,
            checkpoints,
            checkpoint,
            CheckpointSchedule(policy),
            self,
            limit,
            self.alone,
        )
        await runner.begin()
        return runner

    async def watermark(self) -> int:
        return (await self.watermarks())[0]

    async def watermarks(self) -> list[int]:
        return [
            int(await self.redis.get(self.keys.watermark(topic)) or -1)
            for topic in self.keys.inputs
        ]

    def handle(self, name: str) -> AckHandle:
        return AckHandle(self.diary, name)

    def applied(self, topic: str, records: int, seconds: float) -> None:
        del topic, seconds
        self.diary.append(f"applied {records}")

    def output(self, output: Output) -> None:
        del output

    def replayed(self, topic: str, records: int) -> None:
        del topic
        self.diary.append(f"replayed {records}")

    def refused(self, batch: RefusedBatch) -> None:
        self.diary.append(f"refused {batch}")

    def gap(self, topic: str, offsets: int) -> None:
        del topic
        self.diary.append(f"gap {offsets}")

    async def recount(self) -> None:
        self.diary.append("recount")

    def crashed(self, record: Record) -> None:
        self.diary.append(f"crashed {record.offset}")

    def committed(self, chunks: Mapping[str, bytes], seconds: float) -> None:
        del chunks, seconds
        self.diary.append("committed")

    async def views(self, snapshots: Mapping[str, bytes], views: Sequence[ReadingView]) -> None:
        del snapshots, views

    def outbox_grew(self, length: int) -> None:
        del length


@pytest.fixture
async def world(embedded_stack: EmbeddedTestStack, topic_prefix: str) -> AsyncIterator[World]:
    made = World(embedded_stack, topic_prefix)
    yield made
    await made.redis.aclose()


async def test_acknowledges_only_what_a_checkpoint_covers_and_in_order(world: World) -> None:
    runner = await world.runner()
    await runner.consume(world.topic, consumed(0, 9), world.handle("a"))
    await runner.consume(world.topic, consumed(10, 19), world.handle("b"))
    assert world.diary == ["applied 10", "applied 10"]
    assert await world.watermark() == -1
    await runner.settle()
    assert world.diary[2:] == ["committed", "ack a", "ack b"]
    assert await world.watermark() == 19


async def test_commits_every_batch_where_the_policy_says_so(world: World) -> None:
    runner = await world.runner(CheckpointPolicy())
    await runner.consume(world.topic, consumed(0, 9), world.handle("a"))
    assert world.diary == ["applied 10", "committed", "ack a"]


async def test_commits_nothing_whose_messages_are_not_acknowledged(world: World) -> None:
    runner = await world.runner(CheckpointPolicy())
    world.open.clear()
    work = asyncio.create_task(
        runner.consume(world.topic, consumed(0, GROUP - 1), world.handle("a"))
    )
    await asyncio.sleep(0.2)
    assert len(world.sent) == 1
    assert await world.watermark() == -1
    world.open.set()
    await asyncio.wait_for(work, 5)
    assert await world.watermark() == GROUP - 1


async def test_records_at_or_below_the_watermark_are_dropped(world: World) -> None:
    first = await world.runner(CheckpointPolicy())
    await first.consume(world.topic, consumed(0, 9), world.handle("a"))
    second = await world.runner(CheckpointPolicy())
    world.diary.clear()
    await second.consume(world.topic, consumed(5, 14), world.handle("b"))
    await second.consume(world.topic, consumed(3, 8), world.handle("c"))
    assert world.diary == ["replayed 5", "applied 5", "committed", "ack b", "replayed 6", "ack c"]
    stage = second.stage
    assert isinstance(stage, CountingStage)
    assert stage.applied[:15].tolist() == [1] * 15


async def test_missing_offsets_are_told_and_no_error(world: World) -> None:
    runner = await world.runner(CheckpointPolicy())
    await runner.consume(world.topic, consumed(0, 9), world.handle("a"))
    await runner.consume(world.topic, consumed(15, 19), world.handle("b"))
    assert "gap 5" in world.diary
    assert await world.watermark() == 19


async def test_uncovered_bytes_force_a_checkpoint(world: World) -> None:
    runner = await world.runner(CheckpointPolicy(seconds=3600, unacked_bytes=8 * 15))
    await runner.consume(world.topic, consumed(0, 9), world.handle("a"))
    assert "committed" not in world.diary
    await runner.consume(world.topic, consumed(10, 19), world.handle("b"))
    assert world.diary[-3:] == ["committed", "ack a", "ack b"]


async def test_a_fenced_runner_gives_its_batches_back(world: World) -> None:
    zombie = await world.runner()
    await zombie.consume(world.topic, consumed(0, 9), world.handle("a"))
    await world.runner()
    with pytest.raises(FencedError):
        await zombie.settle()
    assert world.diary == ["applied 10", "discard a"]
    await zombie.consume(world.topic, consumed(10, 19), world.handle("b"))
    assert world.diary[-1] == "discard b"
    assert await world.watermark() == -1


async def test_a_handover_that_takes_too_long_is_abandoned(world: World) -> None:
    runner = await world.runner()
    await runner.consume(world.topic, consumed(0, GROUP - 1), world.handle("a"))
    world.open.clear()
    work = asyncio.create_task(runner.settle())
    await asyncio.sleep(0.05)
    world.deadline.wind_down(0.2)
    world.deadline.check()
    with pytest.raises(DeadlineExceededError):
        await asyncio.wait_for(work, 5)
    assert world.diary[-1] == "discard a"
    world.open.set()


async def test_an_idle_mark_is_published_after_a_checkpoint_that_covers_it(world: World) -> None:
    runner = await world.runner()
    await runner.consume(world.topic, consumed(0, 9), world.handle("a"))
    await runner.idle()
    assert world.sent == [b"0"]
    assert world.diary == ["applied 10", "committed", "ack a"]
    assert await world.watermark() == 9
    await runner.settle()
    assert await world.redis.hget(world.keys.key("st"), unsent_messages.CHUNK) is None


async def test_an_idle_mark_committed_but_not_published_is_published_by_the_successor(
    world: World,
) -> None:
    runner = await world.runner()
    await runner.consume(world.topic, consumed(0, 9), world.handle("a"))

    async def died(messages: Sequence[object]) -> None:
        if messages:
            raise ConnectionError

    runner.publisher.send = died  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await runner.idle()
    assert (world.sent, await world.watermark()) == ([], 9)
    successor = await world.runner()
    assert world.sent == [b"0"]
    await successor.consume(world.topic, consumed(10, 10), world.handle("b"))
    await successor.settle()
    await world.runner()
    assert world.sent == [b"0"]


@pytest.mark.parametrize("deaths", [0, 1])
async def test_half_a_batch_is_never_committed(world: World, deaths: int) -> None:
    """While the process notes what it dies of, its timers go on."""
    runner = await world.runner(CheckpointPolicy())
    await runner.consume(world.topic, consumed(0, 9), world.handle("a"))
    for _ in range(deaths + 1):
        runner = await world.runner(CheckpointPolicy())
    assert bool(runner.record_by_record) == bool(deaths)
    with pytest.raises(RuntimeError):
        await runner.consume(
            world.topic, [*consumed(10, 14), Consumed(15, POISON)], world.handle("b")
        )
    await runner.checkpoint()
    await runner.settle()
    assert world.diary[-1] == "discard b"
    heir = await world.runner(CheckpointPolicy())
    await heir.consume(world.topic, consumed(10, 14), world.handle("c"))
    stage = heir.stage
    assert isinstance(stage, CountingStage)
    assert stage.applied[:15].tolist() == [1] * 15


async def test_a_record_noted_at_two_deaths_is_dead_lettered(world: World) -> None:
    await world.runner()
    for _ in range(2):
        careful = await world.runner()
        assert careful.record_by_record
        assert "crashed 4" not in world.diary
        await careful.checkpoints.note(probe="4")  # noted, and then the process was gone
    heir = await world.runner()
    await heir.consume(world.topic, consumed(0, 9), world.handle("a"))
    await heir.settle()
    assert "crashed 4" in world.diary
    stage = heir.stage
    assert isinstance(stage, CountingStage)
    assert stage.applied[:10].tolist() == [1, 1, 1, 1, 0, 1, 1, 1, 1, 1]
    assert not (await world.runner()).record_by_record


async def test_pieces_of_a_batch_are_kept_and_what_is_suspected_stays_so(world: World) -> None:
    """Record by record a batch may take longer than a rebalance leaves it, again and again."""
    first, rest = in_pieces(consumed(0, PIECE + 9))
    await world.runner()
    careful = await world.runner()
    batch = world.handle("a")
    await careful.consume(world.topic, first, PieceAckHandle(batch), more=True)
    assert (await world.watermark(), world.diary[-1]) == (PIECE - 1, "committed")
    await careful.settle()
    # A second death at a record of the next piece.
    for _ in range(2):
        careful = await world.runner()
        assert careful.record_by_record
        await careful.checkpoints.note(probe=f"{PIECE + 4}")
    heir = await world.runner()
    await heir.consume(world.topic, rest[:2], PieceAckHandle(batch), more=True)
    assert heir.record_by_record
    await heir.consume(world.topic, rest[2:], batch)
    assert not heir.record_by_record, "the batch is committed at its end"
    await heir.settle()
    assert [line for line in world.diary if line[:5] in {"ack a", "crash", "disca"}] == [
        f"crashed {PIECE + 4}",
        "ack a",
    ]
    stage = heir.stage
    assert isinstance(stage, CountingStage)
    assert np.flatnonzero(stage.applied[: PIECE + 10] != 1).tolist() == [PIECE + 4]
    assert not (await world.runner()).record_by_record


async def test_pieces_that_are_not_covered_give_their_batch_back(world: World) -> None:
    await world.runner()
    careful = await world.runner()
    batch = PieceAckHandle(world.handle("a"))
    with pytest.raises(RuntimeError):
        await careful.consume(world.topic, [Consumed(0, POISON)], batch, more=True)
    assert world.diary[-1] == "discard a"


async def test_while_one_partition_is_at_work_no_record_of_another_is_noted(
    embedded_stack: EmbeddedTestStack, topic_prefix: str
) -> None:
    """Whoever ends the process then is the record at work, and it alone is accused."""
    world, other = (
        World(embedded_stack, topic_prefix),
        World(embedded_stack, f"{topic_prefix}other."),
    )
    other.alone = world.alone
    at_work, bystander = await world.runner(), [await other.runner() for _ in range(2)][1]
    assert bystander.record_by_record
    noted: list[Any] = []
    process = at_work.stage.process
    with closing(Redis.from_url(embedded_stack.redis.url)) as client:

        def look(records: Sequence[Record]) -> Output:
            noted.append(client.hget(other.keys.key("own"), "probe"))
            return process(records)

        at_work.stage.process = look  # type: ignore[method-assign]
        careful = asyncio.create_task(
            bystander.consume(other.topic, consumed(0, 50), other.handle("a"))
        )
        for n in range(20):
            await asyncio.sleep(0.001)
            await at_work.consume(world.topic, consumed(n, n), world.handle("b"))
        await careful
    assert noted == [None] * 20
    assert bystander.applied[other.topic] == 50
    await world.redis.aclose()
    await other.redis.aclose()


async def test_once_a_record_ends_the_process_no_other_is_noted_in_its_place(
    embedded_stack: EmbeddedTestStack, topic_prefix: str
) -> None:
    """Between the error and the end of the process others wait for their turn.

    Noted twice, they would be dropped as poison.
    """
    world, other = (
        World(embedded_stack, topic_prefix),
        World(embedded_stack, f"{topic_prefix}other."),
    )
    other.alone = world.alone
    culprit, bystander = await world.runner(), [await other.runner() for _ in range(2)][1]
    waiting: list[asyncio.Task[None]] = []

    def poison(records: Sequence[Record]) -> Output:
        del records
        waiting.append(
            asyncio.create_task(bystander.consume(other.topic, consumed(0, 5), other.handle("a")))
        )
        raise RuntimeError("poison")

    culprit.stage.process = poison  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="poison"):
        await culprit.consume(world.topic, consumed(0, 0), world.handle("b"))
    with closing(Redis.from_url(embedded_stack.redis.url)) as client:
        for _ in range(50):
            await asyncio.sleep(0.002)
            assert client.hget(other.keys.key("own"), "probe") is None
    assert bystander.applied[other.topic] == -1
    waiting[0].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await world.redis.aclose()
    await other.redis.aclose()


@pytest.fixture
async def pair(embedded_stack: EmbeddedTestStack, topic_prefix: str) -> AsyncIterator[World]:
    """A stage with a second input."""
    made = World(embedded_stack, topic_prefix, "commands")
    yield made
    await made.redis.aclose()


async def test_one_checkpoint_covers_both_inputs_and_only_then_their_tickets(pair: World) -> None:
    runner = await pair.runner()
    first, second = pair.keys.inputs
    await runner.consume(first, consumed(0, 9), pair.handle("a"))
    await runner.consume(second, consumed(10, 14), pair.handle("b"))
    assert (pair.diary, await pair.watermarks()) == (["applied 10", "applied 5"], [-1, -1])
    await runner.settle()
    assert pair.diary[2:] == ["committed", "ack a", "ack b"]
    assert await pair.watermarks() == [9, 14]


async def test_a_crash_between_checkpoints_repeats_neither_input(pair: World) -> None:
    """State that holds the effects of one input needs that input's watermark.

    It is never committed without it.
    """
    first, second = pair.keys.inputs
    forced = CheckpointPolicy(seconds=3600, unacked_bytes=8 * 12)
    crashed = await pair.runner(forced)
    await crashed.consume(first, consumed(0, 9), pair.handle("a"))
    await crashed.consume(second, consumed(100, 104), pair.handle("b"))
    assert await pair.watermarks() == [9, 104]
    await crashed.consume(first, consumed(10, 14), pair.handle("c"))
    heir = await pair.runner(CheckpointPolicy())
    await heir.consume(second, consumed(100, 109), pair.handle("d"))
    await heir.consume(first, consumed(0, 19), pair.handle("e"))
    stage = heir.stage
    assert isinstance(stage, CountingStage)
    assert stage.applied[:20].tolist() == [1] * 20
    assert stage.applied[100:110].tolist() == [1] * 10
    assert await pair.watermarks() == [19, 109]


async def test_a_further_input_without_records_keeps_no_watermark(pair: World) -> None:
    runner = await pair.runner(CheckpointPolicy())
    await runner.consume(pair.topic, consumed(0, 9), pair.handle("a"))
    await runner.checkpoint()
    await runner.settle()
    assert await pair.redis.get(pair.keys.watermark(pair.keys.inputs[1])) is None
    assert (await pair.runner()).applied == {pair.topic: 9, pair.keys.inputs[1]: -1}


async def test_a_record_that_kills_is_known_by_its_topic(pair: World) -> None:
    first, second = pair.keys.inputs
    runner = await pair.runner()
    for _ in range(2):
        await runner.checkpoints.note(
            probe=runner.checkpoints.keys.name_of(RecordPosition(second, 4))
        )
        runner = await pair.runner(CheckpointPolicy())
    heir = runner
    await heir.consume(first, consumed(0, 9), pair.handle("a"))
    assert "crashed 4" not in pair.diary
    await heir.consume(second, consumed(0, 9), pair.handle("b"))
    assert "crashed 4" in pair.diary
    stage = heir.stage
    assert isinstance(stage, CountingStage)
    assert stage.applied[:10].tolist() == [2, 2, 2, 2, 1, 2, 2, 2, 2, 2]


async def test_after_a_checkpoint_that_failed_only_a_successor_goes_on(pair: World) -> None:
    runner = await pair.runner()
    await runner.consume(pair.topic, consumed(0, 9), pair.handle("a"))
    commit = runner.checkpoints.commit

    async def unanswered(*_: object) -> int:
        raise DeadlineExceededError

    runner.checkpoints.commit = unanswered  # type: ignore[method-assign, assignment]
    with pytest.raises(DeadlineExceededError):
        await runner.idle()
    runner.checkpoints.commit = commit  # type: ignore[method-assign]
    await runner.settle()
    assert pair.diary == ["applied 10", "discard a"]
    assert await pair.watermarks() == [-1, -1]


async def test_unusable_records_of_a_further_input_stop_nobody(pair: World) -> None:
    runner = await pair.runner(CheckpointPolicy(), DeadLetterLimit(0.0, window=10))
    await runner.consume(pair.keys.inputs[1], consumed(0, GROUP - 1), pair.handle("a"))
    with pytest.raises(TooManyDeadLettersError):
        await runner.consume(pair.topic, consumed(0, GROUP - 1), pair.handle("b"))


async def test_records_of_more_sources_than_known_are_applied_once_kafka_was_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = await world.runner()
    process, asked = runner.stage.process, list[int]()

    def processed(records: Sequence[Record]) -> Output:
        for at, record in enumerate(records):
            if record.offset in {3, 5, 8} - set(asked):
                asked.append(record.offset)
                raise MoreSourcesError(process(records[:at]), at)
        return process(records)

    monkeypatch.setattr(runner.stage, "process", processed)
    await runner.consume(world.topic, consumed(0, 6), world.handle("a"))
    runner.record_by_record = {world.topic}
    await runner.consume(world.topic, consumed(7, 8), world.handle("b"))
    await runner.settle()
    assert world.diary.count("recount") == 3
    assert isinstance(runner.stage, CountingStage)
    assert runner.stage.applied[:9].tolist() == [1] * 9
