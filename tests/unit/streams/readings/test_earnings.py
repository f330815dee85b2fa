"""Vols without coming reports: by hand, from chains, and on a recorded close."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pytest

from analytics.atm import atm_vols
from analytics.correlation import implied_correlation
from config.baskets import find_basket, load_basket
from streams.calendar.expiries import settlement_ns
from streams.calendar.sessions import close_ns, date_of, day_number, next_session
from streams.market import Basket, Constituent, EarningsReport, IndexSpec, Market
from streams.points import EarningsPoints, PointsFrame
from streams.points_codec import encode_points
from streams.reading import Reading, decode_reading
from streams.readings.cross_section import CrossSection
from streams.readings.cross_section_stage import CrossSectionStage
from streams.records import NS, InputRecord
from streams.stage import Output
from streams.valuation.quotes_stage import QuotesStage
from streams.valuation.strips import NAME_RULES, value_judged
from tests.support.cross_section_run import VOLS, WEIGHTS
from tests.support.input_records import frame_of, frames_in
from tests.support.nbbo_closes import closing_quotes, closing_reading
from tests.support.option_boards import board_of
from tests.support.option_chains import Chain, quotes_of
from tests.support.points_frames import SESSION, quoted, second, spec

SOON, LATER = date(2026, 7, 21), date(2026, 8, 12)


def points(ratios: Mapping[str, tuple[float, float]], *, near: str = "") -> EarningsPoints:
    columns = np.array(list(ratios.values())).reshape(-1, 2).T
    return EarningsPoints(
        tuple(ratios),
        columns[0],
        columns[1],
        np.full(len(ratios), day_number(SOON)),
        np.array([name in near for name in ratios]),
    )


def reading(*frames: PointsFrame, calendar: bool = True, **more: Any) -> Reading:
    index = spec(WEIGHTS, **more)
    market = Market((index,), earnings=() if calendar else None, mode="replay")
    section = CrossSection(index, market)
    found = [one for each in frames for one in section.receive(each, b"", Output().counts)]
    return next(one for one in reversed(found) if one.tenor_days == 30)


def test_values_by_hand() -> None:
    said = points({"A": (0.81, 0.95), "C": (0.49, 0.80), "other": (0.1, 0.1)}, near="C")
    found = reading(quoted(second(60), VOLS, earnings=said))
    w = np.array([WEIGHTS[name] for name in "ABCD"])
    vols = np.array([VOLS[name] for name in "ABCD"])
    variance = vols**2 * [0.81, 1.0, 0.49, 1.0]
    ex = found.earnings
    assert ex is not None
    assert ex.basket_vol == pytest.approx(np.sqrt(w @ variance / w.sum()), abs=1e-12)
    assert ex.vol_spread == pytest.approx((ex.basket_vol or 0.0) - VOLS["IDX"], abs=1e-12)
    rho = implied_correlation(VOLS["IDX"], w, vols * [0.95, 1.0, 0.80, 1.0])
    assert ex.implied_correlation == pytest.approx(rho, abs=1e-12)
    assert (found.basket_vol or 0.0) > (ex.basket_vol or 0.0)
    assert (found.implied_correlation or 0.0) < (ex.implied_correlation or 0.0)
    assert [(one.symbol, one.day, one.weight) for one in ex.names] == [("C", SOON, 0.20)]
    assert (ex.weight, ex.coverage, ex.coverage_atm) == (0.20, 1.0, 1.0)


def test_a_name_whose_report_cannot_be_told_apart_drops_out() -> None:
    said = points({"D": (np.nan, 1.0)}, near="D")
    ex = reading(quoted(second(60), VOLS, earnings=said)).earnings
    assert ex is not None
    w, vols = (np.array([table[name] for name in "ABC"]) for table in (WEIGHTS, VOLS))
    assert ex.basket_vol == pytest.approx(np.sqrt(w @ vols**2 / w.sum()), abs=1e-12)
    assert ex.coverage == pytest.approx(0.85)
    assert ex.coverage_atm == 1.0
    too_many = points({"A": (np.nan, np.nan)}, near="A")
    found = reading(quoted(second(60), VOLS, earnings=too_many))
    assert found.earnings is not None
    assert found.earnings.basket_vol is None
    parts = ("basket_vol", "vol_spread", "implied_correlation")
    assert {found.reasons[f"earnings.{part}"] for part in parts} == {"coverage"}


def test_without_a_calendar_it_says_so() -> None:
    found = reading(quoted(second(60), VOLS), calendar=False)
    assert (found.earnings, found.reasons["earnings"]) == (None, "no_calendar")
    assert not any(name.startswith("earnings.") for name in found.reasons)


def test_what_was_said_stays_until_the_next_session_and_over_a_restart() -> None:
    index = spec(WEIGHTS)
    market = Market((index,), earnings=(), mode="replay")
    said = points({"A": (0.81, 0.95)}, near="A")
    tomorrow = second(60, next_session(SESSION))
    frames = [
        quoted(second(60), VOLS, earnings=said),
        quoted(second(61), VOLS),
        quoted(tomorrow, VOLS),
    ]

    def played(*, restarted: bool) -> list[Reading]:
        found, chunks, stage = [], dict[str, bytes](), CrossSectionStage(market)
        for at, one in enumerate(frames):
            record = InputRecord("points", 0, at, one.boundary // 10**6, b"IDX", encode_points(one))
            found += [
                decode_reading(each.value or b"") for each in stage.process([record]).messages
            ]
            if restarted:
                chunks |= stage.chunks()
                stage = CrossSectionStage(market)
                stage.restore(chunks)
        return found

    first, *_ = found = played(restarted=False)
    assert found == played(restarted=True)
    at = {one.ts_event.timestamp(): one.earnings for one in found}
    assert first.earnings == at[second(61) / NS]
    assert first.earnings is not None
    assert len(first.earnings.names) == 1
    after = at[tomorrow / NS]
    assert after is not None
    assert (after.names, after.basket_vol) == ((), found[-1].basket_vol)


def test_a_partial_basket_has_the_vols_and_no_correlation() -> None:
    names = tuple(Constituent(name, weight) for name, weight in WEIGHTS.items())
    index = IndexSpec("IDX", Basket("few", names, partial=True))
    section = CrossSection(index, Market((index,), earnings=(), mode="replay"))
    (found,) = section.receive(quoted(second(60), VOLS), b"", Output().counts)
    assert found.earnings is not None
    assert found.earnings.basket_vol == found.basket_vol
    assert found.reasons["earnings.implied_correlation"] == "partial_basket"


# From quotes. Vols of two terms that hold a report of 5 % in the first, in the second, in none.

DAYS = (28, 42)
TERMS = (date(2026, 8, 7), date(2026, 8, 21))
QUIET, REPORT = 0.25, 0.05
CLOSE = close_ns(SESSION)


def with_report(name: str, *inside: bool) -> list[Chain]:
    """A name's chains with its vol of each term."""
    return [
        Chain(
            name,
            (day,),
            float(np.sqrt(QUIET**2 + (365 * REPORT**2 - 365 / 252 * QUIET**2) / days * holds)),
            step=0.5,
            half_spread=0.0005,
        )
        for day, days, holds in zip(TERMS, DAYS, inside, strict=True)
    ]


