"""What an earlier release left in Redis is taken over.

The stages go on as if they had never been stopped.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from agents.embedded.redis_server import EmbeddedRedis
from agents.store.checkpoint_store import WatermarkStep
from agents.store.client import connect
from config.settings import RedisSettings
from streams.detection.views.snapshot import decode_snapshot
from tests.support.recorded_checkpoint import MAKE, Recording, checkpoints_of, played, recordings

STAGES = pytest.mark.parametrize("stage", MAKE)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedRedis]:
    made = EmbeddedRedis()
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def client(server: EmbeddedRedis) -> AsyncIterator[AsyncRedis]:
    made = connect(RedisSettings(url=SecretStr(server.url)))
    yield made
    await made.flushall()
    await made.aclose()


def recorded(stage: str, server: EmbeddedRedis) -> Recording:
    """The recording, its keys in Redis."""
    recording = recordings()[stage]
    with Redis.from_url(server.url) as redis:
        recording.write(redis)
    return recording


@STAGES
async def test_a_checkpoint_of_an_earlier_release_is_restored_and_continued(
    stage: str, server: EmbeddedRedis, client: AsyncRedis
) -> None:
    recording = recorded(stage, server)
    steady = recording.make()
    steady.restore(recording.start)
    steady.process(recording.before)
    found = await checkpoints_of(client, recording.keys).acquire(waiting=recording.keys.inputs)
    last = {
        topic: max(one.offset for one in recording.before if one.topic == topic)
        for topic in recording.keys.inputs
    }
    assert found.watermarks == last
    assert found.commits == len(recording.before) + 1
    taken_over = recording.make()
    taken_over.restore(found.chunks)
    expected = played(steady, recording.after)
    assert played(taken_over, recording.after) == expected
    assert played(recording.make(), recording.after) != expected, (
        "a fresh stage goes on otherwise: this test can fail"
    )


async def test_alerts_people_and_held_commands_survive_the_change_of_release(
    server: EmbeddedRedis, client: AsyncRedis
) -> None:
    recording = recorded("detector", server)
    checkpoints = checkpoints_of(client, recording.keys)
    found = await checkpoints.acquire(waiting=recording.keys.inputs)
    stage = recording.make()
    stage.restore(found.chunks)
    first = recording.after[0]
    output = stage.process([first])
    unwind = next(
        one
        for one in decode_snapshot(output.snapshots["SPX"]).alerts
        if one.rule == "vix_spike_unwind"
    )
    assert (unwind.status, unwind.underlying_status, unwind.severity, unwind.acked_by) == (
        "suspended",
        "firing",
        "critical",
        "ann",
    )
    assert unwind.silenced_until is not None
    assert (
        stage.process([one for one in recording.before if "commands" in one.topic]).outbox == []
    ), "applied before, and one still waits"
    chunks = {**stage.chunks(), "commands/SPX": found.chunks["commands/SPX"]}
    await checkpoints.commit(
        [WatermarkStep(first.topic, found.watermarks[first.topic], first.offset)],
        chunks,
        output.outbox,
    )
    again = await checkpoints_of(client, recording.keys).acquire(waiting=())
    assert again.watermarks[first.topic] == first.offset
