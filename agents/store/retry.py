"""Calls to Redis outside the flow, at the start and the end.

They are repeated through an outage until a deadline, and then Redis is *down*.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from redis.exceptions import InvalidResponse, NoPermissionError, RedisError

from agents.process.await_within import await_within
from agents.process.exits import ActionNeededError, UnavailableError
from agents.store.client import DENIED, PAUSE, may_heal

FOREIGN = ("WRONGTYPE", "unknown command", "NOPERM", "ACL failure", "can't run this command")
"""Refusals that a person must end, by their words.

They are a key of another program, a server that lacks a command, a permission.
"""

log = logging.getLogger(__name__)


async def ask(question: Callable[[], Awaitable[Any]], seconds: float) -> Any:
    """Repeat a harmless call until Redis answers.

    Raises `UnavailableError` at the deadline, `ActionNeededError`, or `RedisError` on a bug of
    ours.
    """
    deadline, told = monotonic() + seconds, False
    while True:
        try:
            return await await_within(max(PAUSE, deadline - monotonic()), question())
        except (RedisError, OSError, TimeoutError) as error:
            verdict = redis_failure(error)
            if not isinstance(verdict, UnavailableError):
                raise verdict from error
            if monotonic() + PAUSE >= deadline:
                raise UnavailableError(f"{verdict} (asked for {seconds:g} s)") from error
            if not told:
                log.warning("%s; asking for %.0f s", verdict, seconds)
            told = True
        await asyncio.sleep(PAUSE)


def redis_failure(error: BaseException) -> BaseException:
    """What an error of a call to Redis means: `UnavailableError`, `ActionNeededError` or itself.

    The error itself is then a bug of ours.
    """
    words = str(error)
    if isinstance(error, NoPermissionError):
        return ActionNeededError(
            f"Redis refuses a command: {words}; "
            "give its user the permission (config/redis/users.conf lists them all)"
        )
    if isinstance(error, DENIED):
        return ActionNeededError(f"Redis refuses us: {words}; check user and password in redis.url")
    if isinstance(error, InvalidResponse):
        return ActionNeededError(
            f"what listens at redis.url is no Redis ({words}); correct redis.url"
        )
    if isinstance(error, OSError | TimeoutError) or (
        isinstance(error, RedisError) and may_heal(error)
    ):
        return UnavailableError(
            f"Redis does not answer: {type(error).__name__}{_said(words)}; "
            "start it or correct redis.url"
        )
    if any(refusal in words for refusal in FOREIGN):
        return ActionNeededError(
            f"Redis refuses a command: {words}; "
            "give its user all that config/redis/users.conf lists, "
            "or the monitor a database of its own"
        )
    return error


def _said(words: str) -> str:
    """An error's words, where it has any that are not about the address.

    The address may hold a password.
    """
    return f" ({words})" if words and "@" not in words and "://" not in words else ""