def test_from_quotes_the_quiet_vol_is_found_again() -> None:
    names = {"NEAR": (True, True), "NEXT": (False, True), "NONE": (False, False)}
    basket = Basket("x", tuple(Constituent(name, 1.0) for name in names))
    index = IndexSpec("SPY", basket)
    reports = (
        EarningsReport("NEAR", day_number(SOON)),
        EarningsReport("NEAR", day_number(SESSION)),
        EarningsReport("NEXT", day_number(LATER)),
        EarningsReport("ELSE", day_number(SOON)),
    )
    market = Market((index,), earnings=reports, mode="replay")
    chains = [Chain("SPY", TERMS, 0.15, step=0.5)]
    for name, inside in names.items():
        chains += with_report(name, *inside)
    stage, section = QuotesStage(market, "quotes:0", 1), CrossSection(index, market)
    messages = stage.process([frame_of(quotes_of(chains, CLOSE - NS))]).messages
    messages += stage.idle().messages
    found = [
        one for each in frames_in(messages) for one in section.receive(each, b"", Output().counts)
    ]
    last = found[-1]
    assert last.earnings is not None
    assert [(one.symbol, one.day) for one in last.earnings.names] == [("NEAR", SOON)]
    assert last.earnings.basket_vol == pytest.approx(QUIET, abs=0.002)
    assert (last.basket_vol or 0.0) > QUIET + 0.02
    rho = implied_correlation(last.index_atm_vol or 0.0, [1, 1, 1], [QUIET] * 3)
    assert last.earnings.implied_correlation == pytest.approx(rho, abs=0.01)


