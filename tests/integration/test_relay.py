"""The relay over a real outbox: order, numbers, repeats, heartbeats, tombstones."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from time import time
from typing import Any

import pytest
from pydantic import SecretStr

from agents.alerts.current_states import CurrentStates
from agents.alerts.published_events import PublishedEvent, PublishedEvents
from agents.alerts.relay import Relay
from agents.kafka.publisher import Publisher, PublishError
from agents.process.release_deadline import Deadline
from agents.store.checkpoint_store import CheckpointStore, StoreClient, WatermarkStep
from agents.store.client import connect
from agents.store.keys import stage_keys
from config.settings import RedisSettings
from streams.detection.alerts.alert_event import AlertEvent, decode_event
from streams.stage import OutboxEntry
from streams.topics import Topics
from tests.integration.test_checkpoint_store import Silent
from tests.support.counted_event import counted_event
from tests.support.stack import EmbeddedTestStack

pytestmark = pytest.mark.embedded


ALERT = counted_event(2, 1, {}).value
KEY = json.loads(ALERT)["partitionkey"].encode()


def event(number: int, **data: Any) -> OutboxEntry:
    return counted_event(2, number, {}, **data)


class World:
    """Keeps what is sent, and what the observer was told."""

    def __init__(self, checkpoints: CheckpointStore) -> None:
        self.checkpoints = checkpoints
        self.sent: list[tuple[str, bytes | None, bytes | None, int | None, dict[str, bytes]]] = []
        self.told: list[tuple[str, str]] = []
        self.delays: list[float] = []
        self.lengths: list[int] = []
        self.refuse = False
        self.log: list[PublishedEvent] = []
        self.states = CurrentStates()
        self.first = 0
        self.expected = -1

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
    ) -> Any:
        del timestamp
        if self.refuse:
            raise RuntimeError
        self.sent.append((topic, key, value, partition, dict(headers or [])))
        future = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    def outbox(self, partition: int, length: int, oldest: float) -> None:
        del partition, oldest
        self.lengths.append(length)

    def alert(self, event: AlertEvent, outcome: str) -> None:
        self.told.append((event.id, outcome))

    def delivered(self, seconds: float) -> None:
        self.delays.append(seconds)

    async def published(self, partition: int, first: int) -> PublishedEvents:
        assert partition == 2
        self.first = first
        return PublishedEvents(self.log)

    async def current_states(self, partition: int) -> CurrentStates:
        assert partition == 2
        return self.states

    def stood(
        self,
        seq: int,
        entry: OutboxEntry,
        *,
        also_as_state: bool = True,
        published: float | None = None,
    ) -> None:
        """An event is on the log from an earlier life, and the state of its alert as a rule."""
        found = PublishedEvent(
            seq, decode_event(entry.value), entry.value, time() if published is None else published
        )
        self.log.append(found)
        if also_as_state:
            self.states.update(found.key, found.event, found.published)

    def relay(self) -> Relay:
        publisher = Publisher(self, Topics(), Deadline(), lambda _topic, _n: None)
        return Relay(2, self.checkpoints, publisher, self, self, "live")

    async def post(self, *entries: OutboxEntry) -> None:
        await self.checkpoints.commit(
            [WatermarkStep(self.checkpoints.keys.inputs[0], self.expected, self.expected + 1)],
            {},
            entries,
        )
        self.expected += 1

    def events(self, topic: str) -> list[tuple[str, bytes]]:
        return [
            (json.loads(value)["id"], headers["dispersion-seq"])
            for name, _, value, _, headers in self.sent
            if name == topic and value is not None and "dispersion-seq" in headers
        ]


ALERTS, STATES = Topics().name("alerts"), Topics().name("alerts_state")


@pytest.fixture
async def world(embedded_stack: EmbeddedTestStack, topic_prefix: str) -> AsyncIterator[World]:
    redis = connect(RedisSettings(url=SecretStr(embedded_stack.redis.url)))
    checkpoints = StoreClient(redis, Silent(), lease_seconds=10).checkpoints(
        stage_keys("detector", [f"{topic_prefix}readings"], 2), 1, Deadline()
    )
    await checkpoints.acquire(waiting=())
    yield World(checkpoints)
    await redis.aclose()


async def run(relay: Relay, seconds: float = 0.4) -> None:
    task = asyncio.create_task(relay.run())
    await asyncio.sleep(seconds)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_publishes_in_order_to_both_topics_on_its_own_partition_and_empties_the_outbox(
    world: World,
) -> None:
    entries = [event(n) for n in range(150)]
    await world.post(*entries)
    await run(world.relay(), 1.0)
    expected = [(entry.event_id, b"%d" % (n + 1)) for n, entry in enumerate(entries)]
    assert world.events(ALERTS) == expected
    assert world.events(STATES) == expected
    assert {(key, partition) for topic, key, _, partition, _ in world.sent if topic == STATES} == {
        (KEY, 2)
    }
    assert world.lengths[-1] == 0
    assert world.told == [(entry.event_id, "published") for entry in entries]
    assert len(world.delays) == len(entries)
    assert all(0 <= delay < 60 for delay in world.delays)


async def test_the_first_word_under_an_id_stands_whatever_its_number_and_content(
    world: World,
) -> None:
    first, second, third = event(1), event(2), event(3)
    await world.post(event(1, summary="another word"), second, third, third)
    world.stood(77, first)
    await run(world.relay())
    assert world.first == 1
    assert (
        [name for name, _ in world.events(ALERTS)]
        == [name for name, _ in world.events(STATES)]
        == [second.event_id, third.event_id]
    )
    told = [(first, "repeated"), (second, "published"), (third, "published"), (third, "repeated")]
    assert world.told == [(entry.event_id, outcome) for entry, outcome in told]


async def test_a_command_is_answered_once_whatever_the_answer_says(world: World) -> None:
    told = {
        "command_id": "5f0c6b1e-5a5c-4a9e-9d0c-0f4d5d1f7a11",
        "who": "ann",
        "why": "",
        "until": None,
    }
    world.stood(4, event(1, transition="acknowledged", command=told))
    await world.post(
        event(2, transition="acknowledged", command=told),
        event(3, transition="acknowledged", command={**told, "command_id": "x"}),
    )
    await run(world.relay())
    assert [outcome for _, outcome in world.told] == ["repeated", "published"]


async def test_the_states_are_brought_to_the_last_words_of_the_log(world: World) -> None:
    """A crash may lie between the two topics, and a foreign record may hide a state."""
    world.stood(6, event(1))
    world.stood(7, event(2), also_as_state=False)
    await run(world.relay())
    assert world.events(STATES) == [(event(2).event_id, b"7")]
    assert world.events(ALERTS) == []
    world.sent.clear()
    world.states.hide(KEY)
    await run(world.relay())
    assert world.events(STATES) == [(event(2).event_id, b"7")]


async def test_a_state_that_had_its_tombstone_stays_forgotten(world: World) -> None:
    world.stood(
        6,
        event(1, transition="resolved", status="resolved"),
        also_as_state=False,
        published=time() - 2 * 86_400,
    )
    await run(world.relay())
    assert world.events(STATES) == []


async def test_numbering_goes_on_above_the_tail(world: World) -> None:
    world.stood(500, event(1))
    await run(world.relay())
    await world.post(event(2))
    await run(world.relay())
    assert world.events(ALERTS) == [(event(2).event_id, b"501")]


async def test_a_refused_event_stays_in_the_outbox_and_is_told(world: World) -> None:
    await world.post(event(1))
    world.refuse = True
    with pytest.raises(PublishError):
        await asyncio.wait_for(world.relay().run(), 5)
    assert world.told == [(event(1).event_id, "error")]
    assert (await world.checkpoints.outbox("", 10)).length == 1


async def test_wakes_up_for_a_new_event_and_flushes(world: World) -> None:
    relay = world.relay()
    task = asyncio.create_task(relay.run())
    await asyncio.sleep(0.2)
    await world.post(event(1))
    relay.wake(7)
    assert world.lengths[-1] == 7
    await relay.flush()
    assert [name for name, _ in world.events(ALERTS)] == [event(1).event_id]
    task.cancel()


async def test_a_heartbeat_goes_to_the_log_alone_and_the_dead_get_their_tombstone(
    world: World,
) -> None:
    world.states.tombstones.published(b"gone", "resolved", 0.0)
    await run(world.relay())
    (beat,) = [sent for sent in world.sent if sent[0] == ALERTS]
    assert json.loads(beat[2] or b"")["type"] == "io.dispersion.heartbeat.v1"
    assert beat[4]["ce_type"] == b"io.dispersion.heartbeat.v1"
    assert [
        (key, value, partition) for topic, key, value, partition, _ in world.sent if topic == STATES
    ] == [(b"gone", None, 2)]
