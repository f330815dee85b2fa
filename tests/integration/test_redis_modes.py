"""A server of a cluster and a sentinel are no place for the state.

They are refused at once, with what to do.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError

from agents.process.exits import ActionNeededError
from agents.process.ports import free_ports
from agents.store.client import connect
from agents.store.server_check import check_room, check_server
from agents.store.sync import connect_sync, redis_failures
from config.settings import RedisSettings
from tests.support.fleet import wait_until
from tests.support.need import program
from tests.support.redis import system_redis

pytestmark = pytest.mark.stack


def settings(port: int) -> RedisSettings:
    """Of a server on this machine."""
    return RedisSettings.model_validate({"url": f"redis://127.0.0.1:{port}/0"})


@pytest.fixture
def cluster() -> Iterator[list[int]]:
    """Ports of three masters that share the slots."""
    client = program("redis-cli")
    nodes = [system_redis("--cluster-enabled", "yes") for _ in range(3)]
    try:
        for node in nodes:
            node.start()
        ports = [node.port for node in nodes]
        addresses = [f"127.0.0.1:{port}" for port in ports]
        subprocess.run(
            [client, "--cluster", "create", *addresses, "--cluster-yes"],
            check=True,
            capture_output=True,
            timeout=60,
        )
        wait_until(
            lambda: all(_joined(port) for port in ports), 30, "a cluster whose nodes all know it"
        )
        yield ports
    finally:
        for node in nodes:
            node.close()


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[int]:
    """Port of a sentinel."""
    (port,) = free_ports(1)
    file = tmp_path / "sentinel.conf"
    file.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor main 127.0.0.1 1 1\n"
    )
    process = subprocess.Popen(
        [program("redis-server"), file, "--sentinel"], stdout=subprocess.DEVNULL
    )
    try:
        with Redis(port=port) as client:
            wait_until(lambda: _answers(client), 20, "a sentinel")
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisConnectionError:
        return False


def _joined(port: int) -> bool:
    with Redis(port=port) as client:
        return bool(client.cluster("info")["cluster_state"] == "ok")


async def refused(port: int) -> str:
    """What a start says."""
    client = connect(settings(port))
    try:
        with pytest.raises(ActionNeededError) as raised:
            await check_server(client)
        return str(raised.value)
    finally:
        await client.aclose()


async def test_a_server_of_a_cluster(cluster: list[int]) -> None:
    for port in cluster:
        assert "cluster mode" in await refused(port)
    moved = 0
    for port in cluster:
        try:
            with redis_failures(settings(port)), connect_sync(settings(port)) as client:
                client.get("dispersion:v1:x")
        except ActionNeededError as refusal:
            moved += "part of a cluster" in str(refusal)
    assert moved == 2, "the third has the key's slot"


async def test_a_sentinel(sentinel: int) -> None:
    assert "name the master itself" in await refused(sentinel)


async def test_a_redis_without_room_is_refused_with_what_to_do() -> None:
    node = system_redis()
    node.start()
    try:
        async with connect(settings(node.port)) as client:
            await check_room(client)
            await client.config_set("maxmemory", "100mb")
            await check_room(client)
            await client.config_set("maxmemory", "1")
            with pytest.raises(OutOfMemoryError):
                await client.set("x", "y")
            with pytest.raises(ActionNeededError, match=r"no room .* raise its maxmemory"):
                await check_room(client)
    finally:
        node.close()
