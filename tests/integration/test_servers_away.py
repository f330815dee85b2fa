"""Kafka or Redis is away, loads its data set, or goes away.

It is so before the flow, between checks and takeover, and at the farewell.
"""

import asyncio
import re
import resource
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis as plain
from pydantic import SecretStr
from redis.exceptions import BusyLoadingError, NoPermissionError

from agents.process.exits import (
    EXIT_ACTION_NEEDED,
    EXIT_INTERNAL,
    EXIT_OK,
    EXIT_UNAVAILABLE,
    ActionNeededError,
    UnavailableError,
    exit_code_of,
)
from agents.store.client import connect
from agents.store.retry import ask, redis_failure
from agents.store.server_check import check_server
from agents.worker.process import exit_code_of_crash
from config.settings import RedisSettings
from tests.support.counting import record_value
from tests.support.fleet import Fleet, judge_once, wait_until
from tests.support.redis import system_redis
from tests.support.redis_proxy import LOADING, RedisProxy
from tests.support.stack import EmbeddedTestStack, Stack, create_flow_topics, settings_for

OUTAGES = (
    LOADING,
    b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
    b"-READONLY You can't write against a read only replica.\r\n",
    b"-CLUSTERDOWN Hash slot not served\r\n",
    b"-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
    b"-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n",
    b"-NOREPLICAS Not enough good replicas to write.\r\n",
    (
        b"-MISCONF Redis is configured to save RDB snapshots, "
        b"but it's currently unable to persist to disk.\r\n"
    ),
    b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    b"-ERR max number of clients reached\r\n",
)
START = 150.0
FILES = 150
"""That a worker may have beside what it works with."""
pytestmark = pytest.mark.timeout(290)


@pytest.fixture
def proxy(embedded_stack: EmbeddedTestStack) -> Iterator[RedisProxy]:
    with RedisProxy(embedded_stack.redis.port) as proxy:
        yield proxy


@pytest.mark.embedded
@pytest.mark.parametrize("refusal", OUTAGES, ids=lambda refusal: refusal.split()[0][1:].decode())
async def test_what_waiting_may_heal_is_waited_for_and_then_down(
    proxy: RedisProxy, refusal: bytes
) -> None:
    client = connect(RedisSettings(url=SecretStr(proxy.url), operation_timeout=1.0))
    proxy.refusal = refusal
    with pytest.raises(UnavailableError, match=r"asked for 0\.3 s"):
        await ask(client.time, 0.3)
    asyncio.get_running_loop().call_later(0.5, proxy.release)
    assert await ask(client.time, 30.0)
    await check_server(client, seconds=30.0)
    await client.aclose()


@pytest.mark.embedded
async def test_silence_hanging_up_and_nobody_there_are_down_too(proxy: RedisProxy) -> None:
    proxy.silent = True
    client = connect(RedisSettings(url=SecretStr(proxy.url), operation_timeout=60.0))
    with pytest.raises(UnavailableError, match="TimeoutError"):
        await ask(client.time, 0.3)
    await client.aclose()
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"redis://:hush@127.0.0.1:{nobody.getsockname()[1]}/0"
    client = connect(RedisSettings(url=SecretStr(url)))
    with pytest.raises(UnavailableError) as caught:
        await ask(client.time, 0.3)
    assert "hush" not in str(caught.value)
    await client.aclose()


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            b"-NOPERM this user has no permissions to run the 'time' command\r\n",
            "give its user the permission",
        ),
        (
            b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
            "user and password",
        ),
        (
            b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            "a database of its own",
        ),
        (
            b"-ERR unknown command 'TIME', with args beginning with: \r\n",
            "config/redis/users.conf lists",
        ),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is no Redis"),
    ],
)
async def test_what_a_person_must_mend_is_refused_at_once(
    proxy: RedisProxy, refusal: bytes, words: str
) -> None:
    client = connect(RedisSettings(url=SecretStr(proxy.url)))
    proxy.refusal = refusal
    with pytest.raises(ActionNeededError, match=words):
        await ask(client.time, 60.0)
    await client.aclose()


