"""The reading: what one index, tenor and event-time second looks like to everyone downstream."""

from datetime import date, datetime
from typing import Literal

import msgspec

from streams.catalogue.vocabulary import DOUBTS, WIDE
from streams.market import Mode

Basis = Literal["quotes", "atm", "published"]


class Constituents(msgspec.Struct, frozen=True):
    """The valid names behind a reading.

    With them any two readings can be compared on their common set.
    """

    symbols: tuple[str, ...]
    weights: tuple[float, ...]
    """Configured weights, not renormalised."""
    variances: tuple[float | None, ...]
    """Model-free variances at the tenor; None for a source without bid/ask."""
    atm_vols: tuple[float | None, ...]
    next_terms: dict[str, tuple[float | None, float | None]] = {}
    """Names whose expiries are others on the next session → their variance and ATM vol on those
    over the ones above, at one second near the close; None where unknown."""


NameState = Literal["valid", "carried", "refused", "missing"]
"""`missing` was not quoted; what is `refused` was."""


def missing_state(reason: str) -> NameState:
    """The state of a name that has no value, by the reason why.

    >>> missing_state("no_quotes"), missing_state("split_name")
    ('missing', 'refused')
    """
    return "missing" if reason == "no_quotes" else "refused"


class LackingName(msgspec.Struct, frozen=True, kw_only=True):
    """A constituent without a value of its own at this second, in one pair of vols or in both."""

    symbol: str
    weight: float
    """Share of the basket's configured weight."""
    strip: NameState
    """Its variance, for the model-free pair; of basis `atm` as `atm`."""
    strip_reason: str = ""
    atm: NameState
    """Its 50-delta vol, for correlation."""
    atm_reason: str = ""
    age_seconds: float | None = None
    """Of the value that is carried, else of the name's newest quote; None without one."""


class SilentLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A leg of the trade that has gone silent while the rest of the feed goes on."""

    leg: Literal["index", "sector"]
    name: str
    """Symbol of the index, or the sector."""
    names: int = 0
    """Names of the sector that were quoted in this session."""
    age_seconds: float
    """Since the newest quote; of the index since the newest of a point that had a vol."""
    limit_seconds: float
    """Age from which on it counts as silent: it follows the declared refresh."""
    reason: str
    """`stale`, or why its quotes give no vol."""


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """What sectors and defensives do against their index (`docs/numbers/measures/rotation.md`).

    Returns are simple, and None when unknown.

    Reasons stand among those of the reading under `rotation.` and the field.
    """

    index_return: float | None = None
    """Since the prior close."""
    sector_returns: dict[str, float] = {}
    """Since the prior close, at the configured weights."""
    sector_dispersion: float | None = None
    """Weighted cross-sectional deviation of the sector returns."""
    sector_dispersion_z: float | None = None
    """Among the closes of the sessions before this one."""
    sector_range: float | None = None
    """Best less worst sector."""
    defensive_strength: float | None = None
    """Of the defensive set against the index, over 20 sessions."""
    defensive_today: float | None = None
    """The same since the prior close."""
    mag7_spread: float | None = None
    """Best less worst of the seven leaders, over 20 sessions."""
    autocorrelation: float | None = None
    """Of the defensive set's session-to-session strength, the latest five sessions."""


class Sector(msgspec.Struct, frozen=True, kw_only=True):
    """One sector of the basket; decimals, None when unknown.

    A value without 70 % of the sector's weight and half of its names is unknown, and so is the
    implied correlation of a single name.
    """

    sector: str
    weight: float
    """Its share of the basket's weight."""
    names: int
    """Names with a variance."""
    names_atm: int
    """Names with a 50-delta vol."""
    coverage: float
    """Their share of the sector's weight."""
    coverage_atm: float
    basket_vol: float | None = None
    """√(Σ wᵢ vᵢ / Σ wᵢ) of its names."""
    basket_vol_change: float | None = None
    """Since the prior close, on the names with a value at both ends; so are all changes."""
    basket_vol_change_20d: float | None = None
    """Since the close of 20 sessions ago."""
    implied_correlation: float | None = None
    """At which its names alone give the index's 50-delta vol."""
    implied_correlation_change: float | None = None
    implied_correlation_change_20d: float | None = None


