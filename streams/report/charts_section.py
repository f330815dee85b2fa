"""What the charts of a report show."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np

from analytics.arrays import Floats
from analytics.finite import finite_float
from streams.detection.history.days import DayFacts
from streams.detection.history.instant import instant_of
from streams.detection.rule_context import RuleContext
from streams.reading import Reading
from streams.report.document import AlertRow, Line, ReportChart
from streams.report.price_table import PriceTable
from streams.report.rotation_section import RotationSection
from streams.report.watch_list import WatchList

SESSIONS: Final = 126
MONTH: Final = 21
NEEDS_HISTORY: Final = "fewer than two closes: a history gives it, see `dispersion history import`"


def charts(
    context: RuleContext,
    prices: PriceTable,
    watched: WatchList,
    rotation: RotationSection,
    realized: Mapping[date, float],
    alerts: Sequence[AlertRow],
) -> tuple[ReportChart, ...]:
    """Spread with its band, correlation beside the realized one, strength of the set, sectors."""
    return (
        _spread(context, alerts),
        _correlation(context, realized),
        _strength(prices, watched),
        _sectors(rotation, watched),
    )


def _spread(context: RuleContext, alerts: Sequence[AlertRow]) -> ReportChart:
    closes = context.baseline.closes[-SESSIONS:]
    band = context.baseline.bands.get("vol_spread")
    return _lines(
        "spread",
        "Basket vol less index vol, points",
        [
            ("basket vol", [*_levels(closes, "basket_vol"), context.level("basket_vol")]),
            ("index vol", [*_levels(closes, "index_vol"), context.level("index_vol")]),
            ("spread", [*_levels(closes, "vol_spread"), context.level("vol_spread")]),
        ],
        [*(one.session.isoformat() for one in closes), context.reading.session.isoformat()],
        band=None if band is None else (band["p05"], band["p95"]),
        marks=tuple(sorted({one.starts_at.date().isoformat() for one in alerts})),
    )


def _correlation(context: RuleContext, realized: Mapping[date, float]) -> ReportChart:
    closes = context.baseline.closes[-SESSIONS:]
    sessions = [*(one.session for one in closes), context.reading.session]
    implied = [*_levels(closes, "implied_correlation"), context.level("implied_correlation")]
    drawn = [("implied", implied)]
    past = [realized.get(day) for day in sessions]
    if any(one is not None for one in past):
        drawn.append(("realized over 21 sessions", past))
    return _lines(
        "correlation", "Correlation, points", drawn, [day.isoformat() for day in sessions]
    )


def term_structure(tenors: Mapping[int, Reading], session: date) -> tuple[ReportChart, ...]:
    """Vols of the session by tenor, of the pair that the rules use; nothing without two tenors."""
    mine = {days: instant_of(one, 0) for days, one in tenors.items() if one.session == session}
    if len(mine) < 2:
        return ()
    drawn = [
        ("basket vol", [one.basket_level for one in mine.values()]),
        ("index vol", [one.index_level for one in mine.values()]),
        ("spread", [one.spread_level for one in mine.values()]),
    ]
    places = [f"{days} days" for days in mine]
    return (_lines("term", "Vols by days to expiry, points", drawn, places),)


def _strength(prices: PriceTable, watched: WatchList) -> ReportChart:
    places = [prices.column(one) for one in watched.of("defensive")]
    known = _with_enough_sessions(prices, [at for at in places if at is not None])
    if watched.benchmark not in prices.symbols or not known or len(prices.sessions) < 2:
        return ReportChart(
            name="strength",
            title="Defensives against the benchmark, percent",
            kind="lines",
            places=(),
            lines=(),
            reason="no prices of the defensive names and the benchmark over two sessions",
        )
    columns = [prices.symbols.index(watched.benchmark), *known]
    whole = np.flatnonzero(np.isfinite(prices.closes[-SESSIONS:][:, columns]).all(axis=1))
    # From the first session on that has all of them: lines with several origins mislead.
    rows = slice(int(whole[0]) - len(prices.closes[-SESSIONS:]) if len(whole) else -SESSIONS, None)
    index = prices.closes[rows, columns[0]]
    drawn = [(prices.symbols[at], _relative(prices.closes[rows, at], index)) for at in known]
    days = [day.isoformat() for day in prices.sessions[rows]]
    return _lines("strength", "Defensives against the benchmark, percent", drawn, days)


def _with_enough_sessions(prices: PriceTable, places: list[int]) -> list[int]:
    """The columns with a month of sessions, or half as many as the one that has most."""
    counts = np.isfinite(prices.closes[-SESSIONS:][:, places]).sum(axis=0)
    least = min(MONTH, counts.max(initial=0) / 2)
    return [at for at, count in zip(places, counts, strict=True) if count >= least]


def _relative(own: Floats, index: Floats) -> list[float | None]:
    ratio = own / index
    first = ratio[np.isfinite(ratio)][:1]
    return _listed(ratio / first[0] - 1) if first.size else [None] * len(ratio)


def _sectors(rotation: RotationSection, watched: WatchList) -> ReportChart:
    names = {one.symbol for one in watched.of("sector")}
    rows = [row for row in rotation.rows if row.symbol in names]
    title = "Sector funds since the prior close, percent"
    values = tuple(row.returns["1"].value for row in rows)
    if not any(value is not None for value in values):
        return ReportChart(
            name="sectors",
            title=title,
            kind="bars",
            places=(),
            lines=(),
            reason="no prices of the sector funds over two sessions",
        )
    listed = [f"{row.symbol} {row.returns['1'].text}" for row in rows]
    return ReportChart(
        name="sectors",
        title=title,
        kind="bars",
        places=tuple(row.symbol for row in rows),
        lines=(Line("since the prior close", values),),
        described=f"Bars: {', '.join(listed)}.",
    )


def _lines(
    name: str,
    title: str,
    drawn: Sequence[tuple[str, Sequence[float | None]]],
    places: Sequence[str],
    *,
    band: tuple[float, float] | None = None,
    marks: tuple[str, ...] = (),
) -> ReportChart:
    if len({at for _, values in drawn for at, one in enumerate(values) if one is not None}) < 2:
        return ReportChart(
            name=name, title=title, kind="lines", places=(), lines=(), reason=NEEDS_HISTORY
        )
    return ReportChart(
        name=name,
        title=title,
        kind="lines",
        places=tuple(places),
        lines=tuple(Line(line, tuple(values)) for line, values in drawn),
        band=band,
        marks=marks,
        described=" ".join(_described(line, values, places) for line, values in drawn),
    )


def _described(line: str, values: Sequence[float | None], places: Sequence[str]) -> str:
    known = [value for value in values if value is not None]
    days = [day for day, value in zip(places, values, strict=True) if value is not None]
    if not known:
        return f"{line}: nothing known."
    return (
        f"{line}: from {100 * known[0]:.1f} to {100 * known[-1]:.1f}, lowest "
        f"{100 * min(known):.1f}, highest {100 * max(known):.1f}, {days[0]} to {days[-1]}."
    )


def _levels(closes: Sequence[DayFacts], measure: str) -> list[float | None]:
    return [one.level(measure) for one in closes]


def _listed(values: Floats) -> list[float | None]:
    return [finite_float(value) if np.isfinite(value) else None for value in values.tolist()]
