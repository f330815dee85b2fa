"""The relay over a real outbox: order, numbers, repeats, heartbeats, tombstones."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from pydantic import SecretStr

from agents.alerts.relay import History, Relay
from agents.alerts.tombstones import Tombstones
from agents.patience import Patience
from agents.producer import Publisher, PublishError
from agents.store.client import connect
from agents.store.keys import stage_keys
from agents.store.ledger import Ledger, Progress, Store
from config.settings import Redis as RedisSettings
from streams.stage import OutboxEntry
from streams.topics import Topics
from tests.integration.test_redis_ledger import Silent
from tests.support.stack import EmbeddedTestStack

pytestmark = pytest.mark.embedded


def event(name: str, key: str = "9f2c") -> OutboxEntry:
    fields = {
        "specversion": "1.0",
        "id": name,
        "source": "/t",
        "type": "io.dispersion.alert.firing.v1",
        "subject": "SPX/30d/vix_spike_unwind",
        "partitionkey": key,
        "data": {"status": "firing"},
    }
    return OutboxEntry(name, json.dumps(fields).encode())


class World:
    """Keeps what is sent, and what the observer was told."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.sent: list[tuple[str, bytes | None, bytes | None, int | None, dict[str, bytes]]] = []
        self.told: list[tuple[str, str]] = []
        self.lengths: list[int] = []
        self.refuse = False
        self.seen: dict[int, str] = {}
        self.tombstones = Tombstones()
        self.expected = -1

    async def send(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int | None, timestamp: float | None, headers: Any
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

    def alert(self, value: bytes, outcome: str) -> None:
        self.told.append((json.loads(value)["id"], outcome))

    async def _published(self) -> dict[int, str]:
        return self.seen

    async def _resolved(self) -> Tombstones:
        return self.tombstones

    def relay(self) -> Relay:
        publisher = Publisher(self, Topics(), Patience(), lambda _topic, _n: None)
        return Relay(2, self.ledger, publisher, History(self._published, self._resolved), self, "live")

    async def post(self, *entries: OutboxEntry) -> None:
        await self.ledger.commit([Progress(self.ledger.keys.inputs[0], self.expected, self.expected + 1)], {}, entries)
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
    ledger = Store(redis, Silent(), lease_seconds=10).ledger(stage_keys("detector", [f"{topic_prefix}readings"], 2), 1, Patience())
    await ledger.acquire(waiting=())
    yield World(ledger)
    await redis.aclose()


async def run(relay: Relay, seconds: float = 0.4) -> None:
    task = asyncio.create_task(relay.run())
    await asyncio.sleep(seconds)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_publishes_in_order_to_both_topics_on_its_own_partition_and_empties_the_outbox(world: World) -> None:
    await world.post(*(event(f"e{n}") for n in range(150)))
    await run(world.relay(), 1.0)
    expected = [(f"e{n}", b"%d" % (n + 1)) for n in range(150)]
    assert world.events(ALERTS) == expected
    assert world.events(STATES) == expected
    assert {(key, partition) for topic, key, _, partition, _ in world.sent if topic == STATES} == {(b"9f2c", 2)}
    assert world.lengths[-1] == 0
    assert world.told == [(f"e{n}", "published") for n in range(150)]


async def test_what_is_on_the_topic_already_is_not_published_again(world: World) -> None:
    await world.post(event("a"), event("b"), event("c"))
    world.seen = {1: "a", 2: "somebody else's"}
    await run(world.relay())
    assert [name for name, _ in world.events(ALERTS)] == ["b", "c"]
    assert world.told == [("a", "repeated"), ("b", "published"), ("c", "published")]


async def test_numbering_goes_on_above_the_tail(world: World) -> None:
    world.seen = {500: "old"}
    await run(world.relay())
    await world.post(event("a"))
    await run(world.relay())
    assert world.events(ALERTS) == [("a", b"501")]


async def test_a_refused_event_stays_in_the_outbox_and_is_told(world: World) -> None:
    await world.post(event("a"))
    world.refuse = True
    with pytest.raises(PublishError):
        await asyncio.wait_for(world.relay().run(), 5)
    assert world.told == [("a", "error")]
    assert (await world.ledger.outbox("", 10))[0] == 1


async def test_wakes_up_for_a_new_event_and_flushes(world: World) -> None:
    relay = world.relay()
    task = asyncio.create_task(relay.run())
    await asyncio.sleep(0.2)
    await world.post(event("a"))
    relay.wake(7)
    assert world.lengths[-1] == 7
    await relay.flush()
    assert [name for name, _ in world.events(ALERTS)] == ["a"]
    task.cancel()


async def test_a_heartbeat_goes_to_the_log_alone_and_the_dead_get_their_tombstone(world: World) -> None:
    world.tombstones.published(b"gone", b'{"data":{"status":"resolved"}}', 0.0)
    await run(world.relay())
    (beat,) = [sent for sent in world.sent if sent[0] == ALERTS]
    assert json.loads(beat[2] or b"")["type"] == "io.dispersion.heartbeat.v1"
    assert beat[4]["ce_type"] == b"io.dispersion.heartbeat.v1"
    assert [(key, value, partition) for topic, key, value, partition, _ in world.sent if topic == STATES] == [(b"gone", None, 2)]
