"""The verdict in one sentence, and risks and opportunities as measured statements.

Every sentence is made of figures that stand in the report; none says what will happen.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from analytics.arrays import Floats
from streams.detection.rule_context import RuleContext
from streams.detection.views.explanation import Explanation
from streams.report.calendar_section import Event
from streams.report.document import MeasureRow, Sign, Statement
from streams.report.figure import Figure
from streams.report.sector_section import SectorSection, spillover

CONVERGING: Final = ("vol_convergence", "vix_spike_unwind", "broad_repricing")
"""Rules on the end of the trade."""
LEAST: Final = 60
"""Closes below which no half-life is said."""


def verdict(explained: Explanation, rows: Sequence[MeasureRow], score: Sequence[Sign]) -> str:
    """Regime, the kind of rotation, and the distance to the nearest alert."""
    now = {row.field: row.now.text for row in rows}
    passed = sum(one.passed is True for one in score)
    unknown = sum(one.passed is None for one in score)
    leaning = "mechanical-leaning" if passed >= 4 else "not mechanical-leaning"
    return (
        f"{explained.reading.index} is {explained.regime}: index vol {now['index_vol']}, "
        f"basket vol {now['basket_vol']}, implied correlation {now['implied_correlation']}; "
        f"the rotation is {leaning} ({passed} of 6 signs, {unknown} unknown); "
        f"{_nearest(explained)}."
    )


def _nearest(explained: Explanation) -> str:
    firing = sorted({one.rule for one in explained.alerts if one.status == "firing"})
    if firing:
        return f"firing: {', '.join(firing)}"
    known = [
        (line.distance, line.rule)
        for line in explained.rules
        if line.distance is not None and line.rule != "data_quality"
    ]
    if not known:
        return "no rule can say how far its alert is"
    distance, rule = min(known)
    return f"the nearest alert is {rule}, {100 * (1 - distance):.0f} % of the way"


def statements(
    explained: Explanation,
    context: RuleContext,
    rows: Sequence[MeasureRow],
    sectors: SectorSection,
    events: Sequence[Event],
) -> tuple[Statement, ...]:
    """Compression, carry, technology, and what tests the picture next."""
    by_field = {row.field: row for row in rows}
    return (
        *_compression(context, by_field["vol_spread"]),
        _convergence(explained),
        *_carry(by_field),
        Statement(kind="risk", subject="technology spillover", text=spillover(sectors)),
        *_next(events),
    )


def _compression(context: RuleContext, spread: MeasureRow) -> Iterator[Statement]:
    levels = context.baseline.levels("vol_spread")
    yield Statement(
        kind="risk",
        subject="dispersion compression",
        text=(
            f"The spread of basket over index vol is {spread.now.text} points, at rank "
            f"{_or_why(spread.rank)} of the trailing year; {half_life_words(levels)}."
        ),
    )


def _convergence(explained: Explanation) -> Statement:
    """How far the rules are that tell it, whatever their scope."""
    told = [f"{rule} {_way(explained, rule)}" for rule in CONVERGING]
    return Statement(
        kind="risk",
        subject="convergence",
        text=f"On the way to an alert: {', '.join(told)} (100 % fires).",
    )


def _way(explained: Explanation, rule: str) -> str:
    mine = [one.distance for one in explained.rules if one.rule == rule]
    known = [distance for distance in mine if distance is not None]
    return f"{100 * (1 - min(known)):.0f} %" if known else "unknown"


def half_life_words(levels: Floats) -> str:
    """The half-life of deviations of the spread from its mean, AR(1) by least squares.

    Source: methodology 7.4.

    >>> half_life_words(np.zeros(3))
    'no half-life: 3 closes, 60 are needed'
    """
    if len(levels) < LEAST:
        return f"no half-life: {len(levels)} closes, {LEAST} are needed"
    centred = levels - levels.mean()
    before, after = centred[:-1], centred[1:]
    phi = float(before @ after / (before @ before))
    if not 0 < phi < 1:
        return f"its deviations do not decay (AR(1) {phi:.2f})"
    sessions = np.log(0.5) / np.log(phi)
    return f"half of a deviation has gone after {sessions:.0f} sessions (AR(1) {phi:.2f})"


def _carry(rows: dict[str, MeasureRow]) -> Iterator[Statement]:
    premium, implied = rows["correlation_premium"], rows["implied_correlation"]
    realized = rows["realized_correlation"]
    yield Statement(
        kind="opportunity",
        subject="carry of the trade",
        text=(
            f"Implied correlation is {_or_why(implied.now)} against {_or_why(realized.now)} "
            f"realized over the trailing window: a premium of {_or_why(premium.now)} points for "
            "whoever is short correlation, before costs."
        ),
    )


def _next(events: Sequence[Event]) -> Iterator[Statement]:
    named = [f"{one.day} {one.kind.replace('_', ' ')} {one.symbol}".rstrip() for one in events]
    said = ", ".join(named[:6]) if named else "none known in the next ten sessions"
    yield Statement(kind="next", subject="what tests the picture next", text=f"Events: {said}.")


def _or_why(one: Figure) -> str:
    return one.text if one.value is not None else f"unknown ({one.why})"
