"""Vol at a fixed forward delta, read off one out-of-the-money smile on the parity forward."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.arrays import Floats
from analytics.implied_vol import implied_vol
from analytics.option_chain import OptionChain
from analytics.otm_smile import OtmSmile, first_above, otm_smile
from analytics.segments import segment_of_rows
from analytics.special_functions import ndtr

Rows = NDArray[np.int64]
Status = NDArray[np.int8]


class AtmStatus(IntEnum):
    """Why a strip has no vol at a delta; `label` is the wording shown to people."""

    OK = 0
    EXPIRED = 1
    NO_FORWARD = 2
    TOO_FEW = 3
    NOT_BRACKETED = 4
    THOUSANDTHS = 5
    """`streams.valuation.scaled_strips` says so, and the next."""
    OFF_SCALE = 6

    @property
    def label(self) -> str:
        """Lower-case text; empty for `OK`."""
        return _LABELS[self]


_LABELS = {
    AtmStatus.OK: "",
    AtmStatus.EXPIRED: "expired",
    AtmStatus.NO_FORWARD: "no forward",
    AtmStatus.TOO_FEW: "fewer than two out-of-the-money quotes",
    AtmStatus.NOT_BRACKETED: "delta not between two quoted strikes",
    AtmStatus.THOUSANDTHS: "strikes are 1,000 times the price",
    AtmStatus.OFF_SCALE: "strikes are out of scale with the price",
}


# Strips without a vol pass through as NaN and are named by their status.
@np.errstate(all="ignore")
def atm_vols(chain: OptionChain, forward: Floats) -> tuple[Floats, Status]:
    """50-delta vols (annualised decimals) of m strips, where N(d1) = 0.5, and `AtmStatus` codes.

    `forward` has m USD.

    The vol is linear in delta between the two strikes either side of K = F exp(sigma^2 T / 2). A
    first sigma comes in closed form from the option nearest to the forward; two options are
    inverted, and two more only where the first two do not enclose the delta.

    Source: methodology 3.3; first sigma of Corrado and Miller, "A note on a simple, accurate
    formula", 1996.

    >>> column = lambda *x: np.array(x, dtype=float)
    >>> chain = OptionChain(np.array([0, 3]), column(95, 100, 105), column(6.0, 2.4, 0.6),
    ...               column(6.2, 2.6, 0.8), column(0.6, 2.4, 6.0), column(0.8, 2.6, 6.2),
    ...               column(0.1), column(0.0))
    >>> vol, status = atm_vols(chain, np.array([100.0]))
    >>> vol.round(4).tolist(), status.tolist()
    ([0.1977], [0])
    """
    smile = otm_smile(chain, forward)
    status = _refusals(chain, forward, smile)
    vol = np.full(len(forward), np.nan)
    strips = np.flatnonzero(status == 0)
    if not strips.size:
        return vol, status
    f, t = forward[strips], chain.years[strips]
    target = f * np.exp(0.5 * _first_sigma(smile, strips, f, t) ** 2 * t)
    first = _pair(smile, strips, target, f, t)
    vol[strips] = _between(first.delta[0], first.vol[0], first.delta[1], first.vol[1], 0.5)
    again = np.flatnonzero(np.isnan(vol[strips]))
    if again.size:
        strips, f, t = strips[again], f[again], t[again]
        pair = _Pair(*(column[:, again] for column in first))
        second = _pair(smile, strips, _next_target(pair, f, t), f, t)
        vol[strips] = _enclosing(
            np.concatenate([pair.delta, second.delta]), np.concatenate([pair.vol, second.vol])
        )
    status[np.isnan(vol) & (status == 0)] = int(AtmStatus.NOT_BRACKETED)
    return vol, status


@np.errstate(all="ignore")  # as above
def delta_vols(chain: OptionChain, forward: Floats, deltas: ArrayLike) -> tuple[Floats, Status]:
    """Vols at d forward call deltas N(d1) (0.9 is the put side) from the full smile.

    The arrays are (m, d): vols, and `AtmStatus` codes.

    Source: methodology 3.3.

    >>> column = lambda *x: np.array(x, dtype=float)
    >>> chain = OptionChain(np.array([0, 3]), column(95, 100, 105), column(6.0, 2.4, 0.6),
    ...               column(6.2, 2.6, 0.8), column(0.6, 2.4, 6.0), column(0.8, 2.6, 6.2),
    ...               column(0.1), column(0.0))
    >>> vol, status = delta_vols(chain, np.array([100.0]), [0.7, 0.5, 0.1])
    >>> vol.round(3).tolist(), status.tolist()
    ([[0.197, 0.198, nan]], [[0, 0, 4]])
    """
    smile = otm_smile(chain, forward)
    strip = _refusals(chain, forward, smile)
    f, t = forward[smile.segment], chain.years[smile.segment]
    vol, _ = implied_vol(smile.price, f, smile.strike, t, smile.strike >= f)
    wanted = np.atleast_1d(np.asarray(deltas, dtype=np.float64))
    vols = vols_at_delta(smile.offsets, _delta(f, smile.strike, t, vol), vol, wanted)
    vols[strip != 0] = np.nan
    status = np.where(
        strip[:, None] != 0,
        strip[:, None],
        np.where(np.isnan(vols), int(AtmStatus.NOT_BRACKETED), 0),
    )
    return vols, status.astype(np.int8)


# Rows without a vol break the chain of neighbours and enclose nothing.
@np.errstate(all="ignore")
def vols_at_delta(offsets: Rows, delta: Floats, vol: Floats, wanted: ArrayLike) -> Floats:
    """Vols of m strips at d deltas, shape (m, d), linear in delta between neighbouring rows.

    NaN where none enclose it.

    Rows ascend in strike within a segment. Where stray quotes enclose a delta twice, the lowest vol
    counts: at one delta the lower the vol, the nearer the strike is to the money. Serves per-option
    vols and deltas of a vendor just as well, one side (calls or puts) a call.

    Source: methodology 3.3.

    >>> delta, vol = np.array([0.8, 0.6, 0.4]), np.array([0.24, 0.2, 0.18])
    >>> vols_at_delta(np.array([0, 3]), delta, vol, [0.5]).round(12).tolist()
    [[0.19]]
    """
    levels = np.atleast_1d(np.asarray(wanted, dtype=np.float64))
    least = np.full((len(offsets) - 1, len(levels)), np.inf)
    segment = segment_of_rows(offsets)
    left = np.flatnonzero(segment[1:] == segment[:-1])
    # A handful of deltas, each over all rows at once.
    for column, level in enumerate(levels):
        value = _between(delta[left], vol[left], delta[left + 1], vol[left + 1], level)
        found = ~np.isnan(value)
        np.minimum.at(least[:, column], segment[left[found]], value[found])
    return np.where(np.isinf(least), np.nan, least)


def _refusals(chain: OptionChain, forward: Floats, smile: OtmSmile) -> Status:
    few = np.diff(smile.offsets) < 2
    codes = [int(AtmStatus.EXPIRED), int(AtmStatus.NO_FORWARD), int(AtmStatus.TOO_FEW)]
    return np.select([~(chain.years > 0), ~(forward > 0), few], codes, 0).astype(np.int8)


def _first_sigma(smile: OtmSmile, strips: Rows, forward: Floats, years: Floats) -> Floats:
    """Corrado and Miller's closed form for the option nearest to the forward."""
    right = np.minimum(first_above(smile, strips, forward), smile.offsets[strips + 1] - 1)
    left = np.maximum(right - 1, smile.offsets[strips])
    row = np.where(smile.strike[right] - forward < forward - smile.strike[left], right, left)
    strike = smile.strike[row]
    money = forward - strike
    shifted = smile.price[row] + np.maximum(money, 0.0) - 0.5 * money
    root = np.sqrt(np.maximum(shifted * shifted - money * money / np.pi, 0.0))
    return np.asarray(np.sqrt(2 * np.pi / years) * (shifted + root) / (forward + strike))


