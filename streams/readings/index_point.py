"""The index's own point at one tenor.

It is never carried: the latest point counts, valid or not.
"""

import math

import msgspec

from streams.points import BASIS_ATM, SurfacePoints


class IndexPoint(msgspec.Struct, frozen=True):
    """One row of `SurfacePoints`, NaN where unknown, with what its frame said about it."""

    variance: float = math.nan
    bid_variance: float = math.nan
    ask_variance: float = math.nan
    atm_vol: float = math.nan
    quote_ts: int = 0
    reason: str = "no_quotes"
    atm_reason: str = "no_quotes"
    flags: tuple[str, ...] = ()
    refresh_seconds: float | None = None
    valued_ts: int = 0
    """Newest quote of the newest point that had a vol; 0 without one, and of earlier releases."""

    @property
    def seen(self) -> bool:
        """Whether the session has had a point at all."""
        return self.quote_ts > 0 or self.reason != "no_quotes"

    @property
    def lacking(self) -> str:
        """Why it has not the vol that its basis has; empty where it has."""
        return self.atm_reason if self.reason == BASIS_ATM else self.reason

    @property
    def last_valued(self) -> int:
        """Newest quote of the newest point with a vol, ns; 0 without one."""
        return self.valued_ts or (0 if self.lacking else self.quote_ts)


MISSING = IndexPoint()


def index_point_of(rows: SurfacePoints, at: int, *, refresh_seconds: float | None) -> IndexPoint:
    """Row `at` of a frame. A value without a reason for its absence gets `no_quotes`."""
    variance, atm_vol = float(rows.variance[at]), float(rows.atm_vol[at])
    return IndexPoint(
        variance=variance,
        bid_variance=float(rows.bid_variance[at]),
        ask_variance=float(rows.ask_variance[at]),
        atm_vol=atm_vol,
        quote_ts=int(rows.quote_ts[at]),
        reason="" if variance > 0 else rows.reason[at] or "no_quotes",
        atm_reason="" if atm_vol > 0 else rows.atm_reason[at] or "no_quotes",
        flags=tuple(flag for flag in rows.flags[at].split(",") if flag),
        refresh_seconds=refresh_seconds,
    )


def followed(before: IndexPoint, point: IndexPoint, *, stopped: bool) -> IndexPoint:
    """A point after another. `stopped`: it comes from two sources and counts for nothing."""
    valued = before.last_valued if stopped or point.lacking else point.quote_ts
    return msgspec.structs.replace(point, valued_ts=valued)
