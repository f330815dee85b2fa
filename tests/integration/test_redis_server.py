"""What the books in Redis ask of a server.

It is one Cluster slot a script, little of its time, and no hidden repetition.
"""

import asyncio
import os
import signal
import statistics
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
import redis
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from agents.embedded.redis_server import EmbeddedRedis
from agents.process.ports import free_ports
from agents.process.release_deadline import Deadline, DeadlineExceededError
from agents.store.checkpoint_store import CheckpointStore, StoreClient, WatermarkStep
from agents.store.client import connect
from agents.store.keys import StageKeys, stage_keys
from agents.store.views import Views
from config.settings import RedisSettings
from streams.stage import OutboxEntry, ReadingView
from tests.integration.test_checkpoint_store import Silent
from tests.support.fleet import wait_until
from tests.support.redis import system_redis

CHUNKS, CHUNK_BYTES = 40, 12_500
"""Half a megabyte, as a book checkpoints it."""

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def cluster() -> Iterator[EmbeddedRedis]:
    """A Redis Cluster of one node that owns all slots."""
    (bus,) = free_ports(1)  # by default 10,000 above the port, which may be too high
    server = system_redis("--cluster-enabled", "yes", "--cluster-port", str(bus))
    server.start()
    try:
        with closing(redis.Redis.from_url(server.url)) as client:
            ask: Callable[..., Any] = client.execute_command
            ask("CLUSTER ADDSLOTSRANGE", 0, 16383)
            wait_until(lambda: ask("CLUSTER INFO")["cluster_state"] == "ok", 10, "a cluster")
        yield server
    finally:
        server.close()


@pytest.fixture
async def client(cluster: EmbeddedRedis) -> AsyncIterator[Redis]:
    made = connect(RedisSettings(url=SecretStr(cluster.url)))
    yield made
    await made.aclose()


def checkpoints_of(
    client: Redis, keys: StageKeys, deadline: Deadline | None = None
) -> CheckpointStore:
    return StoreClient(client, Silent(), lease_seconds=30).checkpoints(
        keys, 1, deadline or Deadline()
    )


async def test_every_script_keeps_to_one_slot_of_a_cluster(client: Redis) -> None:
    keys = stage_keys(
        "detector",
        ["desk.dispersion.readings.v1", "desk.dispersion.alerts.commands.v1"],
        3,
        ["SPX", "NDX"],
    )
    checkpoints = checkpoints_of(client, keys)
    await checkpoints.acquire(waiting=keys.inputs)
    steps = [WatermarkStep(topic, -1, 7) for topic in keys.inputs]
    chunks = {
        "windows": b"w",
        "alert/SPX/9f": b"a",
        "day/SPX/2026-07-10": b"d",
        "day/NDX/2026-07-10": b"d",
    }
    assert await checkpoints.commit(steps, chunks, [OutboxEntry("e1", b"{}")]) == 1
    await checkpoints.note(probe="8")
    assert (await checkpoints.outbox("", 10))[1][0].event_id == "e1"
    await checkpoints.note(exp="0")
    found = await checkpoints_of(client, keys).acquire(waiting=())
    assert (found.watermarks, found.chunks) == (dict.fromkeys(keys.inputs, 7), chunks)
    with pytest.raises(
        ResponseError, match="slot"
    ):  # such a server does refuse what does not keep to one
        await client.eval("return redis.call('MGET', KEYS[1], KEYS[2])", 2, "a", "b")


async def test_the_views_need_no_slot_in_common(client: Redis) -> None:
    views = [
        ReadingView("SPX", "30d", 1_752_500_000, b"{}"),
        ReadingView("NDX", "30d", 1_752_500_000, b"{}"),
    ]
    await Views(client, "desk.").write({"SPX": b"{}", "NDX": b"{}"}, views)
    assert await client.exists("dispersion:v1:desk.:snapshot:NDX") == 1


