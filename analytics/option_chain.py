"""Option chains in flat columns: many strips side by side, valued at once.

A *segment* is one strip: one series of one underlying at one expiry. Rows of a segment are strikes
in ascending order with the call and the put of that strike side by side; segment j is rows
`offsets[j]:offsets[j+1]`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats


@dataclass(frozen=True, slots=True)
class OptionChain:
    """m strips over n strike rows. Prices USD; NaN where a side has no quote."""

    offsets: NDArray[np.int64]
    """m + 1 row offsets."""
    strike: Floats
    call_bid: Floats
    call_ask: Floats
    put_bid: Floats
    put_ask: Floats
    years: Floats
    """m times to expiry: whole minutes / 525,600."""
    rate: Floats
    """m continuously compounded rates."""
