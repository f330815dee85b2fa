"""A memory by identity.

What was made of an object is found again by the very object, without looking at what it holds.

Decoding hands out the same vocabulary, and for frames it remembers the same contract columns, as
often as a producer repeats them.
"""

from typing import Generic, TypeVar

Key = TypeVar("Key")
Made = TypeVar("Made")


class IdentityCache(Generic[Key, Made]):
    """At most `limit` values; a full memory starts anew."""

    def __init__(self, limit: int = 128) -> None:
        self._limit = limit
        self._made: dict[int, tuple[Key, Made]] = {}

    def get(self, key: Key) -> Made | None:
        """What was put for this object; None for any other, equal or not."""
        known = self._made.get(id(key))
        return known[1] if known is not None and known[0] is key else None

    def put(self, key: Key, made: Made) -> Made:
        """Remember; the object is kept alive, so that nothing else can take its identity."""
        if len(self._made) >= self._limit:
            self._made.clear()
        self._made[id(key)] = key, made
        return made

    def clear(self) -> None:
        """Forget everything."""
        self._made.clear()
