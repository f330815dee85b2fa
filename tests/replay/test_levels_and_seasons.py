"""Crowded trades and correlation regimes on all published closes (evaluation data).

How often they come, in which weeks, and how they end.
"""

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from streams.detection.history.seasonality import quarter_week
from tests.support.published_history import History, history

pytestmark = [pytest.mark.evaluation, pytest.mark.timeout(900)]

PAGE = Path(__file__).parents[2] / "docs/numbers/rules.md"


def sessions(run: History, rule: str) -> set[str]:
    return {event.session.isoformat() for event in run.fired if event.rule == rule} & set(
        run.evaluated
    )


def early(days: set[str]) -> int:
    return sum(quarter_week(date.fromisoformat(day)) <= 4 for day in days)


def rises(run: History) -> list[bool]:
    """Of each evaluated session: whether VIX closes at least 25 % higher within ten sessions."""
    levels = {
        close.reading.session.isoformat(): close.reading.index_vol or 0.0 for close in run.closes
    }
    vix = [levels[day] for day in run.evaluated]
    return [max(vix[at + 1 : at + 11], default=0.0) >= 1.25 * vix[at] for at in range(len(vix))]


def episodes(days: list[str], firing: set[str]) -> list[int]:
    """Places of the firing sessions that are more than ten sessions after the one before."""
    places = [at for at, day in enumerate(days) if day in firing]
    return [at for at, before in zip(places, [-99, *places], strict=False) if at - before > 10]


def test_the_page_has_the_counts() -> None:
    text, run = PAGE.read_text(encoding="utf-8"), history()
    days, risen = run.evaluated, rises(run)
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \| ([\d.]+) \| (\d+) \|$", text, re.MULTILINE)
    assert len(rows) == 6
    for rule, *shown in rows:
        firing = sessions(run, rule)
        first = episodes(days, firing)
        share = float(np.mean([risen[at] for at in first]))
        assert shown == [
            str(len(firing)),
            str(len(first)),
            f"{share:.2f}",
            str(len(sessions(history(0), rule))),
        ], rule
    assert f"{len(days):,} published closes" in text
    assert f"with a probability of {np.mean(risen):.2f}" in text


def test_seasons_take_away_what_earnings_bring_and_nothing_else() -> None:
    found, plain = (
        sessions(history(), "dispersion_extreme"),
        sessions(history(0), "dispersion_extreme"),
    )
    assert found < plain, "the bar is raised, never lowered"
    assert early(plain) / len(plain) > 0.8
    assert early(found) / len(found) < 0.75
    assert sessions(history(), "correlation_regime") < sessions(history(0), "correlation_regime")
    assert sessions(history(), "vix_spike_unwind") == sessions(history(0), "vix_spike_unwind")


def test_the_spread_is_high_in_the_first_four_weeks_of_a_quarter() -> None:
    known = [close.reading for close in history().closes if close.reading.vol_spread is not None]
    spreads = np.array([reading.vol_spread for reading in known], dtype=np.float64)
    excess = [spreads[at] - np.median(spreads[at - 125 : at + 1]) for at in range(125, len(known))]
    weeks = np.array([quarter_week(reading.session) for reading in known[125:]])
    by_week = [float(np.mean(np.array(excess)[weeks == week])) for week in range(1, 13)]
    print([round(100 * value, 2) for value in by_week])
    assert all(0.015 < value < 0.03 for value in by_week[:4])
    assert all(-0.0125 < value < -0.0025 for value in by_week[5:])


def test_the_unwind_of_october_2025_ends_a_crowded_trade() -> None:
    (before,), after = (
        history().on("2025-10-09", "dispersion_extreme"),
        history().on("2025-10-10", "dispersion_extreme"),
    )
    assert (before.severity, before.label, before.direction) == ("info", "extreme", None)
    assert not after
    assert history().on("2025-10-10", "vix_spike_unwind")