async def test_a_checkpoint_costs_the_server_little_more_than_taking_its_bytes(
    client: Redis,
) -> None:
    """By the server's own account.

    A script beside it is handed the same arguments and does nothing.
    """
    keys = stage_keys("surfaces", ["quotes"], 0)
    checkpoints, nothing = checkpoints_of(client, keys), client.register_script("return #ARGV")
    await checkpoints.acquire(waiting=())
    await nothing(keys=[keys.key("own")], args=["warm"])
    costs: dict[str, list[int]] = {"commit": [], "nothing": []}

    async def account(name: str) -> None:
        costs[name].append((await client.info("commandstats"))["cmdstat_evalsha"]["usec"])

    for number in range(25):
        chunks = {f"book/{n}": os.urandom(CHUNK_BYTES) for n in range(CHUNKS)}
        arguments = [part for name, chunk in chunks.items() for part in (2, name, chunk)]
        await client.config_resetstat()
        await checkpoints.commit([WatermarkStep("quotes", number - 1, number)], chunks)
        await account("commit")
        await client.config_resetstat()
        await nothing(keys=[keys.key("own")], args=arguments)
        await account("nothing")
    commit, least = (statistics.median(costs[name]) for name in ("commit", "nothing"))
    assert commit < 2.5 * least, f"{commit:.0f} µs for half a megabyte, {least:.0f} µs to take it"


@asynccontextmanager
async def forgetful(server: EmbeddedRedis, word: bytes) -> AsyncIterator[Redis]:
    """A client whose way to the server loses the first answer to a request with this word.

    It hangs up there.
    """
    state = {"heard": False, "lost": False}
    connections: list[asyncio.Task[None]] = []

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (data := await reader.read(65536)) and (state["lost"] or not state["heard"]):
            writer.write(data)
        state["lost"] = state["heard"]

    async def requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            state["heard"] |= word in data
            writer.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", server.port)
        ways = [
            asyncio.create_task(requests(reader, outer)),
            asyncio.create_task(answers(inner, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, outer):
            end.close()
        await asyncio.wait(ways)

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.create_task(serve(reader, writer)))

    async with await asyncio.start_server(accepted, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        async with connect(RedisSettings(url=SecretStr(f"redis://127.0.0.1:{port}/0"))) as client:
            yield client
        await asyncio.wait(connections, timeout=10)
    assert state["lost"]


async def test_a_write_whose_answer_is_lost_is_not_repeated_behind_our_back(
    cluster: EmbeddedRedis, client: Redis
) -> None:
    async with forgetful(cluster, b"counted") as through:
        with pytest.raises(RedisConnectionError):
            await through.incr("counted")
    assert await client.get("counted") == b"1"


async def test_a_commit_whose_answer_is_lost_is_made_once(
    cluster: EmbeddedRedis, client: Redis
) -> None:
    keys = stage_keys("detector", ["lost"], 0)
    async with forgetful(cluster, b"only-once") as through:
        checkpoints = checkpoints_of(through, keys)
        await checkpoints.acquire(waiting=())
        assert (
            await checkpoints.commit(
                [WatermarkStep("lost", -1, 3)], {}, [OutboxEntry("only-once", b"{}")]
            )
            == 1
        )
    assert await client.hget(keys.key("own"), "n") == b"1"
    assert await client.xlen(keys.key("out")) == 1


async def test_a_call_that_hangs_is_let_go_when_partitions_must_be(cluster: EmbeddedRedis) -> None:
    """The operation's own time-out would be longer than what a rebalance grants."""
    keys, deadline = stage_keys("detector", ["hung"], 0), Deadline()
    async with connect(RedisSettings(url=SecretStr(cluster.url), operation_timeout=60)) as hanging:
        checkpoints = checkpoints_of(hanging, keys, deadline)
        await checkpoints.acquire(waiting=())
        os.kill(cluster.pid, signal.SIGSTOP)
        try:
            commit = asyncio.create_task(checkpoints.commit([WatermarkStep("hung", -1, 3)], {}))
            await asyncio.sleep(0.3)
            assert not commit.done()
            deadline.wind_down(0.2)
            with pytest.raises(DeadlineExceededError):
                await asyncio.wait_for(commit, 10)
        finally:
            os.kill(cluster.pid, signal.SIGCONT)
