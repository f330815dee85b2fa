"""The base board: flat-vol Black-76 chains of an index and five names at one close.

The right answer is computed from their vols.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from streams.calendar.sessions import close_ns, date_of
from tests.support.option_chains import Chain, quotes_of

SESSION = date(2026, 7, 10)
CLOSE = close_ns(SESSION)
EXPIRIES = (date(2026, 7, 31), date(2026, 8, 7), date(2026, 8, 14))
INDEX, INDEX_VOL = "SPY", 0.172
SPOTS = {"SPY": 740.0, "AAPL": 230.0, "MSFT": 510.0, "NVDA": 165.0, "AMZN": 220.0, "BRK.B": 480.0}
VOLS = {"AAPL": 0.29, "MSFT": 0.24, "NVDA": 0.44, "AMZN": 0.33, "BRK.B": 0.19}
WEIGHTS = {"AAPL": 0.25, "MSFT": 0.25, "NVDA": 0.2, "AMZN": 0.15, "BRK.B": 0.15}
TOLERANCE = 0.004
"""Of the right answer: strikes are 1 % apart, and prices are whole cents."""


class Answer(NamedTuple):
    """What a reading of the board must say."""

    index_vol: float
    basket_vol: float
    implied_correlation: float


def right_answer() -> Answer:
    """From the vols alone: a flat vol is its own strip of variance."""
    pairs = [(WEIGHTS[name], vol) for name, vol in VOLS.items()]
    basket = sum(weight * vol**2 for weight, vol in pairs)
    own = sum((weight * vol) ** 2 for weight, vol in pairs)
    average = sum(weight * vol for weight, vol in pairs)
    return Answer(INDEX_VOL, math.sqrt(basket), (INDEX_VOL**2 - own) / (average**2 - own))


def columns(**other: Any) -> dict[str, list[Any]]:
    """The board as columns of a file of closes: n rows each.

    `other` replaces columns, or drops them where it is None.
    """
    vols = {INDEX: INDEX_VOL, **VOLS}
    chains = [
        Chain(name, EXPIRIES, vols[name], spot, step=spot / 100) for name, spot in SPOTS.items()
    ]
    made = columns_of(chains, SESSION)
    return {name: column for name, column in (made | other).items() if column is not None}


def columns_of(chains: Sequence[Chain], session: date) -> dict[str, list[Any]]:
    """Chains as columns of a file of closes: n rows each, prices in whole cents."""
    quotes = quotes_of(chains, close_ns(session))
    return {
        "session": [session.isoformat()] * quotes.bid.size,
        "underlying": [quotes.series[code].underlying for code in quotes.series_code],
        "expiration": [date_of(day).isoformat() for day in quotes.expiry.tolist()],
        "strike": np.round(quotes.strike, 3).tolist(),
        "cp": np.where(quotes.call, "C", "P").tolist(),
        "bid": np.round(quotes.bid, 2).tolist(),
        "ask": np.round(quotes.ask, 2).tolist(),
    }


def mapped(name: str, spell: Any) -> list[Any]:
    """One column of the board in another spelling."""
    return [spell(value) for value in columns()[name]]


def basket_file(folder: Path) -> Path:
    """The basket of the board as a file of the settings."""
    file = folder / "five.toml"
    lines = (
        f'[[constituents]]\nsymbol = "{name}"\nweight = {weight}\n'
        for name, weight in WEIGHTS.items()
    )
    file.write_text("".join(lines))
    return file


def csv_text(table: Mapping[str, list[Any]], separator: str = ",") -> str:
    """Columns as text with a header."""
    lines = (separator.join(map(str, row)) for row in zip(*table.values(), strict=True))
    return "\n".join([separator.join(table), *lines]) + "\n"
