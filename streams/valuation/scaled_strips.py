"""Strips whose strikes are of another unit than their prices: no value is made of them."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Bools, Floats
from analytics.atm import AtmStatus
from analytics.option_chain import OptionChain
from analytics.strike_scale import LEAST_SCALE, THOUSANDTHS, strike_scale
from analytics.strip import StripReason, StripValues

LEAST_VOL: Final = 0.02
"""No index has had an at-the-money vol below it: one that has is looked at."""


class TermVols(NamedTuple):
    """Values of m strips, and their at-the-money vols."""

    strips: StripValues
    vols: Floats
    status: NDArray[np.int8]


def without_scaled(chain: OptionChain, found: TermVols) -> TermVols:
    """Without variance, vol and forward of strips whose strikes are out of scale with the price.

    Looked at are those without strikes around the forward, and those of hardly any vol: either is
    what strikes of another unit lead to.
    """
    strips, vols, status = found
    with np.errstate(invalid="ignore"):
        suspects = np.flatnonzero(
            (strips.reason == int(StripReason.HOLE)) | ~(vols >= LEAST_VOL) & (status == 0)
        )
    if not suspects.size:
        return found
    scale = np.full(vols.size, np.nan)
    scale[suspects] = strike_scale(chain, suspects)
    off: Bools = scale < LEAST_SCALE
    if not off.any():
        return found
    thousandths = (scale > THOUSANDTHS[0]) & (scale < THOUSANDTHS[1])

    def unless(column: Floats) -> Floats:
        return np.where(off, np.nan, column)

    def told(codes: NDArray[np.int8], general: int, thousand: int) -> NDArray[np.int8]:
        return np.where(off, np.where(thousandths, thousand, general), codes).astype(np.int8)

    return TermVols(
        strips._replace(
            variance=unless(strips.variance),
            bid_variance=unless(strips.bid_variance),
            ask_variance=unless(strips.ask_variance),
            forward=unless(strips.forward),
            reason=told(strips.reason, StripReason.OFF_SCALE, StripReason.THOUSANDTHS),
        ),
        unless(vols),
        told(status, AtmStatus.OFF_SCALE, AtmStatus.THOUSANDTHS),
    )
