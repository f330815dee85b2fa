"""Prices at their limits, parity, and greeks against finite differences."""

import numpy as np
import pytest
from scipy.special import ndtr

from analytics.black76 import delta, greeks, price, vega

STRIKES = np.array([60.0, 90.0, 100.0, 115.0, 200.0])


def test_put_call_parity() -> None:
    call, put = (price(100.0, STRIKES, 0.7, 0.4, call=side) for side in (True, False))
    assert call - put == pytest.approx(100.0 - STRIKES, abs=1e-12)


@pytest.mark.parametrize(("years", "vol"), [(0.0, 0.3), (0.5, 0.0), (0.0, 0.0)])
def test_without_time_or_vol_the_price_is_intrinsic(years: float, vol: float) -> None:
    assert (
        price(100.0, STRIKES, years, vol, call=True).tolist()
        == np.maximum(100 - STRIKES, 0).tolist()
    )


def test_enormous_vol_reaches_the_upper_bound() -> None:
    assert price(100.0, STRIKES, 1.0, 200.0, call=True) == pytest.approx(np.full(5, 100.0))
    assert price(100.0, STRIKES, 1.0, 200.0, call=False) == pytest.approx(STRIKES)


def test_both_branches_meet() -> None:
    """Near and far of the money the price is the textbook formula.

    The formula is exact enough while d1 is not very negative.
    """
    vol = np.linspace(0.5, 90, 2000)
    d1 = np.log(100 / 101) / vol + 0.5 * vol
    textbook = 100 * ndtr(d1) - 101 * ndtr(d1 - vol)
    assert price(100.0, 101.0, 1.0, vol, call=True) == pytest.approx(textbook, rel=1e-14)


@pytest.mark.parametrize(
    "bad",
    [{"forward": -1.0}, {"strike": 0.0}, {"vol": np.nan}, {"years": np.nan}, {"forward": np.nan}],
)
def test_nonsense_is_nan(bad: dict[str, float]) -> None:
    arguments = {"forward": 100.0, "strike": 100.0, "years": 1.0, "vol": 0.2} | bad
    assert np.isnan(price(**arguments, call=True))


@pytest.mark.parametrize("call", [True, False])
def test_greeks_are_derivatives_of_the_price(*, call: bool) -> None:
    f, t, s, h = 100.0, 0.3, 0.25, 1e-4
    g = greeks(f, STRIKES, t, s, call)

    def at(
        df: float = 0.0, dt: float = 0.0, ds: float = 0.0
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return price(f + df, STRIKES, t + dt, s + ds, call)

    assert g.delta == pytest.approx((at(df=h) - at(df=-h)) / (2 * h), abs=1e-8)
    assert g.gamma == pytest.approx((at(df=1e-2) - 2 * at() + at(df=-1e-2)) / 1e-4, abs=1e-6)
    assert g.vega == pytest.approx((at(ds=h) - at(ds=-h)) / (2 * h), abs=1e-5)
    assert g.theta == pytest.approx(-(at(dt=h) - at(dt=-h)) / (2 * h), abs=1e-4)
    assert g.volga == pytest.approx((at(ds=h) - 2 * at() + at(ds=-h)) / h**2, abs=1e-3)
    cross = at(df=1e-2, ds=h) - at(df=1e-2, ds=-h) - at(df=-1e-2, ds=h) + at(df=-1e-2, ds=-h)
    assert g.vanna == pytest.approx(cross / (4 * 1e-2 * h), abs=1e-4)
    assert delta(f, STRIKES, t, s, call).tolist() == g.delta.tolist()
    assert vega(f, STRIKES, t, s).tolist() == g.vega.tolist()
