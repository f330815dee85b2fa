"""Redis by its socket and over TLS, and its users.

Each command of the documented list is needed, and named when it is missing.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from redis.exceptions import RedisError, ResponseError

from agents.process.exits import EXIT_ACTION_NEEDED, ActionNeededError, exit_code_of
from agents.process.release_deadline import Deadline
from agents.replay.pacing import FinalWatermark
from agents.store.checkpoint_store import StoreClient, WatermarkStep
from agents.store.client import connect
from agents.store.clock_check import check_clock
from agents.store.keys import readings, snapshot, stage_keys
from agents.store.refused import refused_partitions
from agents.store.retry import redis_failure
from agents.store.server_check import check_server
from agents.store.shown_snapshot import shown_snapshot
from agents.store.sync import connect_sync, redis_failures
from agents.store.views import Views
from agents.worker.partition_growth import refuse_moved_indices
from config.market import market_of
from config.settings import RedisSettings, Settings
from streams.stage import OutboxEntry, ReadingView
from tests.integration.test_checkpoint_store import Silent
from tests.support.secured import SecuredRedis, rules_of, secured_redis
from tests.support.tls import certificate

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredRedis]:
    """A secured Redis."""
    issued = certificate(tmp_path_factory.mktemp("tls"))
    with secured_redis(issued, tmp_path_factory.mktemp("redis")) as made:
        yield made


COMMANDS = sorted(rule[1:] for rule in rules_of("dispersion") if rule.startswith("+"))
UNUSED = {"select", "ping"}
"""For a database other than 0, and for people who look."""


async def exercise(settings: RedisSettings, prefix: str) -> None:
    """Everything that a worker and the commands ask of Redis."""
    keys = stage_keys("detector", [f"{prefix}readings"], 0, ["SPY"])
    redis = connect(settings)
    try:
        await check_server(redis)
        await check_clock(redis)
        await refuse_moved_indices(redis, f"{prefix}readings", 2, ["SPY"], seconds=5.0)
        checkpoints = StoreClient(redis, Silent(), lease_seconds=10).checkpoints(
            keys, 1, Deadline()
        )
        await checkpoints.acquire(waiting=keys.inputs)
        await checkpoints.commit(
            [WatermarkStep(keys.inputs[0], -1, 0)],
            {"alert/SPY/9f": b"x", "windows": b""},
            [OutboxEntry("one", b"{}")],
        )
        outbox = await checkpoints.outbox("", 10)
        await checkpoints.outbox(outbox.entries[-1].entry_id, 10)
        await checkpoints.note(starts="")
        await Views(redis, prefix).write(
            {"SPY": b"{}"}, [ReadingView("SPY", "30", 1_783_692_000, b"{}")]
        )
    finally:
        await redis.aclose()
    with connect_sync(settings) as client:
        client.hsetnx(keys.day("SPY"), "2026-07-10", b"")
        client.hget(keys.key("own"), "exp")
        client.hgetall(keys.day("SPY"))
        client.hmget(snapshot(prefix, "SPY"), "value", "published_at")
        client.zrange(readings(prefix, "SPY", "30"), -1, -1)
        client.get(keys.watermark(keys.inputs[0]))


async def failure(settings: RedisSettings, prefix: str) -> Exception | None:
    """What comes of it."""
    try:
        await exercise(settings, prefix)
    except (ActionNeededError, RedisError) as error:
        return error
    return None


async def test_each_command_of_the_list_is_needed_and_named_when_it_is_missing(
    redis: SecuredRedis, topic_prefix: str
) -> None:
    settings = RedisSettings.model_validate({"url": redis.url("dispersion")})
    await exercise(settings, topic_prefix)
    silent = []
    for number, command in enumerate(set(COMMANDS) - UNUSED):
        redis.admit(without=command)
        error = await failure(settings, f"{topic_prefix}{number}.")
        if error is None:
            silent.append(command)
            continue
        verdict = error if isinstance(error, ActionNeededError) else redis_failure(error)
        assert exit_code_of(verdict) == EXIT_ACTION_NEEDED, (command, error)
        assert "config/redis/users.conf" in str(verdict)
        assert f"'{command}'" in str(verdict) or "executing the script" in str(verdict), (
            command,
            error,
        )
    redis.admit()
    assert not silent, "in the list without need"


def test_redis_by_its_socket_and_over_tls_with_a_certificate(redis: SecuredRedis) -> None:
    for url in (f"unix://{redis.socket}?db=3", redis.url("dispersion")):
        settings = RedisSettings.model_validate({"url": url})
        with connect_sync(settings) as client:
            assert client.ping()


async def test_a_worker_s_client_by_both_of_them(redis: SecuredRedis) -> None:
    for url in (f"unix://{redis.socket}?db=3", redis.url("dispersion")):
        client = connect(RedisSettings.model_validate({"url": url}))
        assert await client.ping()
        await client.aclose()


VIEWED = sorted(rule[1:] for rule in rules_of("viewer") if rule.startswith("+"))
ALWAYS = {"auth", "hello", "quit", "reset"}
"""What a server lets everybody do."""
SUBCOMMANDS = ("acl whoami", "client list", "config get x", "function list", "script flush")


async def look(settings: RedisSettings, prefix: str) -> None:
    """Everything that exporter and commands ask of Redis.

    It is asked by the functions that ask it where they are cheap.
    """
    async with connect(settings) as redis:
        await check_server(redis)
    topic = f"{prefix}readings"
    keys = stage_keys("detector", [topic], 0, ["SPY"])
    with redis_failures(settings), connect_sync(settings) as client:
        client.ping()
        client.time()
        client.get(keys.watermark(topic))
        client.hgetall(keys.day("SPY"))
        shown_snapshot(client, prefix, "SPY")
        list(refused_partitions(client, {"detector": [topic]}, {topic: 1}))
        FinalWatermark(client, prefix, market_of(Settings()).indices)()


async def test_each_command_of_who_may_read_is_needed_and_named(
    redis: SecuredRedis, topic_prefix: str
) -> None:
    settings = RedisSettings.model_validate({"url": redis.url("viewer")})
    for command in set(VIEWED) - {"select"}:
        redis.admit(without=command)
        with pytest.raises(ActionNeededError, match=rf"'{command}'.*config/redis/users\.conf"):
            await look(settings, topic_prefix)
    redis.admit()


async def test_nothing_that_we_do_is_refused(redis: SecuredRedis, topic_prefix: str) -> None:
    with redis.admin() as admin:
        admin.config_resetstat()
        admin.acl_log_reset()
        await exercise(RedisSettings.model_validate({"url": redis.url("dispersion")}), topic_prefix)
        await look(
            RedisSettings.model_validate({"url": redis.url("viewer")}), f"{topic_prefix}other."
        )
        assert admin.acl_log() == []
        assert "errorstat_NOPERM" not in admin.info("errorstats")
        told = [name for name in admin.info("commandstats") if "setinfo" in name.lower()]
        assert not told


@pytest.mark.parametrize(("user", "listed"), [("dispersion", COMMANDS), ("viewer", VIEWED)])
def test_anything_beyond_the_list_is_denied(
    redis: SecuredRedis, user: str, listed: list[str]
) -> None:
    with redis.admin() as admin:
        known = admin.command()
        for name, command in known.items():
            arguments = ["dispersion:v1:x"] * (abs(command["arity"]) - 1)
            if name not in ALWAYS | set(listed):
                assert not may(admin, user, name, *arguments), name
        for words in SUBCOMMANDS:
            assert not may(admin, user, *words.split()), words
        assert may(admin, user, "get", "dispersion:v1:x")
        assert not may(admin, user, "get", "other:x")
        assert may(admin, user, "hset", "dispersion:v1:x", "a", "b") == (user == "dispersion")


def may(admin: Any, user: str, *words: str) -> bool:
    """Whether the server lets a user run a command.

    One that needs another word is asked for among the subcommands.
    """
    try:
        answer = admin.execute_command("ACL", "DRYRUN", user, *words)
    except ResponseError:
        return False
    return bool(answer in {b"OK", "OK", True})
