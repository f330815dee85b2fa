"""The plain Redis client of commands and the exporter.

It reads only, fails fast, and says so in words.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    MovedError,
    NoPermissionError,
    RedisError,
)
from redis.retry import Retry

from agents.kafka.credentials import redis_options
from agents.process.call_timeout import CALL_SECONDS
from agents.process.exits import ActionNeededError, UnavailableError
from config.redis_connection import redis_place
from config.settings import RedisSettings


def connect_sync(settings: RedisSettings, seconds: float = CALL_SECONDS) -> Redis:
    """A client that answers bytes, does not retry by itself and waits at most so many seconds."""
    return Redis.from_url(
        settings.url.get_secret_value(),
        **redis_options(settings),
        retry=Retry(NoBackoff(), 0),
        socket_timeout=min(settings.operation_timeout, seconds),
        socket_connect_timeout=min(settings.operation_timeout, seconds),
    )


ONE_SERVER = "the monitor keeps its state on one server; name one that is not part of a cluster"


@contextmanager
def redis_failures(settings: RedisSettings) -> Iterator[None]:
    """Turn Redis' errors into our own.

    `ActionNeededError`: it says no. `UnavailableError`: it says nothing.
    """
    try:
        yield
    except NoPermissionError as error:
        place = redis_place(settings)
        raise ActionNeededError(
            f"Redis at {place} refuses a command: {error}; "
            "give its user the permission (config/redis/users.conf)"
        ) from error
    except AuthenticationError as error:
        raise ActionNeededError(
            f"Redis at {redis_place(settings)} refuses us: {error}; "
            "check user and password in redis.url"
        ) from error
    except (MovedError, ClusterDownError) as error:
        raise ActionNeededError(
            f"Redis at {redis_place(settings)} is part of a cluster: {ONE_SERVER}"
        ) from error
    except RedisError as error:
        raise UnavailableError(
            f"Redis at {redis_place(settings)} does not answer: {type(error).__name__}; "
            "start it or correct redis.url"
        ) from error
