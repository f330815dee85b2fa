"""A basket of share counts: weights are shares at the latest prices."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from streams.basket_columns import core_of
from streams.detection.alerts.configuration import configuration_of
from streams.detection.rules.catalogue import RuleSet
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.points import PointsFrame
from streams.reading import Constituents, Reading
from streams.readings.cross_section import CrossSection
from streams.readings.cross_section_state import CrossSectionCheckpoint
from streams.stage import Output
from tests.support.cross_section_run import VOLS
from tests.support.points_frames import SESSION, TICKS, frame, prices, quoted, second, surfaces

SHARES = {"A": 4.0, "B": 2.5, "C": 2.0, "D": 1.5}


class Run:
    """Ticks and quotes of one index over a basket of shares."""

    def __init__(self, basket: Basket) -> None:
        index = IndexSpec("IDX", basket)
        self.section = CrossSection(index, Market((index,), mode="replay"))
        self.checkpoint = CrossSectionCheckpoint(self.section)

    def feed(self, *frames: PointsFrame) -> list[Reading]:
        counts = Output().counts
        return [one for each in frames for one in self.section.receive(each, b"", counts)]

    def at(
        self,
        seconds: float,
        levels: Mapping[str, float],
        vols: Mapping[str, float | None] = VOLS,
        session: date = SESSION,
    ) -> Reading:
        """The reading of a second in which these prices tick beside quotes of these vols."""
        now = second(seconds, session)
        ticked = frame(now, TICKS, sources=2, prices=prices(levels, now) if levels else None)
        return self.feed(quoted(now, vols, sources=2), ticked)[-1]


def shares(
    counts: Mapping[str, float] = SHARES, weights: Mapping[str, float] | None = None
) -> Basket:
    names = (Constituent(n, (weights or {}).get(n, 0.0), "", each) for n, each in counts.items())
    return Basket("shares", tuple(names), as_of=SESSION)


def weights(reading: Reading) -> dict[str, float]:
    assert reading.constituents is not None
    return dict(zip(reading.constituents.symbols, reading.constituents.weights, strict=True))


def test_weights_are_shares_at_parity_forwards_until_prices_tick() -> None:
    run = Run(shares())
    first = run.at(60, {})
    assert weights(first) == pytest.approx({"A": 40.0, "B": 25.0, "C": 20.0, "D": 15.0})
    assert first.implied_correlation == pytest.approx(0.1133236, abs=1e-7)
    moved = run.at(61, {"A": 200.0, "IDX": 500.0})
    whole = 4.0 * 200 + 600
    expected = {"A": 80000 / whole, "B": 25000 / whole, "C": 20000 / whole, "D": 15000 / whole}
    assert weights(moved) == pytest.approx(expected)
    assert moved.basket_atm_vol == pytest.approx(
        sum(weight / 100 * VOLS[name] for name, weight in expected.items())
    )
    assert moved.basket_vol == pytest.approx(
        math.sqrt(sum(weight / 100 * VOLS[name] ** 2 for name, weight in expected.items()))
    )


def test_a_name_that_was_never_quoted_weighs_what_the_basket_says_moved_as_the_others() -> None:
    quotes = {name: vol for name, vol in VOLS.items() if name != "A"}
    given = {"A": 8.0, "B": 5.0, "C": 4.0, "D": 3.0}
    known = Run(shares(weights=given)).at(60, {"B": 100.0, "C": 100.0, "D": 100.0}, quotes)
    assert known.coverage == pytest.approx(0.60)
    assert known.names_lacking[0].weight == pytest.approx(0.40)
    (median,) = [Run(shares()).at(60, {}, quotes).coverage]
    assert median == pytest.approx(600 / 800), "without one that of the others in the middle"


def test_yesterdays_close_stands_in_for_a_price_that_has_not_come() -> None:
    run, monday = Run(shares()), SESSION + timedelta(3)
    run.at(60, {"A": 300.0, "B": 100.0, "C": 100.0, "D": 100.0, "IDX": 500.0})
    reading = run.at(60, {"B": 100.0}, {"IDX": 0.18, "B": 0.25, "C": 0.4, "D": 0.2}, monday)
    assert reading.coverage == pytest.approx(600 / 1800)


def test_weights_are_the_same_after_a_restart() -> None:
    run, monday = Run(shares()), SESSION + timedelta(3)
    run.at(60, {"A": 300.0, "B": 110.0, "IDX": 500.0})
    run.at(61, {"C": 90.0}, session=monday)
    again = Run(shares())
    again.checkpoint.restore(run.checkpoint.chunks())
    last = {"D": 55.0}
    assert again.at(62, last, session=monday) == run.at(62, last, session=monday)


def test_the_fifty_largest_are_chosen_at_the_prior_closes() -> None:
    counts = {f"N{n:02d}": 1.0 for n in range(60)}
    levels = {name: 160.0 - at for at, name in enumerate(counts)}
    vols = {"IDX": 0.2, **dict.fromkeys(counts, 0.3)}
    run, monday = Run(shares(counts)), SESSION + timedelta(3)
    run.at(60, {**levels, "IDX": 500.0}, vols)
    odd = vols | {f"N{n:02d}": 0.9 for n in range(50, 60)}
    overtaken = run.at(60, {"N59": 900.0, "IDX": 500.0}, odd, monday)
    assert overtaken.basket_atm_vol == pytest.approx(0.3), "N59 was the least at the close"
    tuesday = run.at(60, {"N59": 900.0, "IDX": 500.0}, odd, monday + timedelta(1))
    assert tuesday.basket_atm_vol is not None
    assert tuesday.basket_atm_vol > 0.35, "it is among them from the next session on"


def test_detection_takes_the_heaviest_of_a_reading() -> None:
    counts = {f"N{n:02d}": 1.0 for n in range(60)}
    symbols = tuple(counts)
    names = Constituents(symbols, tuple(1.0 + at for at in range(60)), (None,) * 60, (0.3,) * 60)
    assert core_of(shares(counts), names) == frozenset(symbols[10:])
    fixed = Basket("w", tuple(Constituent(one, 60.0 - at) for at, one in enumerate(symbols)))
    assert core_of(fixed, names) == frozenset(symbols[:50])


@pytest.mark.parametrize(("days", "stale"), [(30, False), (31, True), (-400, False)])
def test_weights_of_more_than_thirty_days_ago_are_stale(days: int, *, stale: bool) -> None:
    basket = replace(shares(), as_of=SESSION - timedelta(days))
    assert ("stale_weights" in Run(basket).at(60, {}).flags) == stale


def test_a_basket_of_weights_has_the_hash_of_an_earlier_release() -> None:
    names = (Constituent("A", 1.0, "Energy"), Constituent("B", 2.0))
    before = configuration_of(Basket("b", names), RuleSet())["basket"]
    assert before == "61e99b2ba4a4"
    dated = Basket("b", names, as_of=SESSION, source="somewhere")
    assert configuration_of(dated, RuleSet())["basket"] == before
    assert configuration_of(replace(dated, partial=True), RuleSet())["basket"] != before


def test_realized_figures_take_the_weights_of_the_session() -> None:
    run = Run(shares({"A": 1.0, "B": 1.0}))
    level = {"A": 100.0, "B": 300.0, "IDX": 500.0}
    reading = None
    for bar in range(14):
        step = 0.01 if bar % 2 else -0.01
        level = {name: price * (1 + step) for name, price in level.items()}
        vols = {"IDX": 0.18, "A": 0.30, "B": 0.25}
        reading = run.at(300 * (bar + 1), level, vols)
    assert reading is not None
    assert reading.realized_correlation_session == pytest.approx(1.0)
    assert weights(reading) == pytest.approx({"A": 25.0, "B": 75.0})


def test_surfaces_of_tenors_share_the_forward() -> None:
    index = IndexSpec("IDX", shares(), (30, 91))
    section = CrossSection(index, Market((index,), mode="replay"))
    now = second(60)
    points = surfaces(VOLS, now, tenor=91)
    (_, far) = section.receive(frame(now, surfaces=points), b"", Output().counts)
    assert weights(far)["A"] == pytest.approx(40.0)
