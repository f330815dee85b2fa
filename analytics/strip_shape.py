"""The shape of option strips: quotes that are no market, and strips that say too little.

Two questions are asked of all strips at once, before they are valued. `judge_quotes` finds quotes
that nobody would deal on, and leaves them out. `strip_shape` measures what is left: arbitrage
between bids and asks, holes and reach in standard deviations; `doubts` says what of it is too much.
"""

from dataclasses import replace
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Bools, Floats, Ints
from analytics.option_chain import OptionChain
from analytics.parity import Parity, parity_forwards
from analytics.segments import segment_of_rows
from analytics.special_functions import ndtr
from analytics.strip import Selected, StripValues
from analytics.walk import Legs

FIRM_ASK: Final = 3.0
"""Times its bid: a quote with a higher ask may be left out."""
LOOSEST_ASK: Final = 10.0
"""Times its bid: a quote with a higher ask says next to nothing."""
SLACK_USD: Final = 0.50
"""A mid is out of line when it is further than this beyond the quotes beside it.

Market makers quote options that are worth next to nothing 0.05 to 1.00: VIX counts such quotes.
"""
HOLE_REFUSED: Final = 1.0
"""Standard deviations between K0 and the first call above the forward."""
HOLE_DOUBTED: Final = 0.75
WIDEST_GAP: Final = 1.25
"""Standard deviations between two strikes."""
CORE: Final = 2.0
"""Standard deviations from the forward within which gaps count."""
ARBITRAGE: Final = 0.003
"""Share of a strip's value that is arbitrage between bids and asks."""
THINNED: Final = 0.10
"""Share of the options of a wing that were left out."""
LEAST_THINNED: Final = 3
"""Options of a wing that must be left out for a strip to be thinned."""
_CAP: Final = 1e6
_APART: Final = 4 * _CAP
_ROUNDING: Final = 1e-4
"""More than the move apart rounds away, less than half a cent: no tie depends on the company."""
_STEPS: Final = 3


class QuoteReason(IntEnum):
    """What is wrong with a quote; `label` is its word on the wire."""

    OUT_OF_LINE = 0
    BEYOND_PAYOFF = 1
    VERTICAL = 2
    BUTTERFLY = 3
    PARITY = 4

    @property
    def label(self) -> str:
        """Lower-case name."""
        return self.name.lower()


class Doubt(IntFlag):
    """Why a strip is not believed; `label` is the flag of a point."""

    ARBITRAGE = 1
    GAP = 2
    REACH = 4
    THINNED = 8
    WIDE = 16

    @property
    def label(self) -> str:
        """Lower-case name behind `strip_`."""
        return f"strip_{(self.name or '').lower()}"


class FoundQuotes(NamedTuple):
    """k quotes of a chain, by row and side, and what is wrong with them."""

    row: Ints
    call: Bools
    reason: Ints
    """`QuoteReason` codes."""


class JudgedChain(NamedTuple):
    """A chain without the quotes that are no market."""

    chain: OptionChain
    left_out: FoundQuotes
    """Rows are those of the chain that was judged."""
    thinned: tuple[Ints, Ints]
    """Out-of-the-money puts, and calls, left out of each of the m strips."""
    rows: Ints | None = None
    """Row of the judged chain that each row was; None where all are still there."""


class Believed(NamedTuple):
    """How far a strip is believed that is not otherwise at odds with itself."""

    widest: float
    """Vol on asks less vol on bids, over the vol."""
    loosest: float
    """Share of the strip's value that stands on asks of more than ten bids."""
    least_reach: float
    """Standard deviations from the forward to the last strike of either wing."""


class Shape(NamedTuple):
    """m strips in standard deviations of the forward at expiry; NaN where it is not known."""

    hole: Floats
    """Between K0 and the first call above the forward."""
    gap: Floats
    """The widest between two strikes near the forward."""
    put_reach: Floats
    call_reach: Floats
    arbitrage: Floats
    """Share of the strip's value by which bids exceed what asks beside them allow."""
    loose: Floats
    """Share of the strip's value that stands on asks of more than ten bids."""
    found: FoundQuotes
    """Of the bids that exceed what is allowed."""


