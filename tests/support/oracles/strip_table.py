"""A strip strike by strike, as the appendix of the white paper prints it."""

from typing import NamedTuple

import numpy as np

from analytics.arrays import Floats
from analytics.option_chain import OptionChain
from analytics.parity import parity_forwards
from analytics.walk import select_legs

_TYPES = {-1: "Put", 0: "Put/Call", 1: "Call"}


class Contributions(NamedTuple):
    """One strip strike by strike, ascending: what each option adds to SUM dK/K^2 e^(RT) Q(K)."""

    strike: Floats
    type: tuple[str, ...]
    """`Put`, `Put/Call` at K0, `Call`."""
    mid: Floats
    dk: Floats
    contribution: Floats


def strip_contributions(
    chain: OptionChain, j: int, *, zero_ask_stops: bool = True
) -> Contributions:
    """The strikes selected in segment `j` with mid (USD), spacing and contribution.

    Empty where there is no K0.

    Source: appendix of the Cboe VIX white paper.
    """
    rows = slice(int(chain.offsets[j]), int(chain.offsets[j + 1]))
    one = OptionChain(
        np.array([0, rows.stop - rows.start]),
        chain.strike[rows],
        chain.call_bid[rows],
        chain.call_ask[rows],
        chain.put_bid[rows],
        chain.put_ask[rows],
        chain.years[j : j + 1],
        chain.rate[j : j + 1],
    )
    legs = select_legs(one, parity_forwards(one), zero_ask_stops=zero_ask_stops)
    strike, mid = one.strike[legs.row], 0.5 * (legs.bid + legs.ask)
    weight = legs.spacing / strike**2 * np.exp(one.rate[0] * one.years[0])
    return Contributions(
        strike, tuple(_TYPES[wing] for wing in legs.wing.tolist()), mid, legs.spacing, weight * mid
    )
