"""Dividends that distort a strip: which, from when to when, and how they are told apart by size."""

import numpy as np
import pytest

from streams.market import Dividend, IndexSpec, Market
from streams.valuation.ex_dates import SIZE_FLAGS, ExDates
from streams.valuation.universe import underlyings
from tests.support.cross_section_run import VOLS, Run
from tests.support.points_frames import quoted, second

MONITORED = underlyings(Market((IndexSpec("KO"), IndexSpec("MSFT"), IndexSpec("T"))))
KO, MSFT, T = (MONITORED.position[name] for name in ("KO", "MSFT", "T"))


def flag(
    dividends: list[Dividend],
    underlying: int = KO,
    *,
    today: int = 100,
    expiry: int = 130,
    forward: float = 100.0,
) -> str:
    classes = ExDates(dividends, MONITORED).size_class(
        np.array([underlying]), today, np.array([expiry]), np.array([forward])
    )
    return SIZE_FLAGS[int(classes[0])]


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (0.0, ""),
        (0.49, ""),
        (0.5, "dividend:0.5%"),
        (0.99, "dividend:0.5%"),
        (1.0, "dividend:1%"),
        (2.0, "dividend:2%"),
        (90.0, "dividend:2%"),
    ],
)
def test_sizes_are_few(amount: float, expected: str) -> None:
    assert flag([Dividend("KO", 110, amount)]) == expected


def test_an_ex_date_counts_after_today_and_up_to_the_expiry() -> None:
    counted = [ex_day for ex_day in (99, 100, 101, 130, 131) if flag([Dividend("KO", ex_day, 1.0)])]
    assert counted == [101, 130]


def test_the_largest_counts_and_each_name_has_its_own() -> None:
    dividends = [
        Dividend("KO", 110, 0.6),
        Dividend("T", 110, 0.2),
        Dividend("KO", 120, 2.5),
        Dividend("not watched", 110, 9.0),
    ]
    assert [flag(dividends, one) for one in (KO, MSFT, T)] == ["dividend:2%", "", ""]
    assert flag(dividends, KO, forward=500.0) == "dividend:0.5%"


def test_without_a_forward_there_is_no_share_of_it() -> None:
    assert flag([Dividend("KO", 110, 1.0)], forward=float("nan")) == ""
    assert flag([]) == ""


def test_the_reading_names_them() -> None:
    run = Run()
    (reading,) = run.feed(
        quoted(
            second(60),
            VOLS,
            flags={"B": "near_term_fallback,dividend:1%", "C": "dividend:2%", "D": "dividend:1%"},
        )
    )
    assert reading.flags == ("dividend", "near_term_fallback")
    assert reading.dividends == {"B": "1%", "C": "2%", "D": "1%"}
    assert reading.basket_vol is not None, "flagged, not dropped"
    (reading,) = run.feed(quoted(second(61), {"C": 0.4, "B": 0.25}))
    assert reading.dividends == {"D": "1%"}
