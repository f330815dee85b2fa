"""The conditions of `dispersion_extreme` and `correlation_regime`.

They are ranks, their season, and what is unknown.
"""

from dataclasses import replace

import msgspec
import pytest

from streams.detection.history.baseline import Baseline
from streams.detection.history.instant import instant_of
from streams.detection.history.seasonality import quarter_week
from streams.detection.rules.correlation_regime import CorrelationRegime, CorrelationRegimeNumbers
from streams.detection.rules.dispersion_extreme import DispersionExtreme, DispersionExtremeNumbers
from streams.detection.rules.rule import Firing
from streams.detection.rules.verdict import Verdict
from streams.detection.scope import Scope
from tests.support.past_closes import Levels, baseline, context, weekdays
from tests.support.readings import MONDAY, eastern, toy

EXTREME = DispersionExtreme(DispersionExtremeNumbers())
REGIME = CorrelationRegime(CorrelationRegimeNumbers())
MEDIAN: Levels = (15.0, 40.0, 35.0, 20.0)


def steps(count: int = 99) -> Baseline:
    """Closes whose spread and dispersion rise by a tenth of a point a session.

    Their correlation falls by as much.
    """
    middle = (count - 1) / 2
    return baseline(
        [
            (15.0, 40.0 + (at - middle) / 10, 35.0 + (at - middle) / 10, 20.0 - (at - middle) / 10)
            for at in range(count)
        ]
    )


def level(spread: float = 0.0, dispersion: float = 0.0, rho: float = 0.0) -> Levels:
    """Levels so many closes above the median; with 99 closes a place is a hundredth of rank."""
    vix, vixeq, dspx, cor = MEDIAN
    return vix, vixeq + (spread - 0.5) / 10, dspx + (dispersion - 0.5) / 10, cor + (rho - 0.5) / 10


@pytest.mark.parametrize(
    ("spread", "dispersion", "rho", "holds"),
    [
        (46, 0, -45, True),
        (0, 46, -45, True),
        (44, 44, -45, False),
        (46, 46, -43, False),
        (46, 46, 46, False),
    ],
)
def test_the_trade_is_crowded_when_one_is_high_and_correlation_low(
    spread: float, dispersion: float, rho: float, *, holds: bool
) -> None:
    verdict = EXTREME.evaluate(Scope.DAILY, context(steps(), level(spread, dispersion, rho)))
    assert verdict.enter is holds
    if holds:
        assert (verdict.severity, verdict.label, verdict.direction, verdict.distance) == (
            "info",
            "extreme",
            None,
            0.0,
        )


@pytest.mark.parametrize(
    ("spread", "rho", "over"), [(41, -41, False), (39, -41, True), (41, -38, True)]
)
def test_an_extreme_is_over_when_either_rank_is_back(
    spread: float, rho: float, *, over: bool
) -> None:
    found = context(steps(), level(spread, 0, rho))
    assert not EXTREME.evaluate(Scope.DAILY, found).enter, (
        "between the two bounds it neither enters nor exits"
    )
    assert EXTREME.ended(found, Firing()) is over


@pytest.mark.parametrize(
    ("rho", "enters", "over"),
    [
        (46, True, False),
        (44, False, False),
        (39, False, True),
        (-46, True, False),
        (-41, False, False),
        (-38, False, True),
    ],
)
def test_the_band_of_correlation(rho: float, *, enters: bool, over: bool) -> None:
    found = context(steps(), level(rho=rho))
    assert REGIME.evaluate(Scope.DAILY, found).enter is enters
    assert REGIME.ended(found, Firing()) is over


def test_the_distance_is_measured_from_the_median() -> None:
    distances = [
        REGIME.evaluate(Scope.DAILY, context(steps(), level(rho=rho))).distance
        for rho in (0, 23, -23, 44, 46)
    ]
    assert distances == pytest.approx([1.0, 22 / 45, 22 / 45, 1 / 45, 0.0], abs=0.012)
    near = EXTREME.evaluate(Scope.DAILY, context(steps(), level(46, 0, -23))).distance
    assert near == pytest.approx(22 / 45, abs=0.012), (
        "the farther of the two conditions, the nearer of the two measures"
    )


def test_words_say_which_and_where() -> None:
    found = context(steps(), level(46, 30, -46))
    text = EXTREME.summary(found, None, Verdict())
    assert "vol spread high, implied correlation low" in text
    assert (
        "vol spread 29.5 (percentile 96), dispersion 38.0 (percentile 80), "
        "implied correlation 15.3 (percentile 4) among 99 closes" in text
    )
    assert (
        REGIME.summary(found, None, Verdict())
        == "implied correlation 15.3 is low: percentile 4 of 99 closes."
    )
    assert " is high: " in REGIME.summary(context(steps(), level(rho=46)), None, Verdict())


@pytest.mark.parametrize("rule", [EXTREME, REGIME], ids=lambda rule: rule.name)
def test_without_sixty_closes_nothing_is_said(
    rule: DispersionExtreme | CorrelationRegime,
) -> None:
    found = context(steps(59), level(46, 46, -46))
    verdict = rule.evaluate(Scope.DAILY, found)
    assert (verdict.lacking, verdict.blocked, verdict.enter, verdict.distance) == (
        True,
        "",
        False,
        None,
    )
    assert rule.ended(found, Firing()) is None
    assert rule.evaluate(Scope.DAILY, context(steps(60), level(46, 46, -46))).enter


