"""The intraday window of one index.

It has the low of index vol in each of the last 60 minutes, and one sample a minute. A bucket is one
chunk of the checkpoint: its low rarely changes, so an event-time second dirties one small chunk at
most.
"""

from collections.abc import Mapping
from statistics import median

import msgspec

from streams.detection.history.instant import Instant
from streams.detection.state_codec import pack, unpack
from streams.records import NS

MINUTE = 60 * NS
HOUR = 60 * MINUTE
LEAST_WIDTHS = 5
"""Minutes of width samples below which their median says nothing."""


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """The first evaluated reading of a minute."""

    minute: int
    index_level: float
    width: float | None
    """quality_width / index_vol."""


class Window:
    """The last hour of one session's evaluated readings."""

    def __init__(self) -> None:
        self._lows: dict[int, Instant] = {}
        self._samples: list[Sample] = []
        self._changed: dict[str, bytes] = {}

    def clear(self) -> None:
        """Forget everything: a session begins."""
        for minute in list(self._lows):
            self._drop(minute)
        self._samples = []

    def add(self, instant: Instant, width: float | None) -> None:
        """Take in an evaluated reading; at equal lows the earlier one stands."""
        level = instant.index_level
        if level is None:
            return
        minute = instant.ts // MINUTE
        known = self._lows.get(minute)
        if known is None or known.index_level is None or level < known.index_level:
            self._lows[minute] = instant
            self._changed[str(minute)] = pack(instant)
        if not self._samples or self._samples[-1].minute < minute:
            self._samples = [sample for sample in self._samples if sample.minute > minute - 60]
            self._samples.append(Sample(minute, level, width))
        for old in [old for old, low in self._lows.items() if low.ts <= instant.ts - HOUR]:
            self._drop(old)

    def low(self, ts: int, basis: str) -> Instant | None:
        """The instant of the lowest index vol of the 60 minutes before `ts`.

        At a tie it is the earlier one.
        """
        lows = [low for low in self._lows.values() if low.ts > ts - HOUR and low.basis == basis]
        return min(lows, key=lambda low: (low.index_level, low.ts), default=None)

    def width_median(self, ts: int) -> float | None:
        """Median of the minutes' relative widths over the 60 minutes before `ts`.

        None with too few of them.
        """
        first, last = (ts - HOUR) // MINUTE, ts // MINUTE
        widths = [
            sample.width
            for sample in self._samples
            if first <= sample.minute < last and sample.width is not None
        ]
        return median(widths) if len(widths) >= LEAST_WIDTHS else None

    def index_level(self, ts: int) -> float | None:
        """Index vol at the first evaluated reading of the minute that holds `ts`."""
        minute = ts // MINUTE
        return next(
            (sample.index_level for sample in self._samples if sample.minute == minute), None
        )

    @property
    def samples(self) -> list[Sample]:
        """One a minute, oldest first: part of the small state."""
        return self._samples

    def changed(self) -> dict[str, bytes]:
        """Bucket chunks by minute since the last call; empty bytes delete."""
        changed, self._changed = self._changed, {}
        return changed

    def restore(self, buckets: Mapping[str, bytes], samples: list[Sample]) -> None:
        """Replace everything. Raises `ValueError` on foreign bytes."""
        lows = {_minute(name): unpack(payload, Instant) for name, payload in buckets.items()}
        self._lows = dict(sorted(lows.items()))
        self._samples = list(samples)
        self._changed = {}

    def _drop(self, minute: int) -> None:
        del self._lows[minute]
        self._changed[str(minute)] = b""


def _minute(name: str) -> int:
    return int(name)
