"""Black-76 implied volatility of option columns.

Every row has a status; there is never an exception for one of them.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.arrays import Floats
from analytics.iv_solver import solve_total_vol

Status = NDArray[np.int8]
_EPSILON = np.finfo(np.float64).eps
# Relative change of the vol per rounding of the price from which on the price says nothing.
_COARSEST = 0.01


class IvStatus(IntEnum):
    """What became of one inversion; the vol is NaN unless `OK`."""

    OK = 0
    ZERO_BID = 1
    NO_PRICE = 2
    CROSSED = 3
    BELOW_INTRINSIC = 4
    ABOVE_MAX = 5
    EXPIRED = 6
    NO_INFORMATION = 7
    INVALID = 8

    @property
    def label(self) -> str:
        """Lower-case text; empty for `OK`."""
        return "" if self is IvStatus.OK else self.name.lower()


# Rows without a vol pass through the formulas and are named by their status.
@np.errstate(all="ignore")
def implied_vol(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    call: ArrayLike,
    half_tick: float = 0.0,
) -> tuple[Floats, Status]:
    """Black-76 vols (annualised decimals) and `IvStatus` codes of undiscounted prices.

    The arguments broadcast to one shape.

    An in-the-money price loses its intrinsic value first, so both sides of a strike give the same
    vol. `NO_INFORMATION`: a time value of at most `half_tick` USD, or one that rounding alone would
    move by a hundredth of its vol. `BELOW_INTRINSIC` and `ABOVE_MAX` (call at or above the forward,
    put at or above the strike) are arbitrage bounds; `INVALID` is a forward or strike that is not a
    positive number.

    Source: Black, "The pricing of commodity contracts", 1976.

    >>> call = [True, False, True]
    >>> vol, status = implied_vol([2.0, 7.0, 4.9], 100.0, [105.0, 105.0, 95.0], 0.1, call)
    >>> vol.round(6).tolist(), [IvStatus(code).name for code in status]
    ([0.310631, 0.310631, nan], ['OK', 'OK', 'BELOW_INTRINSIC'])
    """
    quote, f, k, t = (np.asarray(x, dtype=np.float64) for x in (price, forward, strike, years))
    quote, f, k, t, is_call = np.broadcast_arrays(quote, f, k, t, np.asarray(call, dtype=np.bool_))
    time_value = quote - np.maximum(np.where(is_call, f - k, k - f), 0.0)
    least = np.minimum(f, k)
    root = solve_total_vol(np.ravel(np.abs(np.log(f / k))), np.ravel(time_value / least))
    vol = np.reshape(root.total_vol, quote.shape) / np.sqrt(t)
    blur = _EPSILON * quote / (time_value * np.reshape(root.elasticity, quote.shape))
    refusals = (
        (~((f > 0) & (f < np.inf) & (k > 0) & (k < np.inf)), IvStatus.INVALID),
        (~(t > 0), IvStatus.EXPIRED),
        (~np.isfinite(quote), IvStatus.NO_PRICE),
        (time_value < 0, IvStatus.BELOW_INTRINSIC),
        (time_value >= least, IvStatus.ABOVE_MAX),
        (
            (time_value <= half_tick) | ~(blur < _COARSEST) | ~np.isfinite(vol),
            IvStatus.NO_INFORMATION,
        ),
    )
    status = np.select(
        [mask for mask, _ in refusals], [int(code) for _, code in refusals], 0
    ).astype(np.int8)
    return np.where(status == 0, vol, np.nan), status


@np.errstate(all="ignore")  # as above
def quoted_vol(
    bid: ArrayLike,
    ask: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    call: ArrayLike,
    rate: ArrayLike = 0.0,
) -> tuple[Floats, Status]:
    """Vols and statuses of quotes at their mid (USD), grown to expiry at `rate`.

    The arguments broadcast.

    Beside the statuses of `implied_vol`: `NO_PRICE` (a side is missing), `ZERO_BID`, `CROSSED` (ask
    below bid).

    Source: methodology 6.3, a status for each quote.

    >>> vol, status = quoted_vol([1.9, 0.0, 2.2], [2.1, 0.1, 2.0], 100.0, 105.0, 0.1, True)
    >>> vol.round(6).tolist(), [IvStatus(code).label for code in status]
    ([0.310631, nan, nan], ['', 'zero_bid', 'crossed'])
    """
    low, high = np.asarray(bid, dtype=np.float64), np.asarray(ask, dtype=np.float64)
    growth = np.exp(np.asarray(rate, dtype=np.float64) * np.asarray(years, dtype=np.float64))
    vol, status = implied_vol(0.5 * (low + high) * growth, forward, strike, years, call)
    missing, crossed = ~(np.isfinite(low) & np.isfinite(high)), high < low
    status = np.select(
        [missing, crossed, low <= 0],
        [int(IvStatus.NO_PRICE), int(IvStatus.CROSSED), int(IvStatus.ZERO_BID)],
        status,
    ).astype(np.int8)
    return np.where(status == 0, vol, np.nan), status