def judge_quotes(chain: OptionChain) -> JudgedChain:
    """Leave out quotes whose ask is more than three bids, and whose mid no neighbour allows.

    A put is worth no more than a put of a higher strike, no less than one of a lower strike, and
    no more than its strike; a call mirrors it. Upper bounds are the least ask of the options worth
    more, lower ones the greatest bid of firm quotes worth less. A quote that is firm is never left
    out, whatever its neighbours say: which of the two is wrong is not known.

    A strike whose out-of-the-money option is left out leaves the chain, as if it were not listed;
    of others the option alone becomes NaN.

    Source: bounds of Merton, "Theory of rational option pricing", 1973, section 2.

    >>> column = lambda *x: np.array(x, dtype=float)
    >>> chain = OptionChain(np.array([0, 4]), column(90, 95, 100, 105),
    ...               column(11, 6.0, 2.4, 0.6), column(11.2, 6.2, 2.6, 0.8),
    ...               column(0.1, 0.6, 2.4, 6.0), column(9999, 0.8, 2.6, 6.2),
    ...               column(0.1), column(0.0))
    >>> judged = judge_quotes(chain)
    >>> judged.chain.strike.tolist(), judged.left_out.row.tolist(), judged.thinned[0].tolist()
    ([95.0, 100.0, 105.0], [0], [1])
    """
    segments = len(chain.years)
    loose = _loose(chain.call_bid, chain.call_ask) | _loose(chain.put_bid, chain.put_ask)
    if not loose.any():
        return _all_kept(chain)
    suspected = np.zeros(segments, np.bool_)
    segment = segment_of_rows(chain.offsets)
    suspected[segment[loose]] = True
    rows = np.flatnonzero(suspected[segment])
    offsets = _offsets(np.diff(chain.offsets)[suspected])
    found = _no_market(_taken(chain, rows, offsets, suspected))
    if not found.row.size:
        return _all_kept(chain)
    left_out = found._replace(row=rows[found.row])
    cleared = _without(chain, left_out)
    forward = np.full(segments, np.nan)
    forward[suspected] = parity_forwards(_taken(cleared, rows, offsets, suspected)).forward
    puts, calls = _out_of_the_money(chain.strike, forward[segment], left_out)
    thinned = [np.bincount(segment[gone], minlength=segments) for gone in (puts, calls)]
    kept = np.ones(len(chain.strike), np.bool_)
    kept[puts] = kept[calls] = False
    rows = np.flatnonzero(kept)
    offsets = _offsets(kept)[chain.offsets]
    judged = _taken(cleared, rows, offsets, np.ones(segments, np.bool_))
    return JudgedChain(judged, left_out, (thinned[0], thinned[1]), rows)


# Strips without a forward are NaN, and doubt nothing.
@np.errstate(all="ignore")
def strip_shape(chain: OptionChain, selected: Selected, values: StripValues) -> Shape:
    """Measure strips and their values.

    The standard deviation is that of a normal price at expiry which gives the call and the put of
    K* together their mid (Bachelier): it needs no strip. A bid above the ask of an option worth
    more is vertical arbitrage, one above the asks either side of it, weighted by their distance,
    butterfly arbitrage. A call and a put at K0, or next to it, whose forwards do not include that
    of K* are parity arbitrage.

    Source: Carr and Madan, "A note on sufficient conditions for no arbitrage", 2005.

    >>> from analytics.strip import value_strips
    >>> from analytics.walk import select_legs
    >>> column = lambda *x: np.array(x, dtype=float)
    >>> chain = OptionChain(np.array([0, 3]), column(95, 100, 105), column(5.6, 2.4, 0.6),
    ...               column(5.8, 2.6, 0.8), column(0.6, 2.4, 5.6), column(0.8, 2.6, 5.8),
    ...               column(0.1), column(0.0))
    >>> parity = parity_forwards(chain)
    >>> selected = Selected(parity, select_legs(chain, parity))
    >>> shape = strip_shape(chain, selected, value_strips(chain, selected=selected))
    >>> shape.hole.round(3).tolist(), shape.call_reach.round(3).tolist(), shape.arbitrage.tolist()
    ([0.798], [0.798], [0.0])
    """
    parity, legs = selected
    segments = len(chain.years)
    counts = np.bincount(legs.segment, minlength=segments)
    owner = np.flatnonzero(counts)
    ends = np.cumsum(counts)[owner]
    first, last = ends - counts[owner], ends - 1
    strike = chain.strike[legs.row]
    per_usd = 1.0 / _deviation(chain, parity)
    place = strike * np.repeat(per_usd, counts) - np.repeat(parity.forward * per_usd, counts)
    step = np.empty_like(place)
    step[:-1] = place[1:] - place[:-1]
    step[last] = 0.0
    center = np.flatnonzero(legs.wing == 0)
    excesses = _arbitrage(chain, parity, strike, legs)
    arbitrage, loose = _shares(chain, strike, legs, excesses, values)
    return Shape(
        _of_strips(segments, legs.segment[center], step[center]),
        _of_strips(segments, owner, _widest(place, step, first)),
        _of_strips(segments, owner, -place[first]),
        _of_strips(segments, owner, place[last]),
        arbitrage,
        loose,
        _found(excesses),
    )


