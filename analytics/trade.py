"""The dispersion trade: short index vol, long the vol of the names.

This tells how large each leg is, and what the trade then earns. A basket has weights in any unit,
normalised here. Vega is money per 1.00 of vol (per vol point: divide by 100), vols are decimals. A
result that its input does not determine is NaN.
"""

from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.black76 import Greeks
from analytics.finite import finite, finite_float

MONTH = 30 / 365
"""Years to expiry of the standard book: 30 days."""
TOY_WEIGHTS, TOY_VOLS = (0.40, 0.25, 0.20, 0.15), (0.30, 0.25, 0.40, 0.20)
"""The four names of the worked example; their index vol is 0.18."""


class Weighting(Enum):
    """What the legs of names are sized to cancel."""

    VEGA = "vega"
    """Vega of the names = vega of the index: short gamma, pays theta."""
    THETA = "theta"
    """No theta, which is correlation weighting: breaks even on a proportional move of all vols.

    It is short vega, very short gamma.
    """
    GAMMA = "gamma"
    """No gamma: long vega, pays the most theta."""


class BookGreeks(NamedTuple):
    """Net greeks of names less index, at-the-money-forward options of one expiry; money."""

    vega: float
    """Per 1.00 of vol."""
    theta: float
    """Per year."""
    gamma: float
    """Per squared relative move of every forward: S^2 d2V/dS2."""


class VarianceTrade(NamedTuple):
    """Theta-weighted variance swaps, long names and short index."""

    strike: float
    """Correlation sold: rho_K = K_I^2 / SUM w K^2.

    It is also the variance notional of the names for one of the index.
    """
    realized: float
    """rho_real = RV_I^2 / SUM w RV^2."""
    pnl: float
    """SUM w RV^2 (rho_K - rho_real), per unit of index variance."""


class VolLegs(NamedTuple):
    """What a move of vols earns per unit of index vega, in vol: 0.01 is one vol point of it."""

    of_index: float
    """Of the index that is sold: its fall."""
    singles: float
    """Of the names that are bought."""


class LegPnl(NamedTuple):
    """What a move of forward, vol and time earns on one leg, to second order.

    It is in USD, in the shape of the greeks.
    """

    delta: Floats
    gamma: Floats
    theta: Floats
    vega: Floats
    volga: Floats
    vanna: Floats

    @property
    def total(self) -> Floats:
        """Sum of the parts."""
        return np.asarray(sum(self))


# What is not determined becomes NaN.
@np.errstate(all="ignore")
def name_vegas(
    weighting: Weighting, index_vega: float, index_vol: float, weights: ArrayLike, vols: ArrayLike
) -> Floats:
    """Vegas x w_i of the n names against an index leg of vega `index_vega`.

    x solves the condition of the weighting:
    VEGA SUM vega_i = V, THETA SUM vega_i s_i = V s_I, GAMMA SUM vega_i / s_i = V / s_I.

    Source: Bennett, "Trading Volatility"; methodology 7.1.

    >>> [
    ...     round(float(name_vegas(kind, 100_000, 0.18, TOY_WEIGHTS, TOY_VOLS).sum()))
    ...     for kind in Weighting
    ... ]
    [100000, 61538, 155039]
    """
    w, s = _basket(weights, vols)
    power = {Weighting.VEGA: 0, Weighting.THETA: 1, Weighting.GAMMA: -1}[weighting]
    # Python's own floats would raise on garbage.
    x = index_vega * np.float64(index_vol) ** power / (w @ s**power)
    return finite(x * w)


@np.errstate(all="ignore")  # as above
def book_greeks(
    index_vega: float, index_vol: float, vegas: ArrayLike, vols: ArrayLike, years: float
) -> BookGreeks:
    """Net greeks of a book of at-the-money-forward options.

    A leg has theta -vega s / 2T and gamma vega / (s T).

    Source: the Black formula at d1 + d2 = 0.

    >>> vegas = name_vegas(Weighting.THETA, 100_000, 0.18, TOY_WEIGHTS, TOY_VOLS)
    >>> book = book_greeks(100_000, 0.18, vegas, TOY_VOLS, 0.25)
    >>> round(book.vega), abs(round(book.theta)), round(book.gamma / (100_000 / 0.18 / 0.25), 3)
    (-38462, 0, -0.603)
    """
    v, s = (np.asarray(column, dtype=np.float64) for column in (vegas, vols))
    return BookGreeks(
        finite_float(v.sum() - index_vega),
        finite_float(-(v @ s - index_vega * index_vol) / (2 * np.float64(years))),
        finite_float(((v / s).sum() - index_vega / np.float64(index_vol)) / np.float64(years)),
    )


@np.errstate(all="ignore")  # as above
def vol_legs(
    index_vols: tuple[float, float], vegas: ArrayLike, vols: tuple[ArrayLike, ArrayLike]
) -> VolLegs:
    """Legs of a book that is short one unit of index vega and long n names of these vegas.

    Vols are (before, after). With the vegas of `Weighting.VEGA` the sum is the change of SUM w s
    less index vol.

    Source: methodology 7.3, the terms in ds.

    >>> vegas = name_vegas(Weighting.THETA, 1.0, 0.18, TOY_WEIGHTS, TOY_VOLS)
    >>> legs = vol_legs((0.18, 0.22), vegas, (TOY_VOLS, (0.32, 0.28, 0.41, 0.24)))
    >>> round(100 * legs.of_index, 9), round(100 * legs.singles, 6)
    (-4.0, 1.446154)
    """
    before, after = (np.asarray(column, dtype=np.float64) for column in vols)
    vega = np.asarray(vegas, dtype=np.float64)
    return VolLegs(
        finite_float(np.float64(index_vols[0]) - index_vols[1]),
        finite_float(vega @ (after - before)),
    )


