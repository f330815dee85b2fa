"""Everything the cross-section of one index knows at one second.

It knows points of this session and prices of many.
"""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from streams.basket_columns import LARGEST, basket_columns, heaviest
from streams.calendar.sessions import evaluation_window, next_session
from streams.market import Basket, Gates, IndexSpec
from streams.points import BASIS_ATM, PointsFrame, SurfacePoints
from streams.readings.closing_vols import ClosingVols
from streams.readings.daily_prices import DailyPrices
from streams.readings.flag_bits import FlagBits
from streams.readings.index_point import MISSING, IndexPoint, followed, index_point_of
from streams.readings.moving_weights import MovingWeights
from streams.readings.name_origins import NameOrigins
from streams.readings.name_points import NamePoints, NewPoints
from streams.readings.realized_grid import RealizedGrid
from streams.readings.realized_values import RealizedValues
from streams.readings.reason_words import ReasonWords
from streams.readings.references import References
from streams.readings.report_effects import ReportEffects
from streams.readings.rotation_values import RotationValues
from streams.readings.sector_values import SectorValues
from streams.readings.session_hours import SessionHours
from streams.readings.silent_legs import Sectors
from streams.readings.skew_vols import SkewVols
from streams.readings.vols_at import VolsAt
from streams.readings.width_past import WidthPast

SPARE = 25
"""Names after the largest that may come to be among them as prices move."""
BEFORE = SessionHours(date.min, 0, 0, 0)
"""Hours of no session: before the first frame."""