class ReportingName(msgspec.Struct, frozen=True, kw_only=True):
    """A constituent that reports before the expiry of its near term."""

    symbol: str
    day: date
    """The first session that trades on the report."""
    weight: float
    """Share of the basket's configured weight."""


class Earnings(msgspec.Struct, frozen=True, kw_only=True):
    """The vols without what coming reports add (`docs/numbers/measures/earnings.md`).

    They are at most ten seconds behind. Reasons stand among those of the reading under `earnings.`
    and the field.
    """

    names: tuple[ReportingName, ...]
    """By day, the heaviest of a day first."""
    weight: float
    """Their share of the basket's configured weight."""
    coverage: float
    """Share of the configured weight behind `basket_vol`: without names whose report cannot be
    told apart."""
    coverage_atm: float
    """The same of 50-delta vols."""
    basket_vol: float | None = None
    vol_spread: float | None = None
    implied_correlation: float | None = None
    """Over the largest names, as that of the reading."""


class BookMark(msgspec.Struct, frozen=True, kw_only=True):
    """What a standard book has earned, per unit of index vega: 0.01 is one vol point of it."""

    total: float
    """Sum of the legs that are known."""
    index: float
    """Of the index vol that is sold: its fall."""
    singles: float
    """Of the names' vols that are bought."""
    gamma: float | None = None
    """Of the moves of prices, less time decay; None without ticks."""


class BookWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Marks of the standard books since one instant, sized at the vols of that instant."""

    since: datetime
    session: date
    """Of that instant."""
    names: int
    """Names with a vol at both ends; the marks are theirs."""
    coverage: float
    """Their share of the basket's configured weight."""
    vega: BookMark
    theta: BookMark
    gamma: BookMark


