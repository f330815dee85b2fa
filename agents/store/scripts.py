"""The Lua scripts in `agents/store/lua`, run by their hash."""

from functools import cache
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

HERE = Path(__file__).parent / "lua"
NAMES = ("acquire", "commit", "feed", "note", "outbox", "takeover")


@cache
def source(name: str) -> str:
    """Text of a script."""
    return (HERE / f"{name}.lua").read_text()


class Scripts:
    """The scripts on one client.

    Each falls back from its hash to its text when the server does not know it.
    """

    def __init__(self, redis: Redis) -> None:
        self._scripts = {name: redis.register_script(source(name)) for name in NAMES}

    async def run(self, name: str, keys: list[str], arguments: list[Any]) -> Any:
        """The answer of a script."""
        return await self._scripts[name](keys=keys, args=arguments)
