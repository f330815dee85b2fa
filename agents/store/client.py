"""The Redis client: no hidden retries, our own patient ones."""

import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from agents.kafka.credentials import redis_options
from agents.process.release_deadline import Deadline
from agents.store.breaker import Breaker
from config.settings import RedisSettings

PAUSE = 0.1
"""Seconds between attempts while the circuit is closed."""
OUTAGE = (
    RedisConnectionError,
    RedisTimeoutError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
)
"""Errors that waiting may heal."""
REFUSALS = (
    "OOM command not allowed",
    "MISCONF ",
    "READONLY You can't write",
    "NOREPLICAS ",
    "MASTERDOWN ",
    "CLUSTERDOWN ",
    "TRYAGAIN ",
    "BUSY Redis is busy",
    "LOADING Redis is loading",
)
"""Refusals that waiting may heal, by their words.

redis-py has no class for a full disk, and Redis 6 wraps what a script meets.
"""
DENIED = (AuthenticationError, AuthorizationError, NoPermissionError)

log = logging.getLogger(__name__)


class RedisObserver(Protocol):
    """Who measures the operations."""

    def redis_operation(self, operation: str, seconds: float) -> None:
        """One operation was answered."""

    def redis_error(self, operation: str, reason: str) -> None:
        """One operation failed."""

    def redis_in_use(self, change: int) -> None:
        """A connection was taken (+1) or given back (-1)."""


def connect(settings: RedisSettings) -> Redis:
    """A client that answers bytes and never retries by itself.

    redis-py would repeat a write whose answer was lost.
    """
    url = settings.url.get_secret_value()
    # A unix socket has no such option.
    lasting = {} if url.lower().startswith("unix:") else {"socket_keepalive": True}
    return Redis.from_url(
        url,
        **redis_options(settings),
        **lasting,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=settings.operation_timeout,
        socket_connect_timeout=settings.operation_timeout,
    )


class RedisCaller:
    """Runs operations against Redis until they are answered, or the deadline is over."""

    def __init__(self, observer: RedisObserver, breaker: Breaker | None = None) -> None:
        self.breaker = breaker or Breaker()
        self._observer = observer

    async def until_answered(
        self, operation: str, call: Callable[[], Awaitable[Any]], deadline: Deadline
    ) -> Any:
        """Repeat `call` through an outage. It must be harmless to repeat.

        Raises `DeadlineExceededError`, `RedisError` on a real error.
        """
        while True:
            await self.breaker.ready(deadline)
            try:
                return await deadline.within(self.once(operation, call))
            except RedisError as error:
                if not may_heal(error):
                    raise
                log.warning("Redis %s failed, trying again: %s", operation, type(error).__name__)
                await deadline.sleep(PAUSE)

    async def once(self, operation: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """One measured attempt."""
        started, answered = perf_counter(), False
        self._observer.redis_in_use(+1)
        try:
            answer = await call()
            answered = True
        except RedisError as error:
            # Redis is there and says no for good.
            answered = isinstance(error, ResponseError) and not may_heal(error)
            self._observer.redis_error(operation, error_reason(error))
            raise
        finally:
            self._observer.redis_in_use(-1)
            self._observer.redis_operation(operation, perf_counter() - started)
            if answered:
                self.breaker.success()
            else:
                self.breaker.failure()
        return answer


def may_heal(error: RedisError) -> bool:
    """Whether waiting may heal an error: Redis is away, or has no room in memory or on its disk.

    >>> full = ResponseError("MISCONF Errors writing to the AOF file: No space left on device")
    >>> may_heal(full), may_heal(ResponseError("ERR syntax"))
    (True, False)
    """
    if isinstance(error, DENIED):
        return False
    return isinstance(error, OUTAGE) or (
        isinstance(error, ResponseError) and any(words in str(error) for words in REFUSALS)
    )


def error_reason(error: RedisError) -> str:
    """A failure as a label: timeout, connection, or refused.

    It is refused when Redis answered with an error (memory, permission, read-only).
    """
    if isinstance(error, ResponseError):
        return "refused"
    return "timeout" if isinstance(error, RedisTimeoutError) else "connection"
