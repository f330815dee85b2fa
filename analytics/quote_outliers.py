"""Quotes that nobody would deal on: they are left out before a strip is valued."""

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from analytics.arrays import Bools, Floats, Ints
from analytics.found_quotes import NO_QUOTES, ROUNDING_USD, FoundQuotes, QuoteReason
from analytics.option_chain import OptionChain
from analytics.parity import parity_forwards
from analytics.segments import segment_of_rows

FIRM_ASK: Final = 3.0
"""Times its bid: a quote with a higher ask may be left out."""
SLACK_USD: Final = 0.50
"""A mid is out of line when it is further than this beyond the quotes beside it.

Market makers quote options that are worth next to nothing 0.05 to 1.00: VIX counts such quotes.
"""
_CAP: Final = 1e6
_APART: Final = 4 * _CAP


class JudgedChain(NamedTuple):
    """A chain without the quotes that are no market."""

    chain: OptionChain
    left_out: FoundQuotes
    """Rows are those of the chain that was judged."""
    thinned: tuple[Ints, Ints]
    """Out-of-the-money puts, and calls, left out of each of the m strips."""
    rows: Ints | None = None
    """Row of the judged chain that each row was; None where all are still there."""


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


def _all_kept(chain: OptionChain) -> JudgedChain:
    none = np.zeros(len(chain.years), np.int64)
    return JudgedChain(chain, NO_QUOTES, (none, none))


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
    slack = SLACK_USD + ROUNDING_USD
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
