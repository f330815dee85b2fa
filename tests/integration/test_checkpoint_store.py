"""The books in Redis, on the server of each stack: fencing, idempotence, outbox, crash notes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from time import time

import pytest
import redis
from pydantic import SecretStr

from agents.process.exits import ActionNeededError, UnavailableError
from agents.process.release_deadline import Deadline, DeadlineExceededError
from agents.store.breaker import BreakerState
from agents.store.checkpoint_store import (
    CheckpointStore,
    FencedError,
    ReplacedError,
    StoreClient,
    WatermarkStep,
)
from agents.store.client import connect
from agents.store.clock_check import check_clock
from agents.store.keys import RecordPosition, StageKeys, stage_keys
from agents.store.refused import RefusedPartition, WatermarkMove, clear, read, watermark
from agents.store.server_check import check_server
from agents.transport.log_identity import Mark
from config.settings import RedisSettings
from streams.stage import OutboxEntry
from tests.support.fleet import wait_until
from tests.support.redis import full_disk
from tests.support.redis_proxy import RedisProxy
from tests.support.stack import RealStack, Stack

TOPIC = "readings"


class Silent:
    """Nobody measures."""

    def redis_operation(self, operation: str, seconds: float) -> None:
        del operation, seconds

    def redis_error(self, operation: str, reason: str) -> None:
        del operation, reason

    def redis_in_use(self, change: int) -> None:
        del change


@pytest.fixture
def keys(topic_prefix: str) -> StageKeys:
    return stage_keys(
        "detector", [f"{topic_prefix}{TOPIC}", f"{topic_prefix}commands"], 0, ["SPX", "NDX"]
    )


class Workers:
    """Stores of several workers on one server."""

    def __init__(self, settings: RedisSettings) -> None:
        self.redis = connect(settings)

    def checkpoints(
        self,
        keys: StageKeys,
        generation: int,
        deadline: Deadline | None = None,
        lease: int = 10,
        instance: str = "",
    ) -> CheckpointStore:
        store = StoreClient(self.redis, Silent(), lease_seconds=lease, instance=instance)
        return store.checkpoints(keys, generation, deadline or Deadline())


@pytest.fixture
async def workers(stack: Stack) -> AsyncIterator[Workers]:
    made = Workers(RedisSettings(url=SecretStr(stack.redis.url)))
    yield made
    await made.redis.aclose()


def progress(keys: StageKeys, expected: int, last: int, which: int = 0) -> list[WatermarkStep]:
    return [WatermarkStep(keys.inputs[which], expected, last)]


async def test_a_fresh_partition_has_nothing(workers: Workers, keys: StageKeys) -> None:
    checkpoint = await workers.checkpoints(keys, 1).acquire(waiting=keys.inputs)
    assert checkpoint.watermarks == {keys.inputs[0]: -1, keys.inputs[1]: -1}
    assert checkpoint.chunks == {}
    assert (checkpoint.commits, checkpoint.starts, checkpoint.skip) == (
        0,
        dict.fromkeys(keys.inputs, 1),
        (),
    )


async def test_what_is_committed_is_found_by_the_next_owner(
    workers: Workers, keys: StageKeys
) -> None:
    first = workers.checkpoints(keys, 1)
    await first.acquire(waiting=keys.inputs)
    chunks = {
        "windows": b"\x00\xff",
        "alert/SPX/9f": b"firing",
        "day/SPX/2026-07-10": b"facts",
        "day/NDX/2026-07-10": b"other",
    }
    assert await first.commit(progress(keys, -1, 41), chunks) == 0
    await first.commit(progress(keys, -1, 3, which=1), {})
    await first.commit(progress(keys, 41, 50), {"windows": b"", "day/SPX/2026-07-13": b"more"})
    found = await workers.checkpoints(keys, 2).acquire(waiting=keys.inputs)
    assert found.watermarks == {keys.inputs[0]: 50, keys.inputs[1]: 3}
    assert found.chunks == {
        "alert/SPX/9f": b"firing",
        "day/SPX/2026-07-10": b"facts",
        "day/SPX/2026-07-13": b"more",
        "day/NDX/2026-07-10": b"other",
    }
    assert await workers.redis.hget(keys.day("SPX"), "2026-07-13") == b"more"
    assert await workers.redis.hlen(keys.key("al")) == 1


async def test_every_key_of_a_partition_hashes_to_one_slot(keys: StageKeys) -> None:
    from redis.crc import key_slot

    names = keys.all
    assert len({key_slot(name.encode()) for name in names}) == 1
    assert len(set(names)) == len(names)


async def test_a_repeated_commit_changes_nothing(workers: Workers, keys: StageKeys) -> None:
    """As when the answer of the first was lost: the same commit number comes again."""
    checkpoints = workers.checkpoints(keys, 1)
    await checkpoints.acquire(waiting=keys.inputs)
    entry = OutboxEntry("e1", b"{}")
    await checkpoints.commit(progress(keys, -1, 41), {"a": b"1"}, [entry])
    checkpoints._commits -= 1
    assert await checkpoints.commit(progress(keys, -1, 41), {"a": b"1"}, [entry]) == 1
    assert (await checkpoints.outbox("", 10))[0] == 1


async def test_an_elder_generation_is_fenced_by_a_younger_one(
    workers: Workers, keys: StageKeys
) -> None:
    zombie, heir = workers.checkpoints(keys, 1), workers.checkpoints(keys, 2)
    await zombie.acquire(waiting=keys.inputs)
    await heir.acquire(waiting=keys.inputs)
    for attempt in (
        zombie.commit(progress(keys, -1, 5), {}),
        zombie.note(probe="3"),
        zombie.outbox("", 10),
    ):
        with pytest.raises(FencedError, match="FENCED"):
            await attempt
    assert await heir.commit(progress(keys, -1, 5), {}) == 0


async def test_an_elder_generation_cannot_take_the_partition_back_while_the_lease_runs(
    workers: Workers, keys: StageKeys
) -> None:
    deadline = Deadline()
    await workers.checkpoints(keys, 5).acquire(waiting=keys.inputs)
    deadline.wind_down(0.7)
    with pytest.raises(DeadlineExceededError):
        await workers.checkpoints(keys, 4, deadline).acquire(waiting=keys.inputs)


async def test_a_reset_generation_takes_over_when_the_lease_has_run_out(
    workers: Workers, keys: StageKeys
) -> None:
    await workers.checkpoints(keys, 50, lease=2).acquire(waiting=keys.inputs)
    checkpoint = await asyncio.wait_for(
        workers.checkpoints(keys, 1).acquire(waiting=keys.inputs), 6
    )
    assert checkpoint.starts == dict.fromkeys(keys.inputs, 2)


async def test_a_restarted_static_member_need_not_wait_for_its_own_lease(
    workers: Workers, keys: StageKeys
) -> None:
    await workers.checkpoints(keys, 5, instance="w1").acquire(waiting=keys.inputs)
    await asyncio.wait_for(
        workers.checkpoints(keys, 5, instance="w1").acquire(waiting=keys.inputs), 2
    )
    deadline = Deadline()
    deadline.wind_down(0.5)
    with pytest.raises(DeadlineExceededError):
        await workers.checkpoints(keys, 5, deadline, instance="w2").acquire(waiting=keys.inputs)


async def test_a_running_namesake_is_told_from_a_redis_that_remembers_one(
    workers: Workers, keys: StageKeys
) -> None:
    ours, twin, other = (workers.checkpoints(keys, 5, instance=name) for name in ("w1", "w1", "w2"))
    await ours.acquire(waiting=keys.inputs)
    await twin.acquire(waiting=keys.inputs)
    with pytest.raises(ReplacedError):
        await ours.commit(progress(keys, -1, 5), {})
    elder = await workers.redis.dump(keys.key("own")) or b""
    ours = workers.checkpoints(keys, 6, instance="w1")
    await ours.acquire(waiting=keys.inputs)
    for changed in ({"exp": "1", "gen": "7", "uuid": "gone"}, {"inst": "w2", "exp": str(10**10)}):
        await workers.redis.hset(keys.key("own"), mapping=changed)  # type: ignore[arg-type]
        await fenced_but_not_replaced(ours)
    await workers.redis.restore(keys.key("own"), 0, elder, replace=True)
    await fenced_but_not_replaced(ours)
    await workers.redis.delete(keys.key("own"))
    await fenced_but_not_replaced(ours)
    await other.acquire(waiting=keys.inputs)
    await fenced_but_not_replaced(ours)


async def fenced_but_not_replaced(checkpoints: CheckpointStore) -> None:
    with pytest.raises(FencedError) as caught:
        await checkpoints.note()
    assert caught.type is FencedError


async def test_a_redis_that_has_lost_data_is_noticed(workers: Workers, keys: StageKeys) -> None:
    checkpoints = workers.checkpoints(keys, 1)
    await checkpoints.acquire(waiting=keys.inputs)
    await checkpoints.commit(progress(keys, -1, 10), {})
    saved = {
        key: await workers.redis.dump(key) or b""
        for key in (keys.key("own"), keys.watermark(keys.inputs[0]))
    }
    await checkpoints.commit(progress(keys, 10, 20), {})
    for key, value in saved.items():
        await workers.redis.restore(key, 0, value, replace=True)
    with pytest.raises(FencedError, match="MOVED"):
        await checkpoints.commit(progress(keys, 20, 30), {})
    await workers.redis.delete(keys.key("own"))
    with pytest.raises(FencedError, match="FENCED"):
        await checkpoints.note()


async def test_the_outbox_keeps_order_and_numbers_and_is_trimmed_by_entry(
    workers: Workers, keys: StageKeys
) -> None:
    checkpoints = workers.checkpoints(keys, 1)
    await checkpoints.acquire(waiting=keys.inputs)
    assert (
        await checkpoints.commit(
            progress(keys, -1, 1), {}, [OutboxEntry("a", b"1"), OutboxEntry("b", b"2")]
        )
        == 2
    )
    assert await checkpoints.commit(progress(keys, 1, 2), {}, [OutboxEntry("c", b"3")]) == 3
    length, entries, newest = await checkpoints.outbox("", 2)
    assert (length, [(e.seq, e.event_id, e.value) for e in entries]) == (
        3,
        [(1, "a", b"1"), (2, "b", b"2")],
    )
    length, entries, _ = await checkpoints.outbox(entries[-1].entry_id, 10)
    assert (length, [e.event_id for e in entries]) == (1, ["c"])
    assert await checkpoints.outbox(entries[-1].entry_id, 10) == (0, [], newest)


async def test_numbering_goes_on_from_what_the_topic_has_seen(
    workers: Workers, keys: StageKeys
) -> None:
    checkpoints = workers.checkpoints(keys, 1)
    await checkpoints.acquire(waiting=keys.inputs)
    await checkpoints.outbox("", 1, floor=700)
    await checkpoints.commit(progress(keys, -1, 1), {}, [OutboxEntry("a", b"1")])
    assert (await checkpoints.outbox("", 1, floor=5))[1][0].seq == 701


async def test_starts_at_one_watermark_are_counted_only_with_input_waiting(
    workers: Workers, keys: StageKeys
) -> None:
    readings, commands = keys.inputs
    waiting = ([readings], [readings, commands], [commands], [readings])
    counts = [
        (await workers.checkpoints(keys, g).acquire(waiting=topics)).starts
        for g, topics in enumerate(waiting, 1)
    ]
    assert [count[readings] for count in counts] == [1, 2, 0, 1]
    assert [count[commands] for count in counts] == [0, 1, 2, 0]


async def test_a_commit_or_a_clean_end_forgets_the_starts(
    workers: Workers, keys: StageKeys
) -> None:
    for generation in (1, 2):
        checkpoints = workers.checkpoints(keys, generation)
        await checkpoints.acquire(waiting=keys.inputs)
    await checkpoints.commit(progress(keys, -1, 1), {})
    third = workers.checkpoints(keys, 3)
    assert list((await third.acquire(waiting=keys.inputs)).starts.values()) == [1, 3], (
        "the other input has not moved"
    )
    await third.note(starts="", exp="0")
    assert list(
        (await workers.checkpoints(keys, 4).acquire(waiting=keys.inputs)).starts.values()
    ) == [1, 1]


async def test_a_record_noted_at_two_deaths_is_skipped_until_it_is_behind(
    workers: Workers, keys: StageKeys
) -> None:
    readings, command = (RecordPosition(topic, 17) for topic in keys.inputs)
    assert await skipped_after(workers, keys, 1, "17") == (
        readings,
    )  # as a worker with one input wrote it
    assert await skipped_after(workers, keys, 4, keys.name_of(command)) == (readings, command)
    last = workers.checkpoints(keys, 7)
    await last.acquire(waiting=keys.inputs)
    await last.commit(progress(keys, -1, 20), {}, skip=(command,))
    assert (await workers.checkpoints(keys, 8).acquire(waiting=keys.inputs)).skip == (command,)


async def skipped_after(
    workers: Workers, keys: StageKeys, generation: int, probe: str
) -> tuple[RecordPosition, ...]:
    """What the third owner skips of a record that was noted when its two predecessors died."""
    skipped = []
    for following in range(generation, generation + 3):
        checkpoints = workers.checkpoints(keys, following)
        skipped.append((await checkpoints.acquire(waiting=keys.inputs)).skip)
        await checkpoints.note(probe=probe if following < generation + 2 else "")
    assert skipped[0] == skipped[1]
    return skipped[2]


async def test_one_death_and_a_process_that_lives_accuse_nobody(
    workers: Workers, keys: StageKeys
) -> None:
    store = StoreClient(workers.redis, Silent(), lease_seconds=10)
    for generation, probe in (
        (1, "17"),
        (2, "17"),
        (3, "18"),
    ):  # the same process takes it again and again
        checkpoints = store.checkpoints(keys, generation, Deadline())
        assert (await checkpoints.acquire(waiting=keys.inputs)).skip == ()
        await checkpoints.note(probe=probe)
    heir = workers.checkpoints(keys, 4)
    assert (await heir.acquire(waiting=keys.inputs)).skip == ()
    await heir.commit(progress(keys, -1, 17), {})
    await heir.note(probe="18")
    assert (await workers.checkpoints(keys, 5).acquire(waiting=keys.inputs)).skip == (), (
        "its first death since the watermark moved"
    )


async def test_one_commit_moves_all_inputs_or_none(workers: Workers, keys: StageKeys) -> None:
    checkpoints = workers.checkpoints(keys, 1)
    await checkpoints.acquire(waiting=keys.inputs)
    await checkpoints.commit(
        [*progress(keys, -1, 41), *progress(keys, -1, 3, which=1)], {"a": b"1"}
    )
    with pytest.raises(FencedError, match="MOVED"):
        await checkpoints.commit(
            [*progress(keys, 41, 50), *progress(keys, 2, 4, which=1)], {"a": b"2"}
        )
    found = await workers.checkpoints(keys, 2).acquire(waiting=keys.inputs)
    assert (found.watermarks, found.chunks) == (
        {keys.inputs[0]: 41, keys.inputs[1]: 3},
        {"a": b"1"},
    )


async def test_an_outage_is_waited_out(workers: Workers, keys: StageKeys, stack: Stack) -> None:
    checkpoints = workers.checkpoints(keys, 1, lease=60)
    await checkpoints.acquire(waiting=keys.inputs)
    await checkpoints.commit(progress(keys, -1, 1), {"a": b"1"})
    stack.redis.stop()
    commit = asyncio.create_task(checkpoints.commit(progress(keys, 1, 2), {"a": b"2"}))
    await asyncio.sleep(1.5)
    assert not commit.done()
    stack.redis.start()
    await asyncio.wait_for(commit, 15)
    assert await workers.redis.hget(keys.key("st"), "a") == b"2"


async def test_a_commit_whose_answer_breaks_off_is_made_once(stack: Stack, keys: StageKeys) -> None:
    with RedisProxy(stack.redis.port) as proxy:
        workers = Workers(RedisSettings(url=SecretStr(proxy.url)))
        checkpoints = workers.checkpoints(keys, 1, lease=60)
        await checkpoints.acquire(waiting=keys.inputs)
        proxy.cut(2)
        assert (
            await checkpoints.commit(progress(keys, -1, 1), {"a": b"1"}, [OutboxEntry("e1", b"x")])
            == 1
        )
        assert await workers.redis.xlen(keys.key("out")) == 1
        assert await workers.redis.hget(keys.key("own"), "n") == b"1"
        assert proxy.cuts == 0
        await workers.redis.aclose()


async def test_full_memory_is_waited_out(workers: Workers, keys: StageKeys) -> None:
    """The circuit is open meanwhile, so the worker counts as held, not as stalled."""
    store = StoreClient(workers.redis, Silent(), lease_seconds=60)
    checkpoints = store.checkpoints(keys, 1, Deadline())
    await checkpoints.acquire(waiting=keys.inputs)
    await workers.redis.config_set("maxmemory", "1")
    try:
        commit = asyncio.create_task(checkpoints.commit(progress(keys, -1, 1), {"a": b"1"}))
        await asyncio.sleep(0.5)
        assert not commit.done()
        states = [store.caller.breaker.state]
    finally:
        await workers.redis.config_set("maxmemory", "0")
    await asyncio.wait_for(commit, 15)
    assert await workers.redis.hget(keys.key("st"), "a") == b"1"
    states.append(store.caller.breaker.state)
    assert states[0] is not BreakerState.CLOSED
    assert states[1] is BreakerState.CLOSED


def refuses(url: str) -> bool:
    """Whether the last write of the append-only file failed."""
    with closing(redis.Redis.from_url(url)) as client:
        return bool(client.info("persistence")["aof_last_write_status"] != "ok")


async def test_a_full_disk_is_waited_out(real_stack: RealStack, keys: StageKeys) -> None:
    workers = Workers(RedisSettings(url=SecretStr(real_stack.redis.url)))
    checkpoints = workers.checkpoints(keys, 1, lease=60)
    await checkpoints.acquire(waiting=keys.inputs)
    with full_disk(real_stack.redis):
        await workers.redis.set(
            keys.key("st") + "-more", b"x"
        )  # taken; Redis learns of the disk when it writes it down
        wait_until(lambda: refuses(real_stack.redis.url), 10, "a refusal")
        commit = asyncio.create_task(checkpoints.commit(progress(keys, -1, 1), {"a": b"1"}))
        await asyncio.sleep(0.5)
        assert not commit.done()
    await asyncio.wait_for(commit, 15)
    assert await workers.redis.hget(keys.key("st"), "a") == b"1"
    await workers.redis.aclose()


async def test_patience_ends_during_an_outage(stack: Stack, keys: StageKeys) -> None:
    nobody = Workers(RedisSettings(url=SecretStr("redis://127.0.0.1:1/0")))
    deadline = Deadline()
    deadline.wind_down(0.5)
    with pytest.raises(DeadlineExceededError):
        await asyncio.wait_for(
            nobody.checkpoints(keys, 1, deadline).acquire(waiting=keys.inputs), 5
        )
    await nobody.redis.aclose()


async def test_the_server_is_checked_at_start(workers: Workers, stack: Stack) -> None:
    await check_server(workers.redis)
    await workers.redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(ActionNeededError, match="CONFIG SET maxmemory-policy noeviction"):
            await check_server(workers.redis)
    finally:
        await workers.redis.config_set("maxmemory-policy", "noeviction")
    nobody = connect(RedisSettings(url=SecretStr("redis://:hush@127.0.0.1:1/0")))
    with pytest.raises(UnavailableError) as caught:
        await check_server(nobody)
    assert "hush" not in str(caught.value)
    await nobody.aclose()


async def test_a_clock_that_differs_is_told_and_one_that_is_wrong_refused(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await check_clock(workers.redis)
    assert not caplog.records
    monkeypatch.setattr("agents.store.clock_check.time", lambda: time() - 20)
    await check_clock(workers.redis)
    assert "-20.0 s" in caplog.text
    monkeypatch.setattr("agents.store.clock_check.time", lambda: time() + 90)
    with pytest.raises(ActionNeededError, match=r"\+90 s against that of Redis.*time service"):
        await check_clock(workers.redis)


async def test_which_log_a_watermark_is_of_comes_back_with_it(
    workers: Workers, keys: StageKeys
) -> None:
    first, second = keys.inputs
    checkpoints = workers.checkpoints(keys, 1)
    await checkpoints.acquire(waiting=())
    mark = Mark(41, "a1", 1_752_500_000_000, 3, 99)
    await checkpoints.commit(progress(keys, -1, 41), {}, marks={first: mark})
    await checkpoints.commit(progress(keys, -1, 3, which=1), {})  # as a release without marks does
    await checkpoints.mark({second: Mark(3, "b2")})
    assert (await workers.checkpoints(keys, 2).acquire(waiting=())).marks == {
        first: mark,
        second: Mark(3, "b2"),
    }


async def test_a_refusal_stands_until_it_is_cleared_by_who_has_read_it(
    workers: Workers, keys: StageKeys, stack: Stack
) -> None:
    first, second = keys.inputs
    checkpoints = workers.checkpoints(keys, 1)
    await checkpoints.acquire(waiting=())
    chunks = {"windows": b"w", "alert/SPX/9f": b"firing", "day/SPX/2026-07-10": b"facts"}
    await checkpoints.commit(
        [WatermarkStep(first, -1, 41), WatermarkStep(second, -1, 3)],
        chunks,
        [OutboxEntry("e1", b"{}")],
        marks={first: Mark(41, "a1")},
    )
    await checkpoints.refuse(first, "readings partition 0: another log")
    for heir in (workers.checkpoints(keys, 2), workers.checkpoints(keys, 1)):
        with pytest.raises(
            ActionNeededError,
            match=r"readings partition 0: another log; it stands refused.*dispersion takeover",
        ):
            await heir.acquire(waiting=())
    with closing(redis.Redis.from_url(stack.redis.url)) as plain:
        text = plain.hget(keys.key("own"), "refused")
        assert isinstance(text, bytes)
        refused_partition = RefusedPartition(keys, 0, text, read(keys, text))
        assert watermark(plain, refused_partition, first) == 41
        moves = [WatermarkMove(first, -1), WatermarkMove(second, 7)]
        assert not clear(plain, refused_partition._replace(text=b"another"), moves, forget=True)
        assert clear(plain, refused_partition, moves, forget=True)
        assert not clear(plain, refused_partition, moves, forget=True), "once"
    with pytest.raises(FencedError):
        await checkpoints.commit([WatermarkStep(first, 41, 42)], {})
    found = await asyncio.wait_for(workers.checkpoints(keys, 2).acquire(waiting=()), 5)
    assert (found.watermarks, found.marks, found.commits) == ({first: -1, second: 7}, {}, 1)
    assert found.chunks == {"day/SPX/2026-07-10": b"facts"}, "daily history is on no topic"
    assert await workers.redis.xlen(keys.key("out")) == 1, "what was promised is published"
