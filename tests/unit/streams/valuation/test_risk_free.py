"""The rate of each expiry on a day: curves, overnight rates, what is carried and for how long."""

import numpy as np
import pytest

from analytics.rates import MATURITY_DAYS, continuous_rate, curve_rate
from streams.market import Curve, Rates
from streams.valuation.risk_free import rate_on

CURVE = Curve(tuple(MATURITY_DAYS.values()), (0.0430, 0.0432, 0.0436, 0.0434, 0.0425, 0.0410))
AHEAD = np.array([7, 30, 45, 91, 150, 365, 400])


def test_each_expiry_has_the_rate_of_its_own_day() -> None:
    rates = rate_on(Rates(curves={100: CURVE}), 100).at(AHEAD)
    assert rates == pytest.approx(curve_rate(AHEAD, *CURVE), abs=0)
    assert rates[[1, 3, 5]] == pytest.approx(continuous_rate([0.0430, 0.0436, 0.0410]), abs=1e-15)
    assert len(set(rates.tolist())) == 5, (
        "before the first maturity and beyond the last the nearest yield holds"
    )


def test_one_overnight_rate_serves_every_expiry() -> None:
    assert rate_on(Rates(dated={100: 0.03}), 101).at(AHEAD).tolist() == [0.03] * 7
    assert rate_on(Rates(constant=0.05), 101).at(AHEAD).tolist() == [0.05] * 7


def test_the_latest_day_counts_whichever_kind_it_is() -> None:
    both = Rates(dated={100: 0.03, 103: 0.02}, curves={100: CURVE, 102: CURVE})
    assert [rate_on(both, day).curve is None for day in (100, 101, 102, 103, 110)] == [
        False,
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("rates", "first"), [(Rates(curves={100: CURVE}), 100), (Rates(dated={100: 0.03}), 100)]
)
def test_carried_five_days_and_no_longer_without_saying_so(rates: Rates, first: int) -> None:
    assert [rate_on(rates, first + days).stale for days in (0, 5, 6)] == [False, False, True]
    assert rate_on(rates, first - 1) == rate_on(Rates(), first - 1)
    assert rate_on(Rates(), 0).stale
