"""What of a feed's rows may be published: in order, in time, in the hours of its product."""

from collections.abc import Callable, Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agents.feeds.sinks import Rows
from streams.calendar.sessions import hours
from streams.records import NS, Ticks, take_quotes

AHEAD_NS: Final = 5 * NS
"""How far a row may be ahead of the market's time."""

Drop = Callable[[str, int, str], None]


class OrderGuard:
    """Knows the last promise of the feed.

    Rows of a snapshot (with a declared refresh) that a promise has overtaken are dated anew: they
    are what the source shows now. Rows of changes are late.
    """

    def __init__(self, indices: Collection[str], levels: Collection[str], drop: Drop) -> None:
        self._until_option_close = frozenset(indices) | frozenset(levels)
        self._drop = drop
        self.promised = 0
        """Nothing at or before this time (ns) may be published."""

    def promise(self, ts_event: int) -> bool:
        """Whether a promise says more than the last one; it counts from now on."""
        if ts_event <= self.promised:
            return False
        self.promised = ts_event
        return True

    def passed(self, rows: Rows, market_time: int) -> Rows | None:
        """The rows that may go on; None where none may."""
        if not rows.ts_event.size:
            return None
        if rows.refresh_seconds is not None and int(rows.ts_event.min()) <= self.promised:
            rows = dated(rows, max(market_time, self.promised + 1))
        keep = np.ones(rows.ts_event.size, np.bool_)
        for reason, wrong in (
            ("late", rows.ts_event <= self.promised),
            ("future", rows.ts_event > market_time + AHEAD_NS),
            ("after_close", self._after_close(rows)),
        ):
            found = np.flatnonzero(keep & wrong)
            if found.size:
                name = _names(rows)[int(_codes(rows)[found[0]])]
                when = np.datetime64(int(rows.ts_event[found[0]]), "ns").astype("datetime64[s]")
                self._drop(reason, int(found.size), f"{name} of {when} UTC")
            keep &= ~wrong
        if keep.all():
            return rows
        return take_quotes(rows, np.flatnonzero(keep)) if keep.any() else None

    def _after_close(self, rows: Rows) -> NDArray[np.bool_]:
        """Single stocks close at 16:00 ET, indices and their options a quarter of an hour later."""
        table = hours()
        ts = rows.ts_event
        at = np.maximum(np.searchsorted(table.midnight, ts, side="right") - 1, 0)
        late = np.array([name in self._until_option_close for name in _names(rows)])
        longer = np.where(late, 900 * NS, 0)[_codes(rows)]
        return np.asarray(ts > table.equity_close[at] + longer)


def dated(rows: Rows, ts_event: int) -> Rows:
    """Rows as of one time (ns)."""
    stamps = np.full(rows.ts_event.size, ts_event, np.int64)
    return rows._replace(ts_event=stamps, record_ts=stamps)


def names_in(rows: Rows) -> list[str]:
    """Underlyings or symbols that have rows."""
    names = _names(rows)
    return [names[code] for code in np.unique(_codes(rows)).tolist()]


def _names(rows: Rows) -> list[str]:
    if isinstance(rows, Ticks):
        return list(rows.symbols)
    return [one.underlying for one in rows.series]


def _codes(rows: Rows) -> NDArray[np.int32]:
    return rows.symbol_code if isinstance(rows, Ticks) else rows.series_code