class SessionState:
    """Points by tenor, references, the price grid, and one price a session.

    Points are for the n names of the basket and for the index. Points and references live until
    the next session begins; prices stay. Names have positions 0 to n - 1, the index has n.
    """

    def __init__(self, spec: IndexSpec, gates: Gates, *, has_calendar: bool = False) -> None:
        self.spec = spec
        self.gates = gates
        self.has_calendar = has_calendar
        """Reports of names are known."""
        self.basket = basket_columns(spec.basket)
        self.sectors = Sectors(spec.basket)
        self.hours = BEFORE
        self.began = 0
        """The session's first second with a quote of a name, ns; 0 without one."""
        self.atm_only = False
        """The index (before its first point, whatever came last) is known by vols alone."""
        self.flags = FlagBits()
        self.words = ReasonWords()
        self._position = {**self.basket.position, spec.symbol: len(self.basket.symbols)}
        self.origins = NameOrigins(len(self.basket.symbols) + 1)
        self.references = References(spec.references)
        self.skew = SkewVols(spec.tenors, len(self.basket.symbols) + 1)
        self.reports = ReportEffects(len(self.basket.symbols))
        self.points: dict[int, NamePoints] = {}
        self.index: dict[int, IndexPoint] = {}
        self.widths = {tenor: WidthPast() for tenor in spec.tenors}
        self.touched: set[int] = set()
        """Tenors whose points changed since the set was last cleared."""
        self._moving = MovingWeights(spec.basket) if spec.basket.in_shares else None
        self.on_grid = _on_grid(spec.basket)
        """Positions of the names whose five-minute prices are kept: the largest."""
        kept = tuple(self.basket.symbols[at] for at in self.on_grid)
        self.grid = RealizedGrid(
            (*kept, *([spec.symbol] if kept and spec.symbol not in kept else []))
        )
        self.realized = RealizedValues(self.grid, self.basket.weights[self.on_grid], gates)
        self.daily = DailyPrices(self.symbols if self.basket.symbols else ())
        self.rotation = RotationValues(self.daily, spec.basket, gates)
        self.next_terms: dict[str, tuple[float, float]] = {}
        """Names whose terms roll after this session → ratios as in `RollPoints`."""
        self.sector_values = SectorValues(spec.basket, gates)
        self.closings = ClosingVols(self.symbols if self.basket.symbols else ())
        self._forget()

    @property
    def symbols(self) -> tuple[str, ...]:
        """All names by position, the index last."""
        return (*self.basket.symbols, self.spec.symbol)

    def begin(self, hours: SessionHours) -> None:
        """A new session: what was carried in the last one ends with it."""
        if self.next_terms and next_session(self.hours.session) == hours.session:
            self.closings.on_next_terms(self.next_terms)
        self.hours = hours
        self._forget()
        self.grid.begin(hours)
        self.daily.begin(hours)
        self.closings.begin()

    def keep(self, vols: VolsAt, *, closing: bool) -> None:
        """Keep the vols of a reading that is believed, where it is the open or the close."""
        first, _ = evaluation_window(self.hours.session)
        if self.closings.opening is None and vols.ts >= first:
            self.closings.open(vols)
        if closing:
            self.closings.close(vols)

    def apply(self, frame: PointsFrame) -> None:
        """Take the points, prices and references of a frame of the current session."""
        if frame.surfaces is not None and frame.surfaces.symbol:
            self._apply_surfaces(frame, frame.surfaces)
        if frame.skew is not None:
            self.skew.apply(frame.skew, self._places(frame.skew.symbol))
        if frame.roll is not None:
            self.next_terms.update(frame.roll.ratios)
        if frame.earnings is not None:
            self.reports.apply(frame.earnings, self._places(frame.earnings.symbol))
        if frame.prices is not None:
            self.grid.apply(frame.prices)
            self.daily.apply(frame.prices)
        if frame.references is not None:
            self.references.apply(frame.references)

    def weigh(self) -> None:
        """Weights of a basket of shares at the latest prices: ticks, else parity forwards."""
        if self._moving is None:
            return
        now = self.daily.today()[:-1]
        for tenor in sorted(self.points):
            now = np.where(np.isfinite(now), now, self.points[tenor].forward)
        self.basket = self._moving.move(now, self.daily.prior()[:-1])
        start, among = self._moving.start, np.zeros(len(now))
        among[self.basket.largest] = 1.0
        self.realized.weights = (start * among)[self.on_grid]
        self.rotation.weigh(start)

    def _forget(self) -> None:
        n = len(self.basket.symbols)
        self.points = {tenor: NamePoints(n) for tenor in self.spec.tenors}
        self.next_terms = {}
        self.index = dict.fromkeys(self.spec.tenors, MISSING)
        self.touched = set(self.spec.tenors)
        self.origins.clear()
        self.skew.clear()
        self.reports.clear()
        self.references.levels.clear()
        self.atm_only = False
        self.began = 0

    def _places(self, symbols: tuple[str, ...]) -> NDArray[np.int64]:
        """Positions of symbols, -1 for one that is neither a name nor the index."""
        place = self._position.get
        return np.fromiter((place(symbol, -1) for symbol in symbols), np.int64, len(symbols))

    def _apply_surfaces(self, frame: PointsFrame, rows: SurfacePoints) -> None:
        at = self._places(rows.symbol)
        self.origins.note(frame.source, at[at >= 0])
        atm_only = np.fromiter(
            (reason == BASIS_ATM for reason in rows.reason), np.bool_, len(rows.reason)
        )
        index_rows = np.flatnonzero(at == len(self.basket.symbols))
        if len(index_rows) or not any(point.seen for point in self.index.values()):
            self.atm_only = bool(atm_only[index_rows if len(index_rows) else ...].all())
        for row in index_rows.tolist():
            tenor = int(rows.tenor_days[row])
            if tenor in self.index:
                self._take_index(tenor, rows, row, frame.refresh_seconds)
        named = (at >= 0) & (at < len(self.basket.symbols))
        if not self.began and named.any():
            self.began = frame.boundary
        for tenor, points in self.points.items():
            chosen = named & (rows.tenor_days == tenor)
            if chosen.any():
                points.apply(self._new_points(frame, rows, at, chosen, atm_only))
                self.touched.add(tenor)

    def _take_index(
        self, tenor: int, rows: SurfacePoints, row: int, refresh_seconds: float | None
    ) -> None:
        point = index_point_of(rows, row, refresh_seconds=refresh_seconds)
        stopped = bool(self.origins.split[-1])
        self.index[tenor] = followed(self.index[tenor], point, stopped=stopped)

    def _new_points(
        self,
        frame: PointsFrame,
        rows: SurfacePoints,
        at: NDArray[np.int64],
        chosen: NDArray[np.bool_],
        atm_only: NDArray[np.bool_],
    ) -> NewPoints:
        reason, atm_reason = self.words.encode(rows.reason), self.words.encode(rows.atm_reason)
        return NewPoints(
            at=at[chosen],
            variance=rows.variance[chosen],
            width=_width(rows, chosen),
            atm_vol=rows.atm_vol[chosen],
            quote_ts=rows.quote_ts[chosen],
            flags=self.flags.encode(rows.flags)[chosen],
            refresh_seconds=frame.refresh_seconds or 0.0,
            atm_only=atm_only[chosen],
            reason=np.where(atm_only, atm_reason, reason)[chosen],
            atm_reason=atm_reason[chosen],
            forward=rows.forward[chosen],
        )


def _on_grid(basket: Basket) -> NDArray[np.int64]:
    """The largest names; where weights move also those that may become so, or all."""
    columns = basket_columns(basket)
    if not basket.in_shares:
        return columns.largest
    spare = SPARE if all(name.weight for name in basket.constituents) else len(columns.symbols)
    return heaviest(columns.symbols, columns.weights)[: LARGEST + spare]


def _width(rows: SurfacePoints, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    # A variance on bids may be negative: no vol.
    with np.errstate(invalid="ignore"):
        return np.sqrt(rows.ask_variance[chosen]) - np.sqrt(rows.bid_variance[chosen])