def test_only_what_nobody_else_can_mend_is_a_bug() -> None:
    from aiokafka.errors import CommitFailedError, KafkaConnectionError, KafkaError

    ours = plain.ResponseError("ERR user_script:3: Script attempted to access a non local key")
    assert redis_failure(ours) is ours
    assert exit_code_of(redis_failure(ours)) == EXIT_INTERNAL
    wrapped = KafkaError("Unexpected error during coordination")
    wrapped.__cause__ = KafkaConnectionError()
    assert [
        exit_code_of_crash(error) for error in (wrapped, BusyLoadingError(), NoPermissionError())
    ] == [
        EXIT_UNAVAILABLE,
        EXIT_UNAVAILABLE,
        EXIT_ACTION_NEEDED,
    ]
    bug = ZeroDivisionError()
    bug.__context__ = KafkaConnectionError()
    assert [exit_code_of_crash(error) for error in (bug, CommitFailedError(), None)] == [
        EXIT_INTERNAL
    ] * 3


def fleet_on(stack: Stack, prefix: str, directory: Path, redis_url: str, **worker: Any) -> Fleet:
    settings = settings_for(
        stack,
        prefix,
        kafka={"partitions": {"quotes": 1, "ticks": 1, "results": 2}},
        redis={
            "url": redis_url,
            "checkpoint_seconds": 0.5,
            "lease_seconds": 2,
            "operation_timeout": 1.0,
        },
        worker=worker,
    )
    create_flow_topics(stack, settings)
    return Fleet(settings, stack.redis.url, directory)


def drained(fleet: Fleet, worker: Any, count: int) -> None:
    wait_until(
        lambda: fleet.watermarks("quotes") == {0: count - 1}, START, f"applied: {fleet.log(worker)}"
    )


@pytest.mark.embedded
@pytest.mark.chaos
def test_a_redis_that_is_away_at_the_start_before_the_takeover_and_at_the_farewell(
    embedded_stack: EmbeddedTestStack, proxy: RedisProxy, topic_prefix: str, tmp_path: Path
) -> None:
    with fleet_on(embedded_stack, topic_prefix, tmp_path, proxy.url) as fleet:
        fleet.put("quotes", [record_value(n) for n in range(100)])
        proxy.refusal = LOADING
        short, asking = fleet.start(DISPERSION_WORKER__START_SECONDS="1"), fleet.start()
        assert short.wait(START) == EXIT_UNAVAILABLE, fleet.log(short)
        assert "down: Redis does not answer: BusyLoadingError" in fleet.log(short)
        wait_until(lambda: "asking for 60 s" in fleet.log(asking), START, "it asks")
        assert fleet.stop(asking) == EXIT_OK, "who is told to stop while asking stops"

        proxy.release()
        proxy.refuse_after(b"EXISTS", LOADING)
        worker = fleet.start()
        wait_until(
            lambda: "Redis acquire failed, trying again" in fleet.log(worker),
            START,
            "gone between check and takeover",
        )
        assert worker.poll() is None, fleet.log(worker)
        proxy.release()
        drained(fleet, worker, 100)

        proxy.refusal = LOADING
        fleet.put("quotes", [record_value(n) for n in range(100, 200)])
        told = fleet.log(worker).count("failed, trying again")
        wait_until(
            lambda: fleet.log(worker).count("failed, trying again") > told, START, "it would commit"
        )
        assert fleet.stop(worker) == EXIT_UNAVAILABLE, fleet.log(worker)
        proxy.release()
        proxy.refuse_first(LOADING, 2)
        worker = fleet.start()
        drained(fleet, worker, 200)
        assert {b"INFO", b"TIME", b"EXISTS", b"EVALSHA"} <= {*proxy.refused}
        assert fleet.stop(worker) == EXIT_OK, fleet.log(worker)
        judge_once(fleet, "quotes", 200)


