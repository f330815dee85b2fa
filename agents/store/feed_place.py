"""The place of the one feed that publishes to a monitor's topics, and what it tells of itself."""

from typing import Any, Final
from uuid import uuid4

import msgspec

from agents.store.client import connect
from agents.store.keys import feed_place
from agents.store.scripts import Scripts
from config.settings import Settings

HELD_SECONDS: Final = 15
"""A feed that has told nothing for so long has left its place."""


class FeedAccount(msgspec.Struct, frozen=True):
    """What a feed tells."""

    feed: str = ""
    host: str = ""
    pid: int = 0
    at: float = 0.0
    """Unix seconds of its wall clock."""
    in_session: bool = False
    names: dict[str, int] = {}
    """Underlyings that are fresh, stale, missing."""
    troubles: dict[str, str] = {}
    """By kind, what is wrong at present, in words."""
    left_out: dict[str, int] = {}
    """Rows and documents by reason since its start."""
    examples: dict[str, str] = {}
    """By reason, the latest of them."""

    @property
    def who(self) -> str:
        """The feed and where it runs."""
        return f"{self.feed} on {self.host} (pid {self.pid})"


class FeedPlace:
    """The place as one process sees it; used within one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._redis = connect(settings.redis)
        self._scripts = Scripts(self._redis)
        self._key = feed_place(settings.kafka.topic_prefix)
        self._token = uuid4().hex

    async def hold(self, account: FeedAccount) -> FeedAccount | None:
        """Take the place or stay in it; what the feed has told that holds it, if another does.

        Raises what redis-py raises.
        """
        answer = await self._run(msgspec.json.encode(account))
        return None if answer is None else read_account(answer)

    async def leave(self) -> None:
        """Give the place up, if it is ours. Raises what redis-py raises."""
        await self._run(b"")

    async def close(self) -> None:
        """Disconnect."""
        await self._redis.aclose()

    async def _run(self, value: bytes) -> Any:
        return await self._scripts.run("feed", [self._key], [self._token, HELD_SECONDS, value])


def read_account(value: bytes) -> FeedAccount:
    """What a feed has told; an empty account where another version wrote it."""
    try:
        return msgspec.json.decode(value, type=FeedAccount)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return FeedAccount()
