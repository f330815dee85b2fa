"""Which strips are doubted: what of their shape is too much, or too little."""

from enum import IntFlag
from typing import Final, NamedTuple

import numpy as np

from analytics.arrays import Floats, Ints
from analytics.strip_shape import StripShape

HOLE_REFUSED: Final = 1.0
"""Standard deviations between K0 and the first call above the forward."""
HOLE_DOUBTED: Final = 0.75
WIDEST_GAP: Final = 1.25
"""Standard deviations between two strikes."""
ARBITRAGE: Final = 0.003
"""Share of a strip's value that is arbitrage between bids and asks."""
THINNED: Final = 0.10
"""Share of the options of a wing that were left out."""
LEAST_THINNED: Final = 3
"""Options of a wing that must be left out for a strip to be thinned."""


class Doubt(IntFlag):
    """Why a strip is not believed; `label` is the flag of a point."""

    ARBITRAGE = 1
    GAP = 2
    REACH = 4
    THINNED = 8
    WIDE = 16
    CONFLICT = 32
    """Options of it have two prices at one time: `streams.valuation.conflicts`."""

    @property
    def label(self) -> str:
        """Lower-case name behind `strip_`."""
        return f"strip_{(self.name or '').lower()}"


class Believed(NamedTuple):
    """How far a strip is believed that is not otherwise at odds with itself."""

    widest: float
    """Vol on asks less vol on bids, over the vol."""
    loosest: float
    """Share of the strip's value that stands on asks of more than ten bids."""
    least_reach: float
    """Standard deviations from the forward to the last strike of either wing."""


@np.errstate(all="ignore")
def doubts(
    shape: StripShape,
    thinned: tuple[Ints, Ints],
    options: tuple[Ints, Ints],
    relative_width: Floats,
    believed: Believed,
) -> Ints:
    """`Doubt` bits of m strips.

    Args:
        shape: theirs.
        thinned: puts, and calls, left out of each.
        options: puts, and calls, that each is valued from.
        relative_width: vol on asks less vol on bids, over the vol; NaN where it has none.
        believed: the limits that differ by the kind of strip.

    Source: our proposal; the thresholds are in the decision record on quotes that are no market.

    >>> from analytics.found_quotes import NO_QUOTES
    >>> one, reach = np.array([0.2]), (np.array([4.0]), np.array([0.7]))
    >>> shape = StripShape(one, one, *reach, np.array([0.02]), one, NO_QUOTES)
    >>> none, many = np.array([0]), np.array([40])
    >>> bits = doubts(shape, (none, none), (many, many), one, Believed(0.3, 0.05, 1.0))
    >>> [doubt.label for doubt in Doubt if doubt & int(bits[0])]
    ['strip_arbitrage', 'strip_reach', 'strip_wide']
    """
    few = np.minimum(shape.put_reach, shape.call_reach) < believed.least_reach
    many = np.zeros(len(few), np.bool_)
    for gone, left in zip(thinned, options, strict=True):
        many |= (gone >= LEAST_THINNED) & (gone > THINNED * (gone + left))
    found = (
        (Doubt.ARBITRAGE, shape.arbitrage > ARBITRAGE),
        (Doubt.GAP, (shape.hole > HOLE_DOUBTED) | (shape.gap > WIDEST_GAP)),
        (Doubt.REACH, few),
        (Doubt.THINNED, many),
        (Doubt.WIDE, (relative_width > believed.widest) | (shape.loose > believed.loosest)),
    )
    bits = np.zeros(len(few), np.int64)
    for doubt, mask in found:
        bits[mask] |= int(doubt)
    return bits
