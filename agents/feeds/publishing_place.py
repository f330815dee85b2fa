"""That one feed alone publishes: two would contradict each other, quote by quote."""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Final

from redis.exceptions import RedisError

from agents.process.exits import ActionNeededError
from agents.store.feed_place import HELD_SECONDS, FeedAccount, FeedPlace
from config.settings import Settings

TOLD_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 1.0

log = logging.getLogger(__name__)


class PublishingPlace:
    """The feed's claim, kept in Redis, where `status` reads what the feed tells.

    Without Redis the feed publishes all the same: its quotes need none.
    """

    def __init__(self, settings: Settings, account: Callable[[], FeedAccount]) -> None:
        """`account` makes what is told."""
        self._place = FeedPlace(settings)
        self._account = account
        self._known = True

    async def take(self) -> None:
        """Wait until a feed that has ended has left; raises `ActionNeededError` where one lives."""
        first: FeedAccount | None = None
        deadline = monotonic() + HELD_SECONDS + TOLD_SECONDS
        while (other := await self._hold()) is not None:
            first = first or other
            if other.at != first.at or monotonic() > deadline:
                raise ActionNeededError(
                    f"the feed {other.who} publishes to these topics already, and two contradict "
                    "each other: stop it first, or choose another kafka.topic_prefix"
                )
            await asyncio.sleep(LOOK_SECONDS)

    async def keep(self) -> None:
        """Tell again and again; raises `ActionNeededError` once another feed has the place."""
        while True:
            await asyncio.sleep(TOLD_SECONDS)
            if (other := await self._hold()) is not None:
                raise ActionNeededError(
                    f"the feed {other.who} has taken over while this one was silent: stop one"
                )

    async def leave(self) -> None:
        """Give it up."""
        try:
            await self._place.leave()
        except (RedisError, OSError):
            log.debug("the place was not given up: it falls free by itself")
        finally:
            await self._place.close()

    async def _hold(self) -> FeedAccount | None:
        try:
            other = await self._place.hold(self._account())
        except (RedisError, OSError) as error:
            if self._known:
                log.warning(
                    "Redis does not tell whether another feed publishes (%s); `status` shows "
                    "nothing of this one until it answers",
                    type(error).__name__,
                )
            self._known = False
            return None
        self._known = True
        return other