@pytest.mark.stack
@pytest.mark.embedded
@pytest.mark.chaos
def test_a_worker_waits_for_a_redis_that_loads_its_data_set(
    embedded_stack: EmbeddedTestStack, topic_prefix: str, tmp_path: Path
) -> None:
    """The server's own loading of many keys, slowed down by its switch for that."""
    redis = system_redis(
        "--enable-debug-command", "local", "--loading-process-events-interval-bytes", "1024"
    )
    redis.start()
    try:
        client = plain.Redis.from_url(redis.url, socket_timeout=120)
        client.mset({f"other:{number}": bytes(200) for number in range(8_000)})
        client.config_set(
            "key-load-delay", 20_000
        )  # microseconds a key: minutes, unless the test ends them
        with fleet_on(embedded_stack, topic_prefix, tmp_path, redis.url) as fleet:
            fleet.redis_url = redis.url
            fleet.put("quotes", [record_value(n) for n in range(100)])
            patient: Any = plain.Redis.from_url(redis.url, socket_timeout=240)
            reload = threading.Thread(target=patient.execute_command, args=("DEBUG RELOAD",))
            reload.start()
            wait_until(lambda: bool(client.info("persistence")["loading"]), 30, "Redis loads")
            worker = fleet.start()
            wait_until(lambda: "asking for 60 s" in fleet.log(worker), START, "it asks")
            (port,) = re.findall(
                r"metrics and health on http://127\.0\.0\.1:(\d+)", fleet.log(worker)
            )
            time.sleep(2)
            assert _code(int(port), "/livez") == 200, "a restart would not help"
            assert _code(int(port), "/readyz") == 503
            client.config_set("key-load-delay", 0)
            reload.join(120)
            drained(fleet, worker, 100)
            assert fleet.stop(worker) == EXIT_OK, fleet.log(worker)
            patient.close()
            client.close()
    finally:
        redis.close()


def _code(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.mark.chaos
@pytest.mark.parametrize(
    "stack",
    [
        pytest.param("embedded", marks=pytest.mark.embedded),
        pytest.param("real", marks=pytest.mark.stack),
    ],
    indirect=True,
)
def test_a_worker_waits_for_a_kafka_that_is_away_when_it_starts(
    stack: Stack, topic_prefix: str, tmp_path: Path
) -> None:
    with fleet_on(stack, topic_prefix, tmp_path, stack.redis.url) as fleet:
        fleet.put("quotes", [record_value(n) for n in range(100)])
        stack.kafka_down()
        try:
            short = fleet.start(DISPERSION_WORKER__START_SECONDS="1")
            worker = fleet.start()
            assert short.wait(START) == EXIT_UNAVAILABLE, fleet.log(short)
            wait_until(lambda: "asking again" in fleet.log(worker), START, "it asks")
        finally:
            stack.kafka_up()
        drained(fleet, worker, 100)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == EXIT_OK, fleet.log(worker)


@pytest.mark.embedded
@pytest.mark.chaos
def test_idle_scrapers_do_not_keep_a_worker_from_redis(
    embedded_stack: EmbeddedTestStack, topic_prefix: str, tmp_path: Path
) -> None:
    """More connections to `/metrics` than the worker may have files.

    They are held while Redis is started anew.
    """
    with (
        fleet_on(embedded_stack, topic_prefix, tmp_path, embedded_stack.redis.url) as fleet,
        ExitStack() as held,
    ):
        worker = fleet.start()
        fleet.put("quotes", [record_value(n) for n in range(100)])
        drained(fleet, worker, 100)
        (port,) = re.findall(r"metrics and health on http://127\.0\.0\.1:(\d+)", fleet.log(worker))
        files = Path(f"/proc/{worker.pid}/fd")
        limit = len(list(files.iterdir())) + FILES
        resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (limit, limit))
        for _ in range(2 * FILES):
            held.enter_context(socket.create_connection(("127.0.0.1", int(port)), 60))
        embedded_stack.redis.stop()
        embedded_stack.redis.start()
        fleet.put("quotes", [record_value(n) for n in range(100, 200)])
        drained(fleet, worker, 200)
        assert [_code(int(port), path) for path in ("/livez", "/metrics")] == [200, 200]
        wait_until(lambda: _code(int(port), "/readyz") == 200, START, "ready again")
        assert len(list(files.iterdir())) < limit
        assert fleet.stop(worker) == EXIT_OK, fleet.log(worker)
