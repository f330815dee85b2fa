"""A full-size market for benchmarks.

It has 500 names and an index, 176 k contracts with consistent prices.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from streams.decoding.frames import encode_quotes
from streams.market import Basket, Constituent, IndexSpec, Market, Rates
from streams.records import NS, Quotes, Series

SESSION = date(2026, 7, 10)
START = int(datetime(2026, 7, 10, 14, 0, tzinfo=UTC).timestamp()) * NS
"""10:00 in New York."""
EXPIRIES = (date(2026, 7, 17), date(2026, 8, 7), date(2026, 8, 14), date(2026, 8, 21))
STRIKES = 44
INDEX = "IDX"
ROWS = 2000
"""Quotes in a frame."""
REPEATED_SETS = 8
"""Frames of one partition that come again and again where contracts repeat."""

Kind = Literal["frames", "frames_repeated", "json"]


def symbols(names: int) -> tuple[str, ...]:
    """The index first, then its names."""
    return (INDEX, *(f"N{i:04d}" for i in range(names)))


def market(names: int) -> Market:
    """What monitors all of them."""
    basket = Basket("bench", tuple(Constituent(name, 1.0) for name in symbols(names)[1:]))
    return Market(indices=(IndexSpec(INDEX, basket),), rates=Rates(constant=0.0364), mode="replay")


@dataclass(frozen=True)
class Chain:
    """All contracts of some underlyings in columns of one length, with fair prices."""

    series: tuple[Series, ...]
    code: NDArray[np.int32]
    expiry: NDArray[np.int32]
    strike: NDArray[np.float64]
    call: NDArray[np.bool_]
    mid: NDArray[np.float64]

    @classmethod
    def of(cls, underlyings: tuple[str, ...], index_ratio: float = 1.0) -> "Chain":
        """Black-76 prices on a forward of 100 and a vol that differs by name.

        That of the index is multiplied.
        """
        days = np.array([(e - date(1970, 1, 1)).days for e in EXPIRIES], dtype=np.int32)
        code, expiry, strike, call = (
            a.ravel()
            for a in np.meshgrid(
                np.arange(len(underlyings), dtype=np.int32),
                days,
                (100.0 * np.exp(np.linspace(-0.5, 0.5, STRIKES))).round(2),
                np.array([True, False]),
                indexing="ij",
            )
        )
        years = (expiry - (SESSION - date(1970, 1, 1)).days + 0.25) / 365.0
        vol = (0.15 + 0.4 * (code % 50) / 50.0) * np.where(
            np.array(underlyings)[code] == INDEX, index_ratio, 1.0
        )
        deviation = vol * np.sqrt(years)
        d1 = np.log(100.0 / strike) / deviation + deviation / 2
        price = 100.0 * ndtr(d1) - strike * ndtr(d1 - deviation)
        return cls(
            tuple(Series(u, u) for u in underlyings),
            code,
            expiry,
            strike,
            call,
            np.where(call, price, price - 100.0 + strike),
        )

    def quotes(self, rows: NDArray[np.int64], ts: int, span: int = 0) -> Quotes:
        """Quotes of some contracts, in turn over the nanoseconds up to a time, or all at it."""
        mid = self.mid[rows]
        stamp = ts - span + span * np.arange(1, len(rows) + 1) // len(rows)
        bid = np.maximum(np.floor(mid * 98) / 100, 0.0)
        ask = np.round(bid + 0.05, 2)
        return Quotes(
            self.series,
            self.code[rows],
            self.expiry[rows],
            self.strike[rows],
            self.call[rows],
            bid,
            ask,
            stamp,
            stamp,
        )

    def all(self, ts: int) -> Iterator[Quotes]:
        """Every contract once, in frames."""
        for first in range(0, len(self.code), ROWS):
            yield self.quotes(np.arange(first, min(first + ROWS, len(self.code))), ts)


def backlog(chain: Chain, kind: Kind, quotes: int, after: int, seconds: int) -> list[bytes]:
    """Record values of one partition: about so many quotes.

    They are spread evenly over the seconds after the time `after`. Contracts are drawn anew for
    each frame, for `frames_repeated` out of a few sets that come again.
    """
    rng = np.random.default_rng(7)
    per_second = max(1, round(quotes / seconds / ROWS))
    sets = rng.integers(0, len(chain.code), (REPEATED_SETS, ROWS))
    values: list[bytes] = []
    for frame in range(seconds * per_second):
        chosen = (
            sets[frame % REPEATED_SETS]
            if kind == "frames_repeated"
            else rng.integers(0, len(chain.code), ROWS)
        )
        second, place = divmod(frame, per_second)
        columns = chain.quotes(
            chosen, after + second * NS + (place + 1) * NS // per_second, NS // per_second
        )
        values += json_quotes(columns) if kind == "json" else [encode_quotes(columns)]
    return values


def json_quotes(quotes: Quotes) -> Iterator[bytes]:
    """The same quotes as single JSON objects."""
    encode = msgspec.json.Encoder().encode
    for i in range(len(quotes.strike)):
        yield encode(
            {
                "underlying": quotes.series[quotes.series_code[i]].underlying,
                "expiry": date.fromordinal(719163 + int(quotes.expiry[i])).isoformat(),
                "strike": float(quotes.strike[i]),
                "right": "C" if quotes.call[i] else "P",
                "bid": float(quotes.bid[i]),
                "ask": float(quotes.ask[i]),
                "bid_size": 10,
                "ask_size": 10,
                "ts_event": int(quotes.ts_event[i]),
            }
        )


def heartbeat(ts: int) -> bytes:
    """Nothing at or before this time will follow."""
    return msgspec.json.encode({"ts_event": ts})