@np.errstate(all="ignore")
def doubts(
    shape: Shape,
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

    >>> one = np.array([0.2])
    >>> shape = Shape(one, one, np.array([4.0]), np.array([0.7]), np.array([0.02]), one, _NOTHING)
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


def _all_kept(chain: OptionChain) -> JudgedChain:
    none = np.zeros(len(chain.years), np.int64)
    return JudgedChain(chain, _NOTHING, (none, none))


def _loose(bid: Floats, ask: Floats) -> Bools:
    """Quotes that may be left out: two-sided, and not firm."""
    return (ask > FIRM_ASK * bid) & (bid > 0) & (ask > SLACK_USD)


def _no_market(chain: OptionChain) -> FoundQuotes:
    segment = segment_of_rows(chain.offsets)
    highest = np.maximum.reduceat(chain.strike, chain.offsets[:-1])[segment]
    calls = _out_of_line(chain.call_bid, chain.call_ask, segment, highest)
    # Puts gain with the strike: from the last row to the first they are in the order of calls.
    puts = _out_of_line(
        chain.put_bid[::-1], chain.put_ask[::-1], segment[-1] - segment[::-1], chain.strike[::-1]
    )[::-1]
    call_rows, put_rows = np.flatnonzero(calls >= 0), np.flatnonzero(puts >= 0)
    return FoundQuotes(
        np.concatenate([call_rows, put_rows]),
        np.concatenate([np.ones(call_rows.size, np.bool_), np.zeros(put_rows.size, np.bool_)]),
        np.concatenate([calls[call_rows], puts[put_rows]]),
    )


@np.errstate(all="ignore")
def _out_of_line(bid: Floats, ask: Floats, segment: Ints, payoff: Floats) -> Ints:
    """`QuoteReason` of each quote of one side, the most valuable of a segment first; -1 is none.

    Segments are kept apart by moving each to a range of prices of its own, so that one running
    extreme serves all.
    """
    apart = segment * -_APART
    joined = np.concatenate([[False], segment[1:] == segment[:-1]])
    asks = np.where(ask > 0, np.minimum(ask, _CAP), _CAP)
    least = np.minimum.accumulate(asks + apart) - apart
    upper = np.where(joined, np.concatenate([[_CAP], least[:-1]]), _CAP)
    firm = (bid > 0) & (ask >= bid) & (ask <= FIRM_ASK * bid)
    bids = np.where(firm, np.minimum(bid, _CAP), 0.0)
    greatest = np.maximum.accumulate((bids + apart)[::-1])[::-1] - apart
    followed = np.concatenate([joined[1:], [False]])
    lower = np.where(followed, np.concatenate([greatest[1:], [0.0]]), 0.0)
    mid, loose = 0.5 * (bid + ask), _loose(bid, ask)
    beyond = loose & (ask > payoff)
    slack = SLACK_USD + _ROUNDING
    wrong = loose & ((mid > upper + slack) | (mid < lower - slack))
    return np.where(
        beyond, QuoteReason.BEYOND_PAYOFF, np.where(wrong, QuoteReason.OUT_OF_LINE, -1)
    ).astype(np.int64)


def _without(chain: OptionChain, left_out: FoundQuotes) -> OptionChain:
    """The chain with those quotes NaN."""
    calls, puts = left_out.row[left_out.call], left_out.row[~left_out.call]
    return replace(
        chain,
        call_bid=_cleared(chain.call_bid, calls),
        call_ask=_cleared(chain.call_ask, calls),
        put_bid=_cleared(chain.put_bid, puts),
        put_ask=_cleared(chain.put_ask, puts),
    )


def _out_of_the_money(strike: Floats, forward: Floats, left_out: FoundQuotes) -> tuple[Ints, Ints]:
    """Rows of the puts, and of the calls, among those quotes; `forward` is by row."""
    calls, puts = left_out.row[left_out.call], left_out.row[~left_out.call]
    return puts[strike[puts] <= forward[puts]], calls[strike[calls] >= forward[calls]]


def _taken(chain: OptionChain, rows: Ints, offsets: Ints, segments: Bools) -> OptionChain:
    """Some rows of some segments; `offsets` are the new ones."""
    return OptionChain(
        offsets,
        chain.strike[rows],
        chain.call_bid[rows],
        chain.call_ask[rows],
        chain.put_bid[rows],
        chain.put_ask[rows],
        chain.years[segments],
        chain.rate[segments],
    )


def _offsets(counts: Ints | Bools) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)])


