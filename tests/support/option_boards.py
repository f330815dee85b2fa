"""Boards for tests: from rows of a table, or from a flat smile."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.black76 import price
from analytics.option_chain import OptionChain


def board_of(
    tables: Sequence[ArrayLike], years: Sequence[float], rates: Sequence[float] | None = None
) -> OptionChain:
    """A board of one strip a table.

    Rows are strike, call_bid, call_ask, put_bid, put_ask in any order of strikes.
    """
    parts = [np.asarray(table, dtype=np.float64).reshape(-1, 5) for table in tables]
    rows = np.concatenate([part[np.argsort(part[:, 0], kind="stable")] for part in parts])
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    strike, call_bid, call_ask, put_bid, put_ask = np.ascontiguousarray(rows.T)
    terms = np.array(years, dtype=np.float64), np.array(rates or [0.0] * len(parts))
    return OptionChain(offsets, strike, call_bid, call_ask, put_bid, put_ask, *terms)


def smile_table(
    strikes: ArrayLike, forward: float, years: float, vol: ArrayLike, half_spread: float = 0.0
) -> Floats:
    """Table rows of undiscounted Black-76 quotes around their price, at rate zero."""
    k = np.asarray(strikes, dtype=np.float64)
    call, put = price(forward, k, years, vol, call=True), price(forward, k, years, vol, call=False)
    return np.column_stack(
        [k, call - half_spread, call + half_spread, put - half_spread, put + half_spread]
    )
