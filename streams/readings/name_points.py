"""Latest valid points of the names of a basket at one tenor, in columns."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.column_chunk import pack_columns, unpack_columns

Rows = NDArray[np.int64]


class NewPoints(NamedTuple):
    """Points of one frame at one tenor; arrays of length k."""

    at: Rows
    """Positions in the basket."""
    variance: NDArray[np.float64]
    width: NDArray[np.float64]
    """Vol on asks less vol on bids."""
    atm_vol: NDArray[np.float64]
    quote_ts: Rows
    flags: Rows
    """Bits of a `FlagBits`."""
    refresh_seconds: float
    """0 for a feed of changes."""
    atm_only: NDArray[np.bool_]
    reason: Rows
    """Codes of a `ReasonWords`: why there is no variance; of a source of ATM vols no ATM vol."""
    atm_reason: Rows
    forward: NDArray[np.float64]
    """Parity forward of the near term, NaN where unknown."""


class NamePoints:
    """n names: the latest valid variance and ATM vol of each.

    With them is what is needed to judge how fresh they are.

    A valid value stays when an invalid one follows in the same session (`superseded` then says so);
    a new session drops everything. The two values are kept apart because each can fail alone.
    """

    VALUES = ("variance", "variance_ts", "variance_refresh", "atm_vol", "atm_ts", "atm_refresh")
    ADDED = frozenset({"reason", "atm_superseded", "atm_reason", "seen_ts", "forward", "width"})
    COLUMNS = (*VALUES, "flags", "superseded", "atm_only", *sorted(ADDED))
    """Columns that chunks of earlier releases lack."""

    def __init__(self, n: int) -> None:
        self.variance = np.full(n, np.nan)
        self.variance_ts = np.zeros(n, np.int64)
        self.variance_refresh = np.zeros(n)
        self.width = np.full(n, np.nan)
        """Of the strip behind the variance: vol on asks less vol on bids."""
        self.atm_vol = np.full(n, np.nan)
        self.atm_ts = np.zeros(n, np.int64)
        self.atm_refresh = np.zeros(n)
        self.flags = np.zeros(n, np.int64)
        self.superseded = np.zeros(n, np.bool_)
        """The name's latest point had no variance; of a source of ATM vols no ATM vol."""
        self.atm_superseded = np.zeros(n, np.bool_)
        """The name's latest point had no ATM vol."""
        self.atm_only = np.zeros(n, np.bool_)
        """The name's latest point came from a source of ATM vols without bid and ask."""
        self.reason = np.zeros(n, np.int64)
        """Why `superseded`; 0 where it is not, or no point has come."""
        self.atm_reason = np.zeros(n, np.int64)
        self.seen_ts = np.zeros(n, np.int64)
        """Newest quote behind the name's latest point, valid or not."""
        self.forward = np.full(n, np.nan)
        """The latest one that was known; USD."""

    def apply(self, new: NewPoints) -> None:
        """Put the points of a frame in place."""
        atm_ok = np.isfinite(new.atm_vol) & (new.atm_vol > 0)
        at = new.at[atm_ok]
        self.atm_vol[at] = new.atm_vol[atm_ok]
        self.atm_ts[at] = new.quote_ts[atm_ok]
        self.atm_refresh[at] = new.refresh_seconds
        variance_ok = np.isfinite(new.variance) & (new.variance > 0)
        at = new.at[variance_ok]
        self.variance[at] = new.variance[variance_ok]
        self.width[at] = new.width[variance_ok]
        self.variance_ts[at] = new.quote_ts[variance_ok]
        self.variance_refresh[at] = new.refresh_seconds
        either = atm_ok | variance_ok
        self.flags[new.at[either]] = new.flags[either]
        valid = np.where(new.atm_only, atm_ok, variance_ok)
        self.superseded[new.at], self.atm_superseded[new.at] = ~valid, ~atm_ok
        self.atm_only[new.at] = new.atm_only
        self.reason[new.at] = np.where(valid, 0, new.reason)
        self.atm_reason[new.at] = np.where(atm_ok, 0, new.atm_reason)
        self.seen_ts[new.at] = new.quote_ts
        known = np.isfinite(new.forward) & (new.forward > 0)
        self.forward[new.at[known]] = new.forward[known]

    def chunk(self) -> bytes:
        """State chunk."""
        return pack_columns("points", self._columns())

    def restore(self, value: bytes, moved: Rows) -> None:
        """Take the columns of a chunk. Raises `ValueError` on foreign bytes.

        Args:
            value: the chunk.
            moved: today's position of each stored name, -1 for one that is no longer in the basket.
        """
        columns, _ = unpack_columns("points", value, self._columns(), self.ADDED)
        if len(columns["variance"]) != len(moved):
            raise ValueError("a chunk of points does not fit its names")
        kept = moved >= 0
        for name, column in columns.items():
            getattr(self, name)[moved[kept]] = column[kept]
        if "atm_reason" not in columns:
            self._tell_atm()

    def _tell_atm(self) -> None:
        """What an earlier release did not tell of ATM vols, as far as the rest says it."""
        unknown = self.atm_only | np.isnan(self.atm_vol)
        self.atm_superseded = self.superseded & unknown
        self.atm_reason = np.where(unknown, self.reason, 0)
        self.seen_ts = np.maximum(self.variance_ts, self.atm_ts)

    def _columns(self) -> dict[str, NDArray[Any]]:
        return {name: getattr(self, name) for name in self.COLUMNS}