def _cleared(column: Floats, rows: Ints) -> Floats:
    out = column.copy()
    out[rows] = np.nan
    return out


def _deviation(chain: OptionChain, parity: Parity) -> Floats:
    """Standard deviation of the price at expiry, USD, from the call and the put of K*.

    Newton's steps for 2 s n(d/s) + d (2 N(d/s) - 1) = C + P with d = |C - P|, from the root at
    d = 0, which lies above: the function is convex, so the steps fall to the root.
    """
    found = parity.parity_row >= 0
    at = np.where(found, parity.parity_row, 0)
    if not len(chain.strike):
        return np.full(len(at), np.nan)
    call = 0.5 * (chain.call_bid[at] + chain.call_ask[at])
    put = 0.5 * (chain.put_bid[at] + chain.put_ask[at])
    both, apart = call + put, np.abs(call - put)
    deviation = both * np.sqrt(0.5 * np.pi)
    for _ in range(_STEPS):
        score = apart / deviation
        density = np.exp(-0.5 * score * score) / np.sqrt(2 * np.pi)
        value = 2 * deviation * density + apart * (2 * ndtr(score) - 1)
        deviation = deviation - (value - both) / (2 * density)
    growth = np.exp(chain.rate * chain.years)
    return np.where(found & (deviation > 0), deviation * growth, np.nan)


def _widest(place: Floats, step: Floats, first: Ints) -> Floats:
    """The widest step near the forward of each strip that has options."""
    if not first.size:
        return np.empty(0)
    near = np.zeros(place.size, np.bool_)
    near[:-1] = (place[:-1] < CORE) & (place[1:] > -CORE)
    return np.asarray(np.maximum.reduceat(step * near, first))


def _of_strips(segments: int, owner: Ints, values: Floats) -> Floats:
    out = np.full(segments, np.nan)
    out[owner] = values
    return out


class _Excess(NamedTuple):
    """Bids that are too high, one row each."""

    row: Ints
    """Of the chain."""
    call: Bools
    over: Floats
    """USD."""
    reason: QuoteReason


def _arbitrage(chain: OptionChain, parity: Parity, strike: Floats, legs: Legs) -> list[_Excess]:
    """Bids above what the quotes beside them allow; nearly always there is none."""
    found = [*_of_wings(chain, strike, legs), _off_parity(chain, parity)]
    return [one for one in found if one.row.size]


def _of_wings(chain: OptionChain, strike: Floats, legs: Legs) -> tuple[_Excess, _Excess, _Excess]:
    """Bids of selected options above what the options selected beside them allow.

    A put is followed by a put or by K0, and a call follows a call or K0, of the same strip: at K0
    each meets the quote of its own side.
    """
    center = np.flatnonzero(legs.wing == 0)
    row, bid, is_put, is_call = legs.row, legs.bid, legs.wing < 0, legs.wing > 0
    above, below = legs.ask.copy(), legs.ask.copy()
    above[center], below[center] = chain.put_ask[row[center]], chain.call_ask[row[center]]
    puts = np.flatnonzero(is_put[:-1] & (bid[:-1] > above[1:]))
    calls = np.flatnonzero(is_call[1:] & (bid[1:] > below[:-1])) + 1
    step = strike[1:] - strike[:-1]
    line = step[1:] * below[:-2] + step[:-1] * above[2:]
    span = strike[2:] - strike[:-2]
    inside = (is_put[:-2] & is_put[1:-1]) | (is_call[1:-1] & is_call[2:])
    middle = np.flatnonzero(inside & (bid[1:-1] * span > line)) + 1
    over = bid[middle] - line[middle - 1] / span[middle - 1]
    return (
        _excess(row[puts], bid[puts] - above[puts + 1], QuoteReason.VERTICAL, call=False),
        _excess(row[calls], bid[calls] - below[calls - 1], QuoteReason.VERTICAL),
        _Excess(row[middle], is_call[middle], over, QuoteReason.BUTTERFLY),
    )


