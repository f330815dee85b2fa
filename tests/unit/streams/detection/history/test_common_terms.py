"""Changes over a session on which names' terms roll: a market that stands still does not move."""

import math
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pytest

from agents.replay.inputs import open_feed
from config.rules import load_rules
from streams.calendar.sessions import close_ns
from streams.detection.history.change import change
from streams.detection.history.common_terms import on_terms_of, stepped, steps_into
from streams.detection.history.days import DayFacts, decode_day
from streams.detection.history.instant import instant_of
from streams.detection.history.panels import Panels
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.pipeline import Pipeline
from streams.reading import Constituents, Reading
from streams.records import NS
from streams.topics import Topics
from tests.support.base_board import columns_of, csv_text
from tests.support.option_chains import Chain

TUESDAY, WEDNESDAY = date(2026, 7, 14), date(2026, 7, 15)
"""The expiry of 17 July is three days away, then two: names with monthlies have August alone."""
MONTHLIES = (date(2026, 7, 17), date(2026, 8, 21), date(2026, 9, 18))
FRIDAYS = tuple(date(2026, 8, day) for day in (7, 14, 21))
SPOTS = {"SPY": 740.0, "AAPL": 230.0, "MSFT": 510.0}
VOLS = {"AAPL": (1.0, 0.30, 0.29), "MSFT": (0.9, 0.26, 0.25)}
"""By monthly: earnings before the first."""
WEIGHTS = {"AAPL": 0.6, "MSFT": 0.4}


def chains(lift: float) -> list[Chain]:
    """Terms of their own vols; `lift` is added to each of the names'."""
    made = [Chain("SPY", FRIDAYS, 0.17, SPOTS["SPY"], step=7.4)]
    for name, vols in VOLS.items():
        spot = SPOTS[name]
        made += [
            Chain(name, (expiry,), vol + lift, spot, step=spot / 100)
            for expiry, vol in zip(MONTHLIES, vols, strict=True)
        ]
    return made


def played(folder: Path, lift: float = 0.0) -> tuple[list[Reading], dict[str, bytes]]:
    """Two closing readings and the detector's chunks; the second close has its names lifted."""
    files = []
    for session, more in ((TUESDAY, 0.0), (WEDNESDAY, lift)):
        files.append(folder / f"{session}.csv")
        files[-1].write_text(csv_text(columns_of(chains(more), session)))
    basket = Basket("two", tuple(Constituent(*one) for one in WEIGHTS.items()))
    market, topics = Market((IndexSpec("SPY", basket),), mode="replay"), Topics("")
    feed = open_feed(files, [], None, market, (1, 1), topics)
    pipeline = Pipeline(market, load_rules(), 1, 1, topics)
    made = pipeline.run(feed.records(close_ns(TUESDAY), close_ns(WEDNESDAY)))
    readings = [one for one in made if isinstance(one, Reading) and one.tenor == "30d"]
    return readings, pipeline.detector_chunks()


def fact(reading: Reading) -> DayFacts:
    now = instant_of(reading, int(reading.ts_event.timestamp()) * NS)
    return DayFacts(**{name: getattr(now, name) for name in now.__struct_fields__})


@pytest.mark.parametrize("lift", [0.0, 0.02])
def test_a_change_over_a_roll_is_that_of_the_market(tmp_path: Path, lift: float) -> None:
    """Expected: a few lines of NumPy on the vols of the expiries."""
    (before, after), chunks = played(tmp_path, lift)
    near, following, _ = np.array(list(VOLS.values())).T
    weights = np.array(list(WEIGHTS.values()))
    days = [(close_ns(day) - close_ns(TUESDAY)) / NS / 86400 - 1 / 96 for day in MONTHLIES]
    share = (30 - days[0]) / (days[1] - days[0])
    on_old = ((1 - share) * near**2 * days[0] + share * following**2 * days[1]) / 30
    assert before.basket_vol == pytest.approx(math.sqrt(weights @ on_old), abs=0.003)
    assert after.basket_vol == pytest.approx(
        math.sqrt(weights @ (following + lift) ** 2), abs=0.003
    )
    step = (after.basket_vol or 0.0) - (before.basket_vol or 0.0) - lift
    assert abs(step) > 0.015, "or there is nothing to see here"
    assert "roll" in after.flags
    assert "roll" not in before.flags
    assert before.constituents is not None
    assert set(before.constituents.next_terms) == set(VOLS)
    (close,) = on_terms_of(WEDNESDAY, [decode_day(chunks[f"day/SPY/{TUESDAY}"])])
    found = change(close, fact(after), Panels())
    assert found is not None
    assert found.basket_move == pytest.approx(lift, abs=0.001)
    assert after.book is not None
    assert after.book.close is not None
    assert after.book.close.vega.singles == pytest.approx(lift, abs=0.003)
    if lift == 0.0:
        assert found.correlation_move == pytest.approx(0.0, abs=0.005)
        assert found.index_move == pytest.approx(0.0, abs=0.001)


NAMES = Constituents(("A", "B"), (1.0, 1.0), (0.09, 0.16), (0.3, 0.4))


def closed(session: date, **next_terms: tuple[float | None, float | None]) -> DayFacts:
    names = msgspec.structs.replace(NAMES, next_terms=next_terms)
    return DayFacts(ts=close_ns(session), session=session, basis="quotes", constituents=names)


def test_steps_of_several_sessions_multiply_and_a_gap_ends_them() -> None:
    monday, tuesday, wednesday = date(2026, 7, 13), TUESDAY, WEDNESDAY
    first, second = closed(monday, A=(4.0, 2.0)), closed(tuesday, A=(0.25, 0.5), B=(2.0, None))
    old, new = on_terms_of(wednesday, [first, second])
    assert old.constituents is not None
    assert new.constituents is not None
    assert old.constituents.variances == (0.09, 0.32)
    assert old.constituents.atm_vols == (0.3, None), "what is not known is not compared"
    assert new.constituents.variances == (0.0225, 0.32)
    assert new.levels is not None
    late = date(2026, 7, 16)
    assert on_terms_of(late, [second]) == (second,), "no session may lie between"
    assert steps_into(late, second) == {}
    assert stepped(second, {}) is second
