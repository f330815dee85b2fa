"""Records on a topic of ours that are not ours.

They are passed over, counted, and named once a minute with an example.
"""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Final, NamedTuple

from streams.safe_text import safe

SAID_EVERY: Final = 60.0
"""Seconds between lines on one topic and reason."""

log = logging.getLogger(__name__)


class RecordAddress(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


class ForeignRecords:
    """What one process has passed over."""

    def __init__(
        self,
        count: Callable[[str, str], object] = lambda _topic, _reason: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`count` is told topic and reason of each."""
        self._count = count
        self._clock = clock
        self._said: dict[tuple[str, str], float] = {}
        self._seen: dict[tuple[str, str], int] = {}

    def saw(self, place: RecordAddress, reason: str, words: str) -> None:
        """A record is not ours; `words` may quote it."""
        what = (place.topic, reason)
        self._count(*what)
        self._seen[what] = self._seen.get(what, 0) + 1
        now = self._clock()
        if now - self._said.get(what, -SAID_EVERY) >= SAID_EVERY:
            self._said[what] = now
            text = (
                "%s partition %d offset %d is not ours (%s: %s): passed over, "
                "as are %d such records so far; see who may write there"
            )
            log.warning(text, *place, reason, safe(words), self._seen[what])
