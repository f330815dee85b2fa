"""What the rotation into defensives was worth in a history: computed from it, never quoted.

Defensives are low-beta and do not fall while a trade unwinds, so what is asked is what their
strength did on the day of a convergence and over the one to ten sessions after it, beside what it
did on any day.
"""

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec
import numpy as np
from scipy import stats

from analytics.arrays import Bools, Floats
from analytics.rotation import relative_strength
from streams.calendar.sessions import next_session
from streams.report.price_table import PriceTable
from streams.report.watch_list import Watched, WatchList

HORIZONS: Final = (0, 1, 5, 10)
"""Sessions after; 0 is the session itself."""
CONVERGENCE: Final = 0.10
"""Fall of the spread within a session, as a share of it (methodology 8.4)."""
SPIKE: Final = (0.03, 0.15, 0.05)
"""Rise of index vol, absolute and relative, and of implied correlation (methodology 8.5)."""
LEAST: Final = 3
"""Observations below which there is no interval."""
LEVEL: Final = 0.95


class Close(NamedTuple):
    """What is known of one session, None where it is not."""

    index_vol: float | None
    vol_spread: float | None
    implied_correlation: float | None


class Mean(msgspec.Struct, frozen=True):
    """A mean with its interval at 95 % (Student), and the share of values below 0."""

    count: int
    mean: float | None
    low: float | None
    high: float | None
    negative: float | None


class Conditional(msgspec.Struct, frozen=True):
    """Strength of the defensives after sessions of one kind, and after any session."""

    condition: str
    horizon: int
    after: Mean
    any_session: Mean


class Link(msgspec.Struct, frozen=True):
    """Correlation of two daily series with its interval at 95 % (Fisher's z)."""

    count: int
    value: float | None
    low: float | None
    high: float | None


class RotationStudy(msgspec.Struct, frozen=True, kw_only=True):
    """The whole."""

    index: str
    first: date | None
    last: date | None
    names: tuple[str, ...]
    benchmark: str
    strength_and_spread: Link
    """Daily strength of the defensives and the change of the spread in the same session."""
    conditional: tuple[Conditional, ...]


def rotation_study(
    index: str, closes: Mapping[date, Close], prices: PriceTable, watched: WatchList
) -> RotationStudy:
    """Study the names (no funds) of the defensive group over the sessions that have both.

    A session counts where the one before it in the exchange's calendar has prices and closes too.
    """
    names = tuple(one for one in watched.of("defensive") if "sector" not in one.groups)
    table = _Sessions.of(closes, prices, watched, names)
    kinds = {"convergence": table.converged, "vix spike": table.spiked}
    return RotationStudy(
        index=index,
        first=table.days[0] if table.days else None,
        last=table.days[-1] if table.days else None,
        names=tuple(one.symbol for one in names),
        benchmark=watched.benchmark,
        strength_and_spread=_link(table.strength, table.spread_change),
        conditional=tuple(
            Conditional(kind, horizon, _mean(moves[chosen]), _mean(moves))
            for kind, chosen in kinds.items()
            for horizon in HORIZONS
            for moves in (table.after(horizon),)
        ),
    )


def sentences(study: RotationStudy) -> tuple[str, ...]:
    """The study in words for a report."""
    if study.first is None:
        return ()
    link = study.strength_and_spread
    span = f"{study.first} to {study.last}"
    names = " and ".join(study.names)
    lines = [
        (
            f"In your history, {span}, {link.count} sessions: the daily strength of {names} "
            f"against {study.benchmark} has a correlation of {_with_interval(link)} with the "
            "change of the spread."
        )
    ]
    for one in study.conditional:
        if one.horizon in {0, 5} and one.after.mean is not None:
            when = "on the session" if one.horizon == 0 else f"over {one.horizon} sessions after it"
            lines.append(
                f"A {one.condition} ({one.after.count} sessions): {names} {when} "
                f"{100 * one.after.mean:+.2f} % against {study.benchmark}, on any session "
                f"{100 * (one.any_session.mean or 0):+.2f} %."
            )
    return tuple(lines)


def _with_interval(link: Link) -> str:
    if link.value is None or link.low is None or link.high is None:
        return "unknown (too few sessions)"
    return f"{link.value:.2f} (95 % interval {link.low:.2f} to {link.high:.2f})"