def _off_parity(chain: OptionChain, parity: Parity) -> _Excess:
    """Puts around K0 that with their calls allow no forward as high, or as low, as that of K*."""
    strips = np.repeat(np.flatnonzero(parity.k0_row >= 0), 3)
    row = parity.k0_row[strips] + np.tile([-1, 0, 1], strips.size // 3)
    inside = (row >= chain.offsets[strips]) & (row < chain.offsets[strips + 1])
    strips, row = strips[inside], row[inside]
    discount = np.exp(-chain.rate[strips] * chain.years[strips])
    apart = discount * (parity.forward[strips] - chain.strike[row])
    over = np.maximum(
        chain.call_bid[row] - chain.put_ask[row] - apart,
        apart - chain.call_ask[row] + chain.put_bid[row],
    )
    wrong = over > _ROUNDING
    return _excess(row[wrong], over[wrong], QuoteReason.PARITY, call=False)


def _excess(row: Ints, over: Floats, reason: QuoteReason, *, call: bool = True) -> _Excess:
    return _Excess(row, np.full(row.size, call), over, reason)


def _found(excesses: list[_Excess]) -> FoundQuotes:
    """Each quote once; of what is wrong with it the first stands."""
    if not excesses:
        return _NOTHING
    row = np.concatenate([one.row for one in excesses])
    call = np.concatenate([one.call for one in excesses])
    reason = np.repeat([int(one.reason) for one in excesses], [one.row.size for one in excesses])
    _, first = np.unique(2 * row + call, return_index=True)
    return FoundQuotes(row[first], call[first], reason[first])


def _shares(
    chain: OptionChain, strike: Floats, legs: Legs, excesses: list[_Excess], values: StripValues
) -> tuple[Floats, Floats]:
    """Shares of the strips' values that are arbitrage, and that stand on very loose quotes."""
    segments = len(chain.years)
    over: Floats = np.zeros(segments)
    standing: Floats = np.zeros(segments)
    loose = np.flatnonzero(legs.ask > LOOSEST_ASK * legs.bid)
    if loose.size:
        mid = 0.5 * (legs.bid[loose] + legs.ask[loose])
        worth = legs.spacing[loose] / strike[loose] ** 2 * mid
        standing += np.bincount(legs.segment[loose], weights=worth, minlength=segments)
    if excesses:
        row = np.concatenate([one.row for one in excesses])
        usd = np.concatenate([one.over for one in excesses])
        owner = np.searchsorted(chain.offsets, row, side="right") - 1
        weight = _strike_spacing(chain, row, owner) / chain.strike[row] ** 2
        over += np.bincount(owner, weights=weight * usd, minlength=segments)
    # The sum of the strip, from the variance that was made of it.
    total = values.variance * chain.years + (values.forward / values.k0 - 1) ** 2
    total *= 0.5 * np.exp(-chain.rate * chain.years)
    return np.asarray(over / total), np.asarray(standing / total)


def _strike_spacing(chain: OptionChain, row: Ints, owner: Ints) -> Floats:
    """Half the distance between the strikes either side of some rows."""
    low = np.maximum(row - 1, chain.offsets[owner])
    high = np.minimum(row + 1, chain.offsets[owner + 1] - 1)
    return np.asarray(0.5 * (chain.strike[high] - chain.strike[low]))


_NO_ROWS: NDArray[np.int64] = np.empty(0, np.int64)
_NOTHING = FoundQuotes(_NO_ROWS, np.empty(0, np.bool_), _NO_ROWS)
