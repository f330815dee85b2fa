"""At-the-money vols from options whose vol and delta a source states.

Nothing is inverted, because there is no price to invert.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.arrays import Floats
from analytics.atm import AtmStatus, vols_at_delta


class StatedSide(NamedTuple):
    """The calls, or the puts, of m strips.

    Segment j is rows `offsets[j]:offsets[j+1]`, strikes ascending.
    """

    offsets: NDArray[np.int64]
    vol: Floats
    """Annualised, decimals."""
    delta: Floats
    """Negative for puts."""


def stated_atm_vols(
    calls: StatedSide, puts: StatedSide, years: Floats
) -> tuple[Floats, NDArray[np.int8]]:
    """ATM vols (annualised decimals) of m strips and `AtmStatus` codes.

    `years` are their m times to expiry.

    The mean of the call vol at delta 0.5 and the put vol at -0.5, each linear in delta between
    neighbouring strikes; no value without both. One side alone would be biased: vendors solve calls
    and puts apart, and a wrong forward moves their vols in opposite directions.

    Source: methodology 3.3.

    >>> calls = StatedSide(np.array([0, 2]), np.array([0.22, 0.20]), np.array([0.6, 0.4]))
    >>> puts = StatedSide(np.array([0, 2]), np.array([0.25, 0.23]), np.array([-0.5, -0.7]))
    >>> vol, status = stated_atm_vols(calls, puts, np.array([0.1]))
    >>> vol.round(12).tolist(), status.tolist()
    ([0.23], [0])
    """
    call, put = (
        vols_at_delta(side.offsets, side.delta, side.vol, at)[:, 0]
        for side, at in ((calls, 0.5), (puts, -0.5))
    )
    few = (np.diff(calls.offsets) < 2) | (np.diff(puts.offsets) < 2)
    vol = np.where(years > 0, (call + put) / 2, np.nan)
    codes = [int(AtmStatus.EXPIRED), int(AtmStatus.TOO_FEW), int(AtmStatus.NOT_BRACKETED)]
    return vol, np.select([~(years > 0), few, np.isnan(vol)], codes, 0).astype(np.int8)


def stated_delta_vols(
    calls: StatedSide, puts: StatedSide, years: Floats, deltas: ArrayLike
) -> Floats:
    """Vols of m strips at d forward call deltas, shape (m, d); NaN where unknown.

    Below 0.5 they are of calls, above it of puts at delta - 1.

    The out-of-the-money side of each strike, as where there are quotes. At 0.5 itself see
    `stated_atm_vols`. Source: methodology 3.3.

    >>> calls = StatedSide(np.array([0, 2]), np.array([0.22, 0.20]), np.array([0.4, 0.2]))
    >>> puts = StatedSide(np.array([0, 2]), np.array([0.29, 0.25]), np.array([-0.2, -0.4]))
    >>> stated_delta_vols(calls, puts, np.array([0.1]), [0.3, 0.7, 0.9]).round(12).tolist()
    [[0.21, 0.27, nan]]
    """
    wanted = np.asarray(deltas, dtype=np.float64)
    low = vols_at_delta(calls.offsets, calls.delta, calls.vol, wanted)
    high = vols_at_delta(puts.offsets, puts.delta, puts.vol, wanted - 1)
    return np.where(years[:, None] > 0, np.where(wanted < 0.5, low, high), np.nan)
