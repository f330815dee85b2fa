"""What is monitored: indices, baskets, tenors, rates and gates, as plain frozen values.

`config.settings` builds these from what a person typed; everything in `streams` takes them as
given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, NamedTuple

Mode = Literal["live", "replay", "scenario", "delayed"]
REPLAYED: Final = frozenset({"replay", "scenario"})
"""The modes of a day that is not today's."""
AM_ROOTS = ("SPX", "NDX", "RUT", "DJX", "MNX", "XSPAM", "RUI", "RLG", "RLV")
"""Classes of the usual indices whose standard monthlies settle at the open.

Their weeklies have roots of their own (SPXW, NDXP, RUTW).

OEX, XEO, XSP and MRUT settle at the close.
"""


@dataclass(frozen=True, slots=True)
class Constituent:
    """One name of a basket with its configured weight, or with a count of shares.

    The weight has any positive unit and is normalised where used.
    """

    symbol: str
    weight: float
    """Beside shares what the name weighs until it has a price; 0 where that is not given."""
    sector: str = ""
    shares: float = 0.0
    """0 in a basket of weights."""


@dataclass(frozen=True, slots=True)
class Basket:
    """The names behind an index. Empty for an index that is watched alone."""

    name: str = ""
    constituents: tuple[Constituent, ...] = ()
    illustrative: bool = False
    """Weights are hand-set, not the index owner's."""
    defensives: tuple[str, ...] = ("WMT", "COST", "Utilities")
    """Symbols and sectors whose names make the defensive set."""
    as_of: date | None = None
    """Day of the weights or shares."""
    source: str = ""
    """Where they are from, in words."""
    partial: bool = False
    """A few names against the index, not the index: no implied correlation is taken on them."""

    @property
    def in_shares(self) -> bool:
        """Weights move with prices, for the names have counts of shares."""
        return any(name.shares for name in self.constituents)


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """One monitored index: the underlying whose options give index vol, and its basket."""

    symbol: str
    basket: Basket = field(default_factory=Basket)
    tenors: tuple[int, ...] = (30,)
    """Tenors in days; rules run on 30."""
    references: tuple[str, ...] = ("VIX", "VIXEQ", "DSPX", "COR1M")


class Curve(NamedTuple):
    """Par yields of one day (`analytics.rates`), bond-equivalent, in decimals.

    There are at least four ascending maturities, in days.
    """

    days: tuple[int, ...]
    yields: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rates:
    """Continuously compounded risk-free rate.

    It is one constant, or by day an overnight rate or a curve of par yields.
    """

    constant: float | None = None
    dated: Mapping[int, float] = field(default_factory=dict)
    """Days since 1970-01-01 → rate of that day for every expiry, carried forward to later days."""
    curves: Mapping[int, Curve] = field(default_factory=dict)
    """Days since 1970-01-01 → curve of that day, carried forward alike.

    It goes before an overnight rate of the same day.
    """


class Dividend(NamedTuple):
    """A cash dividend of one name."""

    symbol: str
    ex_day: int
    """Days since 1970-01-01."""
    amount: float
    """USD a share."""


class EarningsReport(NamedTuple):
    """A coming report of one name."""

    symbol: str
    day: int
    """The first session that trades on it, days since 1970-01-01."""


@dataclass(frozen=True, slots=True)
class Gates:
    """Quality limits of methodology 8.7 and design section 6."""

    index_quote_age: float = 30.0
    """Seconds; or three times the declared refresh, whichever is longer."""
    name_quote_age: float = 60.0
    coverage: float = 0.90
    coverage_names: float = 0.50
    """Only guards against the absurd: the small half of an index is a tenth of its weight."""
    basket_coverage_valid: float = 0.70
    basket_names: float = 0.50
    correlation_low: float = -0.10
    correlation_high: float = 1.30
    spike_step: float = 0.15
    spike_seconds: float = 60.0
    width_multiple: float = 5.0


@dataclass(frozen=True, slots=True)
class Market:
    """Everything the stages need to know about the market."""

    indices: tuple[IndexSpec, ...]
    rates: Rates = field(default_factory=lambda: Rates(constant=0.0))
    dividends: tuple[Dividend, ...] = ()
    earnings: tuple[EarningsReport, ...] | None = None
    """None without a calendar."""
    gates: Gates = field(default_factory=Gates)
    reference_symbols: tuple[str, ...] = ("VIX", "VIX9D", "VIX3M", "VIXEQ", "DSPX", "COR1M")
    """Ticks in index points; the codec divides them by 100."""
    am_roots: tuple[str, ...] = AM_ROOTS
    """Roots whose third-Friday expiry settles at 09:30 ET; all else at the close, 16:00 ET."""
    allowed_lateness: float = 0.25
    """Seconds."""
    future_tolerance: float = 5.0
    """Seconds a row may be ahead of its Kafka record."""
    strict_expiries: bool = False
    """DSPX expiry choice without our near-term fall-back and without a term alone."""
    mode: Mode = "live"
