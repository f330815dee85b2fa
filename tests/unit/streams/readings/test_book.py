"""The standard books of a reading, against a few lines of NumPy and against options revalued."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pytest

from analytics.black76 import greeks, price
from analytics.trade import MONTH
from streams.calendar.sessions import close_ns, equity_close_ns, open_ns
from streams.points import PointsFrame
from streams.reading import Book, BookWindow, Reading
from streams.readings.cross_section import CrossSection
from streams.readings.cross_section_state import CrossSectionCheckpoint
from streams.records import NS
from streams.stage import Output
from tests.support.cross_section_run import WEIGHTS, Run
from tests.support.points_frames import frame, market, prices, spec, surfaces

FRIDAY, MONDAY = date(2026, 7, 10), date(2026, 7, 13)
BEFORE = {"IDX": 0.18, "A": 0.30, "B": 0.25, "C": 0.40, "D": 0.20}
AFTER = {"IDX": 0.25, "A": 0.33, "B": 0.24, "C": 0.47, "D": 0.22}
PRICES = dict.fromkeys(BEFORE, 100.0)
MOVED = {"IDX": 99.0, "A": 97.0, "B": 101.5, "C": 98.0, "D": 100.0}
HOUR = 3600 * NS


def close(
    session: date,
    vols: Mapping[str, float | None],
    levels: Mapping[str, float] | None = None,
    **more: Any,
) -> PointsFrame:
    """Everything at the session's last second."""
    at = close_ns(session)
    ticks = None if levels is None else prices(levels, equity_close_ns(session))
    return frame(at, surfaces=surfaces(vols, at - NS, **more), prices=ticks)


def during(
    session: date,
    after: int,
    vols: Mapping[str, float | None],
    levels: Mapping[str, float] | None = None,
    **more: Any,
) -> PointsFrame:
    """Everything so many ns after the open."""
    at = open_ns(session) + after
    ticks = None if levels is None else prices(levels, at)
    return frame(at, surfaces=surfaces(vols, at, **more), prices=ticks)


def marked(*frames: PointsFrame, **more: Any) -> Reading:
    return Run(**more).feed(*frames)[-1]


def book_of(reading: Reading) -> Book:
    assert reading.book is not None, reading.reasons
    return reading.book


def since_close(reading: Reading) -> BookWindow:
    window = book_of(reading).close
    assert window is not None, reading.reasons
    return window


def test_marks_since_the_close_by_hand() -> None:
    window = since_close(marked(close(FRIDAY, BEFORE), during(MONDAY, HOUR, AFTER)))
    w = np.array(list(WEIGHTS.values()))
    s0, s1 = (np.array([vols[name] for name in WEIGHTS]) for vols in (BEFORE, AFTER))
    rise = w @ (s1 - s0)
    scale = {"vega": 1.0, "theta": 0.18 / (w @ s0), "gamma": (1 / 0.18) / (w @ (1 / s0))}
    for weighting, x in scale.items():
        mark = getattr(window, weighting)
        assert mark.index == pytest.approx(0.18 - 0.25, abs=1e-12)
        assert mark.singles == pytest.approx(x * rise, abs=1e-12)
        assert mark.total == pytest.approx(0.18 - 0.25 + x * rise, abs=1e-12)
        assert mark.gamma is None
    assert (window.session, window.names, window.coverage) == (FRIDAY, 4, 1.0)


def revalued(start: Mapping[str, float], end: Mapping[str, float], years: float) -> np.ndarray:
    """P&L of straddles, one unit of vega a leg, hedged at the start: Black-76 at both ends."""
    s0, s1 = (np.array([vols[name] for name in BEFORE]) for vols in (start, end))
    moved = np.array([MOVED[name] / PRICES[name] for name in BEFORE])
    at_start = [greeks(1.0, 1.0, MONTH, s0, call) for call in (True, False)]
    value = [
        sum(price(forward, 1.0, left, vols, call) for call in (True, False))
        for forward, left, vols in ((1.0, MONTH, s0), (moved, MONTH - years, s1))
    ]
    delta, vega = (sum(getattr(one, name) for one in at_start) for name in ("delta", "vega"))
    return np.asarray((value[1] - value[0] - delta * (moved - 1.0)) / vega)