class _Pair(NamedTuple):
    """Two neighbouring options a strip, arrays (2, strips).

    They are log-moneyness ln(K/F), vol and forward delta.
    """

    log_moneyness: Floats
    vol: Floats
    delta: Floats


def _pair(smile: OtmSmile, strips: Rows, target: Floats, forward: Floats, years: Floats) -> _Pair:
    """Invert the two options either side of `target`, or the outermost two."""
    left = np.clip(
        first_above(smile, strips, target) - 1, smile.offsets[strips], smile.offsets[strips + 1] - 2
    )
    rows = np.stack([left, left + 1])
    strike = smile.strike[rows]
    vol, _ = implied_vol(smile.price[rows], forward, strike, years, strike >= forward)
    return _Pair(np.log(strike / forward), vol, _delta(forward, strike, years, vol))


def _next_target(pair: _Pair, forward: Floats, years: Floats) -> Floats:
    """Where the line c + a y through the first two vols meets y = ln(K/F) = sigma^2 T / 2.

    It is the lesser root of a quadratic.
    """
    slope = (pair.vol[1] - pair.vol[0]) / (pair.log_moneyness[1] - pair.log_moneyness[0])
    level = pair.vol[0] - slope * pair.log_moneyness[0]
    tilt = 1 - years * slope * level
    root = np.sqrt(np.maximum(tilt**2 - (1 - tilt) ** 2, 0.0))
    return np.asarray(forward * np.exp(years * level**2 / (tilt + root)))


def _enclosing(delta: Floats, vol: Floats) -> Floats:
    """Vol at delta 0.5 from the options closest to it on either side; arrays (options, strips)."""
    at = np.arange(delta.shape[1])
    above = np.argmin(np.where(delta >= 0.5, delta, np.inf), axis=0)
    below = np.argmax(np.where(delta < 0.5, delta, -np.inf), axis=0)
    return _between(delta[above, at], vol[above, at], delta[below, at], vol[below, at], 0.5)


def _between(
    delta_a: Floats, vol_a: Floats, delta_b: Floats, vol_b: Floats, wanted: float
) -> Floats:
    """Linear in delta; NaN unless the two deltas enclose the wanted one."""
    share = (delta_a - wanted) / (delta_a - delta_b)
    inside = (delta_a - wanted) * (delta_b - wanted) <= 0
    share = np.where(delta_a == delta_b, 0.5, share)
    return np.where(inside, vol_a + share * (vol_b - vol_a), np.nan)


def _delta(forward: Floats, strike: Floats, years: Floats, vol: Floats) -> Floats:
    """Forward call delta N(d1)."""
    total = vol * np.sqrt(years)
    return np.asarray(ndtr(np.log(forward / strike) / total + 0.5 * total))
