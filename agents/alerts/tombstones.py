"""Tombstones of the compacted alert states.

A resolved alert is forgotten a day after it was resolved.
The topic itself is the memory: what it holds is read back at start.
"""

KEEP_SECONDS = 24 * 3600


class Tombstones:
    """Resolved alerts of one partition by key, and when their last event was published.

    The time is wall clock, seconds.
    """

    def __init__(self) -> None:
        self._resolved: dict[bytes, float] = {}

    def published(self, key: bytes, status: str | None, when: float) -> None:
        """The latest event of an alert has this status; None: it is forgotten."""
        self._resolved.pop(key, None)
        if status == "resolved":
            self._resolved[key] = when

    def due(self, now: float) -> list[bytes]:
        """Keys whose time is over; they are forgotten."""
        over = [key for key, when in self._resolved.items() if now - when >= KEEP_SECONDS]
        for key in over:
            del self._resolved[key]
        return over
