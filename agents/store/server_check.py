"""Whether a Redis server may hold the truth: asked before a worker takes part in anything."""

import logging
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError

from agents.process.exits import ActionNeededError
from agents.store.retry import ask
from agents.store.sync import ONE_SERVER

MINIMUM_VERSION = (6, 2)
NOT_ONE = {
    "cluster": ONE_SERVER,
    "sentinel": (
        "name the master itself, or an address that follows it "
        "(a virtual IP, a TCP proxy with a role check)"
    ),
}
"""Modes in which a server is not the one that the state is on, and what to do."""
ANSWER_SECONDS = 5.0
"""How long a command asks."""

log = logging.getLogger(__name__)


async def check_server(
    redis: Redis, *, needed_bytes: int = 0, seconds: float = ANSWER_SECONDS
) -> None:
    """Refuse a Redis that may forget, warn about one that may lose seconds.

    Raises `ActionNeededError`, or `UnavailableError` after so many seconds.
    """
    info = await ask(lambda: _loaded(redis), seconds)
    if (mode := info.get("redis_mode", "standalone")) in NOT_ONE:
        raise ActionNeededError(f"redis.url leads to a Redis in {mode} mode: {NOT_ONE[mode]}")
    version = tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])
    if version < MINIMUM_VERSION:
        raise ActionNeededError(
            f"Redis {info['redis_version']} is too old: 6.2 or later is needed (XTRIM MINID)"
        )
    policy, limit = info.get("maxmemory_policy"), int(info.get("maxmemory", 0))
    if policy is not None and policy != "noeviction":
        raise ActionNeededError(
            f"Redis may evict keys (maxmemory-policy is {policy}), "
            "and an evicted watermark means input applied twice: "
            "run `CONFIG SET maxmemory-policy noeviction` and keep it in redis.conf"
        )
    if 0 < limit < needed_bytes:
        raise ActionNeededError(
            f"Redis maxmemory is {limit} bytes, about {needed_bytes} are needed: "
            "raise it (CONFIG SET maxmemory) or monitor fewer indices"
        )
    if not int(info.get("aof_enabled", 0)):
        log.warning(
            "Redis runs without AOF: a crash of its host loses state; "
            "run `CONFIG SET appendonly yes`"
        )


async def check_room(redis: Redis) -> None:
    """Refuse a Redis that takes no further write, by its own reckoning.

    Raises `ActionNeededError`, or `UnavailableError` after `ANSWER_SECONDS`.
    """
    memory = await ask(lambda: redis.info("memory"), ANSWER_SECONDS)
    limit = int(memory.get("maxmemory", 0))
    used = int(memory["used_memory"]) - int(memory.get("mem_not_counted_for_evict", 0))
    if 0 < limit < used:
        raise ActionNeededError(
            f"Redis has no room for a write: {used} of {limit} bytes are used; "
            "raise its maxmemory (CONFIG SET maxmemory)"
        )


async def _loaded(redis: Redis) -> Any:
    """INFO is answered while the data set is loaded, and hardly anything else is."""
    info = await redis.info()
    if int(info.get("loading", 0)):
        raise BusyLoadingError(
            f"{info.get('loading_loaded_perc', '0')} % of its data set is loaded"
        )
    return info
