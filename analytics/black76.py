"""Black-76: undiscounted option prices on a forward, and their sensitivities."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.arrays import Floats
from analytics.special_functions import erfcx, log_ndtr, ndtr

_SQRT_HALF = np.sqrt(0.5)
# d1 to which exp and erfcx share the work; beyond it the normal distribution has all its digits.
_SCALED_UP_TO = 3.0


class Greeks(NamedTuple):
    """Undiscounted sensitivities, all of the shape the arguments broadcast to.

    They are USD per unit of the variable.
    """

    delta: Floats
    """d price / d forward: N(d1) for a call, N(d1) - 1 for a put."""
    gamma: Floats
    vega: Floats
    """Per 1.00 of vol."""
    theta: Floats
    """d price / d calendar time, per year, forward held."""
    volga: Floats
    vanna: Floats
    """d delta / d vol."""


# Limits (no time, no vol) divide by zero on the way to the right value.
@np.errstate(all="ignore")
def price(
    forward: ArrayLike, strike: ArrayLike, years: ArrayLike, vol: ArrayLike, call: ArrayLike
) -> Floats:
    """Undiscounted USD prices: call F N(d1) - K N(d2), put K N(-d2) - F N(-d1).

    Arguments broadcast. The out-of-the-money side is computed and intrinsic value added, so far
    wings keep every digit. Without time or vol the price is intrinsic value. It is NaN where an
    argument is NaN or a forward or strike is not positive.

    Source: Black, "The pricing of commodity contracts", 1976.

    >>> price(100.0, [95.0, 100.0, 105.0], 0.25, 0.2, [False, True, True]).round(6).tolist()
    [1.888063, 3.987761, 2.064019]
    """
    f, k, t, s, is_call = _columns(forward, strike, years, vol, call)
    total = s * np.sqrt(np.maximum(t, 0.0))
    moneyness = np.abs(np.log(f / k))
    d1 = 0.5 * total - moneyness / total
    d2 = d1 - total
    tails = erfcx(-_SQRT_HALF * d1) - erfcx(-_SQRT_HALF * d2)
    scaled = 0.5 * np.exp(-0.5 * d1 * d1) * tails
    share = np.where(d1 < _SCALED_UP_TO, scaled, ndtr(d1) - np.exp(moneyness + log_ndtr(d2)))
    time_value = np.where(total > 0, np.minimum(f, k) * share, np.where(total == 0, 0.0, np.nan))
    worth = np.maximum(np.where(is_call, f - k, k - f), 0.0) + time_value
    return np.where((f > 0) & (k > 0), worth, np.nan)


def vega(forward: ArrayLike, strike: ArrayLike, years: ArrayLike, vol: ArrayLike) -> Floats:
    """Undiscounted vega F n(d1) sqrt(T), USD per 1.00 of vol; the same for calls and puts.

    Source: Black, "The pricing of commodity contracts", 1976.

    >>> float(vega(100.0, 100.0, 0.25, 0.2).round(6))
    19.922196
    """
    return greeks(forward, strike, years, vol, call=True).vega


def delta(
    forward: ArrayLike, strike: ArrayLike, years: ArrayLike, vol: ArrayLike, call: ArrayLike
) -> Floats:
    """Forward delta: N(d1) for a call, N(d1) - 1 for a put.

    Source: Black, "The pricing of commodity contracts", 1976.

    >>> delta(100.0, 100.0, 0.25, 0.2, [True, False]).round(6).tolist()
    [0.519939, -0.480061]
    """
    return greeks(forward, strike, years, vol, call).delta


@np.errstate(all="ignore")  # as above
def greeks(
    forward: ArrayLike, strike: ArrayLike, years: ArrayLike, vol: ArrayLike, call: ArrayLike
) -> Greeks:
    """Undiscounted sensitivities; arguments broadcast, NaN without time or vol.

    Source: derivatives of the Black formula; used by the attribution per leg of methodology 7.3.

    >>> g = greeks(100.0, 100.0, 0.25, 0.2, True)
    >>> [float(x.round(4)) for x in (g.delta, g.gamma, g.vega, g.theta, g.volga, g.vanna)]
    [0.5199, 0.0398, 19.9222, -7.9689, -0.249, 0.0996]
    """
    f, k, t, s, is_call = _columns(forward, strike, years, vol, call)
    root = np.sqrt(t)
    total = np.where(s * root > 0, s * root, np.nan)
    d1 = np.log(f / k) / total + 0.5 * total
    d2 = d1 - total
    density = np.exp(-0.5 * d1 * d1) / np.sqrt(2 * np.pi)
    per_vol = f * density * root
    return Greeks(
        np.asarray(ndtr(d1) - np.where(is_call, 0.0, 1.0)),
        density / (f * total),
        per_vol,
        -0.5 * per_vol * s / t,
        per_vol * d1 * d2 / s,
        -density * d2 / s,
    )


def _columns(
    forward: ArrayLike, strike: ArrayLike, years: ArrayLike, vol: ArrayLike, call: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.bool_]]:
    numbers = (np.asarray(x, dtype=np.float64) for x in (forward, strike, years, vol))
    f, k, t, s, is_call = np.broadcast_arrays(*numbers, np.asarray(call, dtype=np.bool_))
    return f, k, t, s, is_call