@pytest.mark.evaluation
def test_the_close_of_10_july_2026_against_numpy() -> None:
    basket = load_basket(find_basket("sample_100"))
    days = dict(
        zip(
            (one.symbol for one in basket.constituents),
            [SOON, LATER, SESSION, date(2026, 7, 15), None] * 30,
            strict=False,
        )
    )
    reports = [EarningsReport(name, day_number(day)) for name, day in days.items() if day]
    reading = closing_reading(SESSION, basket, earnings=tuple(reports))
    names, ex = reading.constituents, reading.earnings
    assert names is not None
    assert ex is not None
    variance, vols = _by_numpy(names.symbols, days)
    w = np.array(names.weights)
    known = np.isfinite(np.array(names.variances, np.float64)) & np.isfinite(variance)
    level = np.sqrt(np.average(variance[known], weights=w[known]))
    assert ex.basket_vol == pytest.approx(level, abs=1e-9)
    assert ex.coverage == pytest.approx(w[known].sum() / basket_weight(reading), rel=1e-9)
    largest = np.argsort(-w, kind="stable")[:50]
    known = np.isfinite(np.array(names.atm_vols, np.float64)) & np.isfinite(vols)
    chosen = largest[known[largest]]
    share, s = w[chosen] / w[chosen].sum(), vols[chosen]
    own, index = share**2 @ s**2, reading.index_atm_vol or 0.0
    rho = (index**2 - own) / ((share @ s) ** 2 - own)
    assert ex.implied_correlation == pytest.approx(rho, abs=1e-9)
    assert (reading.basket_vol or 0.0) > (ex.basket_vol or 1.0)
    print(f"\nbasket vol {reading.basket_vol:.4f}, {ex.basket_vol:.4f} without reports")
    print(f"correlation {reading.implied_correlation:.4f}, {ex.implied_correlation:.4f}")


def basket_weight(reading: Reading) -> float:
    assert reading.constituents is not None
    assert reading.coverage is not None
    variances = np.array(reading.constituents.variances, np.float64)
    valid = np.array(reading.constituents.weights)[np.isfinite(variances)].sum()
    return float(valid / reading.coverage)


def _by_numpy(
    symbols: tuple[str, ...], days: Mapping[str, date | None]
) -> tuple[np.ndarray, np.ndarray]:
    """Variances and 50-delta vols without reports."""
    quotes = closing_quotes(SESSION)
    owner = np.array([one.underlying for one in quotes.series])[quotes.series_code]
    found = []
    for symbol in symbols:
        mine = owner == symbol
        listed = {date_of(int(day)) for day in np.unique(quotes.expiry[mine])}
        near = TERMS[0] if TERMS[0] in listed else date(2026, 7, 17)
        values, minutes = [], []
        for day in (near, TERMS[1]):
            rows = mine & (quotes.expiry == day_number(day))
            settles = int(settlement_ns(np.array([day_number(day)], np.int32))[0])
            minutes.append((settles - CLOSE) // (60 * NS))
            values.append(_strip(quotes, rows, minutes[-1] / 525_600))
        report = days[symbol]
        inside = [report is not None and SESSION < report <= day for day in (near, TERMS[1])]
        found.append([_quiet(*pair, *minutes, *inside) for pair in zip(*values, strict=True)])
    variance, squared = np.array(found).T
    return variance, np.sqrt(squared)


def _quiet(v1: float, v2: float, t1: int, t2: int, in_near: bool, in_next: bool) -> float:  # noqa: FBT001
    month = 30 * 1440
    weight = (t2 - month) / (t2 - t1)
    whole = (weight * t1 * v1 + (1 - weight) * t2 * v2) / month
    if not in_next:
        return whole
    quiet = (t2 * v2 - t1 * v1) / (t2 - t1) if in_near else v1
    return min(quiet, whole) if quiet > 0 else np.nan


def _strip(quotes: Any, rows: np.ndarray, years: float) -> tuple[float, float]:
    """Variance and squared 50-delta vol of one expiry; the strip itself has tests of its own."""
    calls, puts = rows & quotes.call, rows & ~quotes.call
    strikes = np.union1d(quotes.strike[calls], quotes.strike[puts])
    table = np.full((strikes.size, 5), np.nan)
    table[:, 0] = strikes
    for column, side in ((1, calls), (3, puts)):
        at = np.searchsorted(strikes, quotes.strike[side])
        table[at, column], table[at, column + 1] = quotes.bid[side], quotes.ask[side]
    judged = value_judged(board_of([table], [years], [0.0364]), NAME_RULES)
    vol = atm_vols(judged.chain, judged.values.forward)[0][0]
    return float(judged.values.variance[0]), float(vol) ** 2