@pytest.mark.parametrize("after", [AFTER, BEFORE])
def test_on_ticks_the_legs_are_what_revalued_options_earn(after: dict[str, float]) -> None:
    reading = marked(close(FRIDAY, BEFORE, PRICES), during(MONDAY, HOUR, after, MOVED))
    window = since_close(reading)
    years = (open_ns(MONDAY) + HOUR - close_ns(FRIDAY)) / NS / (365 * 86_400)
    legs = revalued(BEFORE, after, years)
    w, s0 = np.array(list(WEIGHTS.values())), np.array([BEFORE[name] for name in WEIGHTS])
    scale = {"vega": 1.0, "theta": 0.18 / (w @ s0), "gamma": (1 / 0.18) / (w @ (1 / s0))}
    for weighting, x in scale.items():
        mark = getattr(window, weighting)
        assert mark.gamma is not None
        gross = abs(mark.index) + abs(mark.singles) + abs(mark.gamma)
        options = x * (w @ legs[1:]) - legs[0]
        assert mark.total == pytest.approx(mark.index + mark.singles + mark.gamma, abs=1e-15)
        # What is left out: volga, vanna and the third order.
        assert abs(mark.total - options) <= 0.10 * gross + 0.0005


def test_gamma_says_why_it_is_not_there() -> None:
    some = {"IDX": 99.0, "A": 97.0, "D": 101.0}
    cases = {
        "no_ticks": (PRICES, {}),
        "no_index_ticks": (PRICES, dict.fromkeys(WEIGHTS, 99.0)),
        "coverage": (PRICES, some),
    }
    for reason, (first, then) in cases.items():
        reading = marked(close(FRIDAY, BEFORE, first), during(MONDAY, HOUR, AFTER, then))
        mark = since_close(reading).vega
        assert reading.reasons["book.close.gamma"] == reason
        assert mark.gamma is None
        assert mark.total == pytest.approx(mark.index + mark.singles, abs=1e-15)


def test_a_split_of_a_name_is_no_gamma() -> None:
    split = {**MOVED, "D": 50.0}
    frames = close(FRIDAY, BEFORE, PRICES), during(MONDAY, HOUR, AFTER, split)
    whole = since_close(marked(frames[0], during(MONDAY, HOUR, AFTER, MOVED)))
    window = since_close(marked(*frames))
    assert window.vega.gamma is not None
    assert whole.vega.gamma is not None
    assert abs(window.vega.gamma - whole.vega.gamma) < 0.01


def test_the_open_is_the_first_reading_that_is_believed() -> None:
    between = {name: vol + 0.01 for name, vol in BEFORE.items()}
    frames = [
        close(FRIDAY, BEFORE),
        during(MONDAY, 10 * 60 * NS, AFTER),
        during(MONDAY, 15 * 60 * NS, between, flags={"IDX": "strip_gap"}),
        during(MONDAY, 16 * 60 * NS, between),
        during(MONDAY, HOUR, AFTER),
    ]
    run = Run()
    before, doubted, first, *_, last = [
        reading
        for reading in run.feed(*frames)
        if reading.session == MONDAY and "no_input" not in reading.flags
    ]
    assert before.reasons["book.open"] == first.reasons["book.open"] == "no_opening"
    assert (doubted.book, doubted.reasons["book"]) == (None, "doubted")
    window = book_of(last).open
    assert window is not None
    assert int(window.since.timestamp()) * NS == open_ns(MONDAY) + 16 * 60 * NS
    assert window.vega.index == pytest.approx(0.19 - 0.25, abs=1e-12)


@pytest.mark.parametrize("flag", ["strip_gap", "strip_wide"])
def test_a_close_that_is_doubted_is_not_compared_with(flag: str) -> None:
    thursday, odd = date(2026, 7, 9), {**BEFORE, "IDX": 0.60}
    window = since_close(
        marked(
            close(thursday, BEFORE),
            close(FRIDAY, odd, flags={"IDX": flag}),
            during(MONDAY, HOUR, AFTER),
        )
    )
    assert window.session == thursday
    assert window.vega.index == pytest.approx(-0.07, abs=1e-12)


def test_there_is_no_mark_across_a_gap_or_on_too_few_names() -> None:
    gap = marked(close(date(2026, 6, 26), BEFORE), during(MONDAY, HOUR, AFTER))
    assert (book_of(gap).close, gap.reasons["book.close"]) == (None, "no_prior_close")
    few = marked(close(FRIDAY, {**BEFORE, "A": None}), during(MONDAY, HOUR, AFTER))
    assert few.reasons["book.close"] == "no_prior_close"
    others = close(FRIDAY, {**BEFORE, "D": None}), during(MONDAY, HOUR, {**AFTER, "B": None})
    assert marked(*others).reasons["book.close"] == "coverage"
    blind = marked(close(FRIDAY, BEFORE), during(MONDAY, HOUR, {**AFTER, "IDX": None}))
    assert (blind.book, blind.reasons["book"]) == (None, "too_few")