class _Sessions(NamedTuple):
    """Arrays over the n sessions that count, in order."""

    days: tuple[date, ...]
    strength: Floats
    """Of the session."""
    spread_change: Floats
    converged: Bools
    spiked: Bools
    price_rows: Floats
    """(sessions of the table, 2): mean growth of the names, and of the benchmark."""
    places: tuple[int, ...]
    """Row of each session there."""

    @classmethod
    def of(
        cls,
        closes: Mapping[date, Close],
        prices: PriceTable,
        watched: WatchList,
        names: tuple[Watched, ...],
    ) -> "_Sessions":
        growth = _growth(prices, watched, names)
        found = []
        for (before, _), (day, row) in pairwise(
            (day, row) for row, day in enumerate(prices.sessions)
        ):
            known = day in closes and before in closes and next_session(before) == day
            if known and np.isfinite(growth[row]).all():
                found.append((day, row, closes[before], closes[day]))
        changes = [_changes(before, now) for _, _, before, now in found]
        columns = np.array(changes, np.float64).reshape(len(found), 3)
        places = tuple(row for _, row, _, _ in found)
        return cls(
            tuple(day for day, *_ in found),
            relative_strength(growth[list(places), 0], growth[list(places), 1]),
            columns[:, 0],
            columns[:, 1] > 0,
            columns[:, 2] > 0,
            growth,
            places,
        )

    def after(self, horizon: int) -> Floats:
        """Strength of the session, or over so many after it; NaN where they are not all there."""
        if horizon == 0:
            return self.strength
        compounded = np.full(len(self.places), np.nan)
        for at, row in enumerate(self.places):
            rows = self.price_rows[row + 1 : row + 1 + horizon]
            if len(rows) == horizon and np.isfinite(rows).all():
                own, index = np.prod(1 + rows, axis=0) - 1
                compounded[at] = relative_strength(own, index)
        return compounded


def _growth(prices: PriceTable, watched: WatchList, names: tuple[Watched, ...]) -> Floats:
    """Returns of one session: the mean of the names, and the benchmark; (sessions, 2)."""
    groups = [names, (Watched(watched.benchmark),)]
    out = np.full((len(prices.sessions), 2), np.nan)
    for column, group in enumerate(groups):
        places = [prices.symbols.index(one.symbol) for one in group if one.symbol in prices.symbols]
        if places and len(prices.sessions) > 1:
            kept = prices.closes[:, places]
            out[1:, column] = (kept[1:] / kept[:-1] - 1).mean(axis=1)
    return out


def _changes(before: Close, now: Close) -> tuple[float, float, float]:
    """Change of the spread; whether it converged; whether index vol spiked with correlation."""
    spread = _less(now.vol_spread, before.vol_spread)
    vol = _less(now.index_vol, before.index_vol)
    rho = _less(now.implied_correlation, before.implied_correlation)
    absolute, relative, correlated = SPIKE
    fell = spread is not None and -spread >= CONVERGENCE * abs(before.vol_spread or 0.0)
    jumped = vol is not None and vol >= max(absolute, relative * (before.index_vol or 0.0))
    spiked = jumped and rho is not None and rho >= correlated
    return (np.nan if spread is None else spread, float(fell), float(spiked))


def _less(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before


def _mean(values: Floats) -> Mean:
    known = values[np.isfinite(values)]
    if not known.size:
        return Mean(0, None, None, None, None)
    mean, negative = float(known.mean()), float((known < 0).mean())
    if known.size < LEAST:
        return Mean(int(known.size), mean, None, None, negative)
    spread = float(stats.t.ppf(0.5 + LEVEL / 2, known.size - 1)) * float(stats.sem(known))
    return Mean(int(known.size), mean, mean - spread, mean + spread, negative)


def _link(left: Floats, right: Floats) -> Link:
    both = np.isfinite(left) & np.isfinite(right)
    count = int(both.sum())
    if count <= LEAST or left[both].std() == 0 or right[both].std() == 0:
        return Link(count, None, None, None)
    value = float(np.corrcoef(left[both], right[both])[0, 1])
    half = float(stats.norm.ppf(0.5 + LEVEL / 2)) / np.sqrt(count - 3)
    z = np.arctanh(value)
    return Link(count, value, float(np.tanh(z - half)), float(np.tanh(z + half)))
