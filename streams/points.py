"""Points: what one source knows about the names of one index after one closed second."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

BASIS_ATM: Final = "basis_atm"
"""The reason of a point that has no variance.

Its name is known by implied vols alone, without bid and ask.
"""


class SurfacePoints(NamedTuple):
    """Surface values by name and tenor.

    Arrays are of length n, NaN where unknown (then `reason` says why).
    """

    symbol: tuple[str, ...]
    tenor_days: NDArray[np.int32]
    variance: NDArray[np.float64]
    """Model-free annualised variance at the tenor, on mids."""
    bid_variance: NDArray[np.float64]
    ask_variance: NDArray[np.float64]
    atm_vol: NDArray[np.float64]
    """50-delta vol at the tenor."""
    forward: NDArray[np.float64]
    """Parity forward of the near term."""
    quote_ts: NDArray[np.int64]
    """Newest quote behind the point."""
    reason: tuple[str, ...]
    """Why `variance` is NaN; empty when it is not. `BASIS_ATM` decides the basis."""
    atm_reason: tuple[str, ...]
    flags: tuple[str, ...]
    """Comma-separated, for example `near_term_fallback`."""


class SkewPoints(NamedTuple):
    """Vols by name and tenor at the deltas of the skew; n rows."""

    symbol: tuple[str, ...]
    tenor_days: NDArray[np.int32]
    vols: NDArray[np.float64]
    """(n, 4), a column for each of `analytics.correlation.SKEW_DELTAS`; NaN where unknown."""


class RollPoints(NamedTuple):
    """Names whose near and next term are others on the next session; n rows.

    Their vols at 30 days on those terms over their vols on the terms of this session, at one
    second; NaN where either is unknown.
    """

    symbol: tuple[str, ...]
    variance_ratio: NDArray[np.float64]
    atm_ratio: NDArray[np.float64]

    @property
    def ratios(self) -> dict[str, tuple[float, float]]:
        """Both by name."""
        pairs = zip(self.variance_ratio.tolist(), self.atm_ratio.tolist(), strict=True)
        return dict(zip(self.symbol, pairs, strict=True))


class EarningsPoints(NamedTuple):
    """Names with a coming report; n rows.

    Their vols at 30 days without it over those with it, at one second; NaN where it cannot be told
    apart, 1 where neither term holds it.
    """

    symbol: tuple[str, ...]
    variance_ratio: NDArray[np.float64]
    atm_ratio: NDArray[np.float64]
    day: NDArray[np.int64]
    """The first session that trades on it, days since 1970-01-01."""
    in_near: NDArray[np.bool_]
    """It comes before the near expiry."""


class PricePoints(NamedTuple):
    """Previous-tick prices (or, for references, decimal levels) of symbols that ticked.

    Arrays are of length n.
    """

    symbol: tuple[str, ...]
    price: NDArray[np.float64]
    ts_event: NDArray[np.int64]


DECLARED: Final = "dispersion-declared"
"""Header of an idle frame whose owner repeats it as long as it hears nothing.

It holds the owner's session, an ISO date.
"""


@dataclass(frozen=True, slots=True)
class PointsFrame:
    """One frame on the points topic.

    It is of one source, one index, one closed second (or one run without input).
    """

    index: str
    source: str
    """`quotes:3`, `ticks:0`: input role and partition."""
    sources: int
    """How many sources there are, over both input topics."""
    boundary: int
    """Nanoseconds of the last second this frame closes."""
    accepted: int = 0
    """Quotes and prices accepted in that second.

    They concern this index, its names or its references.
    """
    idle: bool = False
    """The source has gone silent: do not wait for it until it speaks again."""
    refresh_seconds: float | None = None
    surfaces: SurfacePoints | None = None
    prices: PricePoints | None = None
    references: PricePoints | None = None
    skew: SkewPoints | None = None
    """Present in one second of ten at most."""
    roll: RollPoints | None = None
    """The same, before the close of a session after which terms roll."""
    earnings: EarningsPoints | None = None
    """In the seconds of skews, with a calendar."""