class BookCarry(msgspec.Struct, frozen=True, kw_only=True):
    """What a standard book costs, in the unit of the marks."""

    time_decay: float
    """Of one calendar day; negative where the book pays."""
    cost: float | None = None
    """To enter or leave it: half of bid to ask of both legs, from the widths of our strips."""


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The standard dispersion books: short one unit of index vega at 30 days, long the names.

    The names' vegas are as their weights. Their sum makes the book without vega, without time decay
    or without gamma (`docs/numbers/measures/trade.md`). Reasons stand among those of the reading
    under `book.` and the field.
    """

    close: BookWindow | None = None
    """Since the prior close."""
    open: BookWindow | None = None
    """Since the session's first reading that is believed, from 09:45 ET on."""
    vega: BookCarry | None = None
    theta: BookCarry | None = None
    gamma: BookCarry | None = None
    breakeven_correlation: float | None = None
    """Index variance over the weighted variance of the names: realized above it, the book loses."""
    realized_correlation: float | None = None
    """The same ratio of the variances realized over 21 sessions."""
    carry: float | None = None
    """Of theta-weighted variance swaps held to expiry, if the names and the index realize again
    what they did over 21 sessions; in the unit of the marks."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Values of one index and tenor at one second T, covering (T-1 s, T].

    They are decimals, and None when unknown.

    Field meanings and formulas are those of `docs/numbers/methodology.md`. `reasons` says for each
    null field why.
    """

    ts_event: datetime
    """T, UTC, a whole second."""
    session: date
    index: str
    tenor: str
    tenor_days: int
    mode: Mode
    basis: Basis = "quotes"
    index_vol: float | None = None
    basket_vol: float | None = None
    dispersion: float | None = None
    implied_correlation: float | None = None
    implied_correlation_lower: float | None = None
    implied_correlation_upper: float | None = None
    implied_correlation_basket: float | None = None
    """The same formula over the whole basket instead of its 50 largest names."""
    implied_correlation_skew: dict[str, float] = {}
    """The same formula on vols at forward call deltas 0.1 (calls) to 0.9 (puts), by delta.

    It is at most ten seconds behind.
    """
    index_atm_vol: float | None = None
    basket_atm_vol: float | None = None
    variance_ratio: float | None = None
    vol_spread: float | None = None
    realized_correlation: float | None = None
    realized_correlation_index: float | None = None
    """Against the index's own returns instead of the synthetic basket's."""
    realized_correlation_session: float | None = None
    """Of the session so far, without the night before it."""
    realized_dispersion: float | None = None
    basket_gap: float | None = None
    """Realized vol of the index less that of the synthetic basket."""
    correlation_premium: float | None = None
    index_vol_bid: float | None = None
    """Index vol on bids (VWB style)."""
    quality_width: float | None = None
    coverage: float | None = None
    coverage_valid: float | None = None
    coverage_names: float | None = None
    """Share of the basket's names, by count, with a fresh point."""
    names: int = 0
    """Names with a valid point; of basis `quotes` with a valid variance."""
    coverage_atm: float | None = None
    """As `coverage`, of names with a fresh 50-delta vol: what implied correlation rests on."""
    coverage_atm_names: float | None = None
    names_atm: int = 0
    """Names with a valid 50-delta vol."""
    references: dict[str, float] = {}
    tracking_error: dict[str, float] = {}
    """Ours minus the published reference."""
    refresh_seconds: float | None = None
    flags: tuple[str, ...] = ()
    dividends: dict[str, str] = {}
    """Valid names with an ex-date inside a strip → least size of the dividend's class.

    The dividend is at least 0.5 % of the forward.
    """
    names_missing: dict[str, str] = {}
    """Names of the basket without a valid point (of basis `quotes`: variance) → why.

    Why is `no_quotes`, `split_name`, or the reason of their latest point.
    """
    names_carried: dict[str, str] = {}
    """Names whose valid point is an old one → why there is no newer.

    Why is the reason of their latest point, or `stale`.
    """
    names_doubted: dict[str, str] = {}
    """Valid names with a strip that is not believed → why, comma-separated `STRIP_DOUBTS`."""
    names_missing_atm: dict[str, str] = {}
    """Names of the basket without a valid 50-delta vol → why, as for `names_missing`."""
    names_carried_atm: dict[str, str] = {}
    names_age: dict[str, float] = {}
    """Names that are missing or carried → age in seconds, as `LackingName.age_seconds`."""
    names_lacking: tuple[LackingName, ...] = ()
    """The 20 heaviest of them, each with state, reasons and age."""
    legs_silent: tuple[SilentLeg, ...] = ()
    """The index, or sectors, without a quote while the others go on; at 30 days alone."""
    rotation: Rotation | None = None
    """At 30 days alone."""
    book: Book | None = None
    """At 30 days alone."""
    sectors: tuple[Sector, ...] = ()
    """By name, at 30 days alone; none for a basket without sectors."""
    earnings: Earnings | None = None
    """At 30 days alone, with a calendar of reports."""
    reasons: dict[str, str] = {}
    constituents: Constituents | None = None

    @property
    def doubts(self) -> tuple[str, ...]:
        """Flags that say that the quotes behind it are no market: no rule runs on it."""
        return tuple(flag for flag in self.flags if flag in DOUBTS)

    @property
    def close_doubts(self) -> tuple[str, ...]:
        """Flags for which no rule compares with it, if it is the close of a session."""
        return (*self.doubts, *([WIDE] if WIDE in self.flags else []))


def encode_reading(reading: Reading) -> bytes:
    """JSON bytes of a reading, the value on the readings topic and a line of `readings.jsonl`."""
    return _encoder.encode(reading)


def decode_reading(value: bytes) -> Reading:
    """The reading in JSON bytes.

    Raises `msgspec.ValidationError` (a `ValueError`) on anything else.
    """
    return _decoder.decode(value)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Reading)