@np.errstate(all="ignore")  # as above
def gamma_pnl(
    vegas: ArrayLike, vols: ArrayLike, moves: ArrayLike, years: float, expiry: float = MONTH
) -> Floats:
    """Vega (move^2 - s^2 dt) / 2sT of each leg that is hedged at the start: gamma less time decay.

    The options are at the money forward and expire in `expiry` years; vegas are negative where they
    are sold, moves are relative, and `years` is the time that passes. It is in the unit of the
    vegas times vol.

    Source: methodology 7.3, gamma and theta of `book_greeks`.

    >>> one_day = 0.2 * np.sqrt(1 / 365)
    >>> gamma_pnl([1.0, 1.0, -1.0], 0.2, [0.0, 2 * one_day, 0.05], 1 / 365).round(6).tolist()
    [-0.003333, 0.01, -0.072708]
    """
    vega, s, move = (np.asarray(column, dtype=np.float64) for column in (vegas, vols, moves))
    return finite(vega * (move**2 - s**2 * years) / (2 * s * np.float64(expiry)))


@np.errstate(all="ignore")  # as above
def correlation_strike(index_vol: float, weights: ArrayLike, vols: ArrayLike) -> float:
    """rho_K = K_I^2 / SUM w K^2: the variance notional of the names that costs no theta.

    It is per unit of index variance.

    Source: methodology 7.2.

    >>> round(correlation_strike(0.18, TOY_WEIGHTS, TOY_VOLS), 5)
    0.36151
    """
    w, k = _basket(weights, vols)
    return finite_float(np.square(index_vol) / (w @ k**2))


@np.errstate(all="ignore")  # as above
def variance_trade(
    strikes: tuple[float, ArrayLike], realized: tuple[float, ArrayLike], weights: ArrayLike
) -> VarianceTrade:
    """Outcome of theta-weighted variance swaps.

    Both arguments are (index vol, n vols of the names).

    rho_K SUM w RV^2 - RV_I^2 = SUM w RV^2 (rho_K - rho_real): the P&L is the correlation sold less
    the one realised.

    Source: methodology 7.2.

    >>> trade = variance_trade((0.18, TOY_VOLS), (0.22, (0.32, 0.28, 0.41, 0.24)), TOY_WEIGHTS)
    >>> round(trade.realized, 5), round(trade.pnl, 7)
    (0.47073, -0.0112299)
    >>> round(trade.pnl * variance_notional(100_000 * 100, 0.18))  # index vega 100,000 a vol point
    -311942
    """
    strike = correlation_strike(strikes[0], weights, strikes[1])
    real = correlation_strike(realized[0], weights, realized[1])
    w, rv = _basket(weights, realized[1])
    return VarianceTrade(strike, real, finite_float(w @ rv**2 * (strike - real)))


@np.errstate(all="ignore")  # as above
def variance_notional(vega: float, strike: float) -> float:
    """Money per unit of variance of a variance swap with this vega at its strike: vega / 2K.

    Vega is money per 1.00 of vol.

    Source: methodology 7.2.

    >>> variance_notional(3_600.0, 0.18)
    10000.0
    """
    return finite_float(np.divide(vega, 2 * strike))


@np.errstate(all="ignore")  # as above
def straddle_pnl(
    implied: tuple[float, ArrayLike], realized: tuple[float, ArrayLike], weights: ArrayLike
) -> float:
    """Vega-weighted straddles held to expiry, in vol per unit of index vega.

    The outcome is (A - s_I) realised less (A - s_I) implied. Both arguments are (index vol, n vols
    of the names). Source: methodology 7.2.

    >>> realized = (0.22, (0.32, 0.28, 0.41, 0.24))
    >>> round(100 * straddle_pnl((0.18, TOY_VOLS), realized, TOY_WEIGHTS), 9)
    -1.65
    """
    spreads = [
        w @ vols - index
        for index, (w, vols) in ((leg[0], _basket(weights, leg[1])) for leg in (realized, implied))
    ]
    return finite_float(spreads[0] - spreads[1])


def correlation_swap_pnl(notional: float, strike: float, realized: float) -> float:
    """N (rho_real - rho_K): what the buyer of a correlation swap receives.

    Source: methodology 7.2.

    >>> round(correlation_swap_pnl(1_000_000, 0.36, 0.47))
    110000
    """
    return finite_float(notional * (realized - strike))


@np.errstate(all="ignore")  # as above
def leg_pnl(greeks: Greeks, d_forward: ArrayLike, d_vol: ArrayLike, d_years: ArrayLike) -> LegPnl:
    """Change of value of each leg; arguments broadcast.

    It is delta dF + gamma dF^2 / 2 + theta dt + vega ds + volga ds^2 / 2 + vanna ds dF.

    Source: methodology 7.3.

    >>> from analytics.black76 import greeks
    >>> round(float(leg_pnl(greeks(100.0, 100.0, 0.25, 0.2, True), 1.0, 0.01, 1 / 365).total), 4)
    0.7182
    """
    df, ds, dt = (np.asarray(x, dtype=np.float64) for x in (d_forward, d_vol, d_years))
    parts = (
        greeks.delta * df,
        0.5 * greeks.gamma * df**2,
        greeks.theta * dt,
        greeks.vega * ds,
        0.5 * greeks.volga * ds**2,
        greeks.vanna * ds * df,
    )
    return LegPnl(*(finite(part) for part in parts))


def _basket(weights: ArrayLike, vols: ArrayLike) -> tuple[Floats, Floats]:
    """Weights that sum to one, scaled first so that enormous ones stay finite, and vols."""
    w, s = np.asarray(weights, dtype=np.float64), np.asarray(vols, dtype=np.float64)
    share = w / w.max(initial=0.0)
    return share / share.sum(), s
