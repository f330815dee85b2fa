"""The six signs of a mechanical rotation, each with its evidence.

The rule leaves the fourth unknown, for it has no calendar; the report has one.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from streams.calendar.expiries import sessions_to_standard_monthly
from streams.calendar.sessions import shift_session
from streams.detection.rule_context import RuleContext
from streams.detection.rules.catalogue import RuleSet
from streams.detection.rules.mechanical_rotation import (
    MechanicalRotation,
    MechanicalRotationNumbers,
)
from streams.detection.rules.mechanical_score import UNTESTABLE, RotationEnter, score_of
from streams.reading import Rotation
from streams.report.calendar_section import NO_CALENDAR, Event
from streams.report.document import Sign
from streams.report.price_table import PriceTable
from streams.report.reasons import words_of
from streams.report.watch_list import Watched

YIELDS: Final = ("TNX", "US10Y", "DGS10")
"""Symbols under which a file of prices may hold the 10-year yield."""
MACRO: Final = frozenset({"fomc", "cpi", "payrolls"})
USUAL: Final = 0.5
"""Of the mean absolute daily change of the yield over 60 sessions."""
NEAR: Final = 2
"""Sessions either side of the report within which a report of a company counts."""


def signs(
    context: RuleContext,
    numbers: RotationEnter,
    events: Sequence[Event] | None,
    prices: PriceTable,
    names: Sequence[str],
) -> tuple[Sign, ...]:
    """Tests (a) to (f) of methodology 9 in that order; `names` are those whose reports count."""
    tests = dict(score_of(context, numbers).tests)
    quiet = quiet_fundamentals(context.reading.session, events, prices, names)
    evidence = _evidence(context)
    return tuple(
        quiet if name == UNTESTABLE else Sign(name, passed, evidence.get(name, ""))
        for name, passed in tests.items()
    )


def quiet_fundamentals(
    session: date,
    events: Sequence[Event] | None,
    prices: PriceTable,
    names: Sequence[str],
) -> Sign:
    """No report near, no macro event near, and the 10-year yield has moved less than usual.

    One failed part fails it, whatever is unknown.
    """
    calendar, why = _calendar_quiet(session, events, names)
    rates, why_rates = _yield_quiet(prices)
    parts = (calendar, rates)
    passed = False if False in parts else None if None in parts else True
    return Sign(UNTESTABLE, passed, f"{why}; {why_rates}")


def _calendar_quiet(
    session: date, events: Sequence[Event] | None, names: Sequence[str]
) -> tuple[bool | None, str]:
    if events is None:
        return None, NO_CALENDAR
    first, last = shift_session(session, -NEAR), shift_session(session, NEAR)
    near = [one for one in events if first <= one.day <= last]
    reports = sorted({one.symbol for one in near if one.kind == "earnings"} & set(names))
    macro = sorted({one.kind for one in near if one.kind in MACRO})
    if reports or macro:
        return False, f"within {NEAR} sessions: {', '.join([*reports, *macro])}"
    return True, f"no report of the watched names and no macro event within {NEAR} sessions"


def _yield_quiet(prices: PriceTable) -> tuple[bool | None, str]:
    held = Watched(YIELDS[0], instead=YIELDS[1:])
    at = prices.column(held)
    if at is None:
        return None, f"no 10-year yield among the prices ({', '.join(YIELDS)})"
    column = prices.closes[-61:, at]
    moves = np.abs(np.diff(column))
    if len(moves) < 20 or not np.isfinite(moves).all():
        return None, f"{held.symbol}: fewer than 20 daily changes"
    usual, today = float(moves[:-1].mean()), float(moves[-1])
    return today < USUAL * usual, f"{held.symbol} moved {today:.3f}, usually {usual:.3f}"


def _evidence(context: RuleContext) -> dict[str, str]:
    rotation = context.reading.rotation or Rotation()
    rank = context.baseline.rank
    ratio = rank("vol_ratio", context.now.vol_ratio)
    rho = rank("implied_correlation", context.now.implied_correlation)
    z = rotation.sector_dispersion_z
    again = rotation.autocorrelation
    reasons, baseline = context.reading.reasons, context.baseline
    young = f"{len(baseline.closes)} of the {baseline.minimum} closes that are needed"

    def lacks(field: str) -> str:
        whole = reasons.get("rotation", "too few sessions")
        return words_of(reasons.get(f"rotation.{field}", whole))

    left = sessions_to_standard_monthly(context.reading.session) or "unknown"
    return {
        "test_vol_ratio_high": _of("rank of basket vol over index vol", ratio, young),
        "test_correlation_low": _of("rank of implied correlation", rho, young),
        "test_sectors_apart": _of("z of sector dispersion", z, lacks("sector_dispersion_z")),
        "test_before_expiry": f"{left} sessions to the monthly expiry",
        "test_moves_revert": _of(
            "autocorrelation of relative strength", again, lacks("autocorrelation")
        ),
    }


def _of(name: str, value: float | None, why: str) -> str:
    return f"{name}: unknown, {why}" if value is None else f"{name} {value:.2f}"


def defensives_and_largest(watched: Sequence[Watched], weights: dict[str, float]) -> list[str]:
    """The defensive names of the watch list and the ten heaviest of the basket."""
    largest = sorted(weights, key=lambda name: (-weights[name], name))[:10]
    return [*largest, *(one.symbol for one in watched if "defensive" in one.groups)]


def mechanical_numbers(rules: RuleSet) -> RotationEnter:
    """Thresholds of the signs, as the rule on rotation has them."""
    numbers = rules.rules[MechanicalRotation.name]
    assert isinstance(numbers, MechanicalRotationNumbers)
    return numbers.enter
