"""Tombstones of the compacted alert states: a resolved alert is forgotten a day after it was resolved.

The topic itself is the memory: what it holds is read back at start.
"""

import msgspec

KEEP_SECONDS = 24 * 3600


class _Data(msgspec.Struct):
    status: str = ""


class _Event(msgspec.Struct):
    data: _Data


_decode = msgspec.json.Decoder(_Event).decode


class Tombstones:
    """Resolved alerts of one partition by key, and when their last event was published (wall clock, seconds)."""

    def __init__(self) -> None:
        self._resolved: dict[bytes, float] = {}

    def published(self, key: bytes | None, value: bytes | None, when: float) -> None:
        """Take note of one record of the topic."""
        if key is None:
            return
        self._resolved.pop(key, None)
        if value is not None and _status(value) == "resolved":
            self._resolved[key] = when

    def due(self, now: float) -> list[bytes]:
        """Keys whose time is over; they are forgotten."""
        over = [key for key, when in self._resolved.items() if now - when >= KEEP_SECONDS]
        for key in over:
            del self._resolved[key]
        return over


def _status(value: bytes) -> str:
    try:
        return _decode(value).data.status
    except msgspec.MsgspecError:  # not an event of ours: leave it where it is
        return ""