@pytest.mark.parametrize("rule", [EXTREME, REGIME], ids=lambda rule: rule.name)
def test_lost_data_suspends(rule: DispersionExtreme | CorrelationRegime) -> None:
    found = context(steps(), level(46, 46, -46))
    wide = toy(eastern(MONDAY, "11:00:00"), 0.15, 0.45, 0.15, quality_width=0.02, constituents=None)
    assert (
        rule.evaluate(
            Scope.INTRADAY, replace(found, reading=wide, now=instant_of(wide, 1), width_median=0.01)
        ).blocked
        == "width"
    )
    lost = msgspec.structs.replace(found.reading, implied_correlation=None)
    assert (
        rule.evaluate(Scope.DAILY, replace(found, reading=lost, now=instant_of(lost, 1))).blocked
        == "coverage"
    )


def seasonal(count: int = 252) -> Baseline:
    """Closes whose spread is ten points higher in the first weeks of a quarter.

    Their correlation is ten points lower then.
    """
    rows = []
    for at, day in enumerate(weekdays(count)):
        early, noise = quarter_week(day) <= 4, (at * 7919 % 101) / 20
        rows.append(
            (15.0, (45.0 if early else 35.0) + noise, 35.0, (20.0 if early else 30.0) - noise)
        )
    return baseline(rows)


def test_what_is_usual_in_its_season_is_no_extreme() -> None:
    assert quarter_week(MONDAY) == 2
    usual: Levels = (15.0, 49.5, 35.0, 15.5)
    verdict = EXTREME.evaluate(Scope.DAILY, context(seasonal(), usual))
    ranks = [
        seasonal().rank("vol_spread", 0.345),
        verdict.values["vol_spread_season_percentile_252d"],
    ]
    assert ranks[0] is not None
    assert ranks[1] is not None
    assert ranks[1] < 0.95 < ranks[0]
    assert not verdict.enter
    rare = EXTREME.evaluate(Scope.DAILY, context(seasonal(), (15.0, 51.0, 35.0, 14.0)))
    assert (rare.enter, rare.unknown, rare.values["vol_spread_season_percentile_252d"]) == (
        True,
        (),
        1.0,
    )
    assert not REGIME.evaluate(Scope.DAILY, context(seasonal(), usual)).enter
    assert REGIME.evaluate(Scope.DAILY, context(seasonal(), (15.0, 51.0, 35.0, 14.0))).enter


def test_the_season_is_that_of_the_session() -> None:
    august, past = MONDAY.replace(month=8, day=10), seasonal()
    assert quarter_week(august) == 6
    assert past.season_rank("vol_spread", 0.27, august) == 1.0, (
        "above all closes of the weeks after earnings"
    )
    assert past.season_rank("vol_spread", 0.27, MONDAY) == pytest.approx(
        1 / (1 + sum(quarter_week(day) <= 4 for day in weekdays(252)))
    )
    assert not EXTREME.evaluate(
        Scope.DAILY, context(past, (15.0, 42.0, 35.0, 14.0), august)
    ).enter, "nor does the season alone decide"


def test_a_season_of_few_closes_leaves_the_plain_rank_and_says_so() -> None:
    short = seasonal(120)
    verdict = EXTREME.evaluate(Scope.DAILY, context(short, (15.0, 49.5, 35.0, 15.5)))
    assert (verdict.enter, verdict.unknown) == (True, ("season_rank",))
    assert verdict.values["vol_spread_season_percentile_252d"] is None
    assert EXTREME.evaluate(
        Scope.DAILY, context(replace(seasonal(), season_weeks=0), (15.0, 49.5, 35.0, 15.5))
    ).enter


def test_the_atm_pair_has_no_dispersion_and_is_judged_on_its_spread() -> None:
    past = steps()
    atm = tuple(
        msgspec.structs.replace(
            close,
            basis="atm",
            index_vol=None,
            basket_vol=None,
            dispersion=None,
            index_atm_vol=close.index_vol,
            basket_atm_vol=close.basket_vol,
        )
        for close in past.closes
    )
    found = context(replace(past, closes=atm), level(46, 0, -46))
    reading = msgspec.structs.replace(
        found.reading,
        basis="atm",
        index_vol=None,
        basket_vol=None,
        dispersion=None,
        index_atm_vol=0.15,
        basket_atm_vol=0.4455,
    )
    verdict = EXTREME.evaluate(
        Scope.DAILY, replace(found, reading=reading, now=instant_of(reading, 1))
    )
    assert verdict.enter
    assert "dispersion_season_percentile_252d" not in verdict.values


@pytest.mark.parametrize("spread", [-46, 0, 44, 46])
@pytest.mark.parametrize("rho", [-46, -44, 0, 46])
@pytest.mark.parametrize("rule", [EXTREME, REGIME], ids=lambda rule: rule.name)
def test_a_verdict_is_what_its_conditions_say(
    rule: DispersionExtreme | CorrelationRegime, rho: float, spread: float
) -> None:
    verdict = rule.evaluate(Scope.DAILY, context(steps(), level(spread, 0, rho)))
    held, distances = (
        [one.holds for one in verdict.conditions],
        [one.distance for one in verdict.conditions],
    )
    assert verdict.enter == (any(held) if verdict.any_of else all(held))
    assert verdict.distance == (min(distances) if verdict.any_of else max(distances))
    assert not (verdict.enter and rule.ended(context(steps(), level(spread, 0, rho)), Firing())), (
        "nothing enters where it ends"
    )