def test_a_name_that_goes_is_no_part_of_the_mark() -> None:
    gone = {**AFTER, "D": None}
    window = since_close(marked(close(FRIDAY, BEFORE), during(MONDAY, HOUR, gone)))
    w = np.array([0.40, 0.25, 0.20]) / 0.85
    moves = np.array([AFTER[name] - BEFORE[name] for name in "ABC"])
    assert window.vega.singles == pytest.approx(w @ moves, abs=1e-12)
    assert window.names == 3
    assert window.coverage == pytest.approx(0.85)


def test_vols_without_strips_are_marked_on_their_own_pair() -> None:
    reading = marked(close(FRIDAY, BEFORE, in_vols=True), during(MONDAY, HOUR, AFTER, in_vols=True))
    assert reading.basis == "atm"
    assert since_close(reading).vega.index == pytest.approx(-0.07, abs=1e-12)
    assert reading.reasons["book.cost"] == "basis_atm"
    mixed = marked(close(FRIDAY, BEFORE), during(MONDAY, HOUR, AFTER, in_vols=True))
    assert mixed.reasons["book.close"] == "no_prior_close", "the pairs are never mixed"


def test_what_the_book_costs() -> None:
    book = book_of(marked(close(FRIDAY, BEFORE)))
    w, s = np.array(list(WEIGHTS.values())), np.array([BEFORE[name] for name in WEIGHTS])
    x = 0.18 / (w @ s)
    for carry, scale in (
        (book.vega, 1.0),
        (book.theta, x),
        (book.gamma, (1 / 0.18) / (w @ (1 / s))),
    ):
        assert carry is not None
        assert carry.cost == pytest.approx(0.5 * (0.02 + scale * 0.02), abs=1e-12)
        decay = -(scale * (w @ s) - 0.18) / (2 * MONTH) / 365
        assert carry.time_decay == pytest.approx(decay, abs=1e-12)
    assert book.breakeven_correlation == pytest.approx(0.18**2 / (w @ s**2), abs=1e-12)


def test_a_restart_at_any_point_changes_nothing() -> None:
    frames = [
        close(FRIDAY, BEFORE, PRICES),
        during(MONDAY, 20 * 60 * NS, AFTER, MOVED),
        during(MONDAY, HOUR, AFTER, MOVED),
        close(MONDAY, BEFORE, PRICES),
    ]
    straight = Run().feed(*frames)
    index = spec(WEIGHTS)
    stored: dict[str, bytes] = {}
    readings: list[Reading] = []
    for each in frames:
        section = CrossSection(index, market(index))
        checkpoint = CrossSectionCheckpoint(section)
        if stored:
            checkpoint.restore(stored)
        readings += section.receive(each, b"", Output().counts)
        for name, value in checkpoint.chunks().items():
            if value:
                stored[name] = value
            else:
                stored.pop(name, None)
    assert readings == straight
    assert {name for name in stored if name.startswith("vols/")} == {
        "vols/2026-07-10",
        "vols/2026-07-13",
        "vols/open",
    }


def test_a_checkpoint_from_before_the_books_is_read() -> None:
    index = spec(WEIGHTS)
    section = CrossSection(index, market(index))
    section.receive(close(FRIDAY, BEFORE, PRICES), b"", Output().counts)
    chunks = CrossSectionCheckpoint(section).chunks()
    old = {name: value for name, value in chunks.items() if not name.startswith("vols/") and value}
    later = CrossSection(index, market(index))
    CrossSectionCheckpoint(later).restore(old)
    readings = later.receive(during(MONDAY, HOUR, AFTER), b"", Output().counts)
    assert readings[-1].reasons["book.close"] == "no_prior_close"


def test_other_tenors_have_no_book() -> None:
    run = Run(tenors=(30, 91))
    (_, other) = run.feed(close(FRIDAY, BEFORE))
    assert (other.book, other.reasons["book"]) == (None, "no_window")


def test_correlations_of_the_book_need_one_of_the_largest_names() -> None:
    weights = {f"N{at:03}": 1.01 if at < 50 else 1.0 for at in range(200)}
    vols: dict[str, float | None] = {
        name: 0.3 if at >= 50 else None for at, name in enumerate(weights)
    }
    reading = marked(close(FRIDAY, {"IDX": 0.18, **vols}), weights=weights)
    book = book_of(reading)
    assert (book.breakeven_correlation, book.realized_correlation, book.carry) == (None, None, None)
    for name in ("breakeven_correlation", "realized_correlation", "carry"):
        assert reading.reasons[f"book.{name}"] == "coverage"
