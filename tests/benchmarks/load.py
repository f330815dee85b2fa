"""A full-size market for benchmarks: 500 names and an index, 177 k contracts with consistent prices, quoted in random order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from streams.records import NS, Quotes, Series

SESSION = date(2026, 7, 10)
START = int(datetime(2026, 7, 10, 14, 0, tzinfo=UTC).timestamp()) * NS
"""10:00 in New York."""
EXPIRIES = (date(2026, 8, 7), date(2026, 8, 14), date(2026, 7, 17), date(2026, 8, 21))
STRIKES = 44
INDEX = "IDX"


def symbols(names: int = 500) -> tuple[str, ...]:
    """The index first, then its names."""
    return (INDEX, *(f"N{i:03d}" for i in range(names)))


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
    def of(cls, underlyings: tuple[str, ...]) -> "Chain":
        """Black-76 prices on a forward of 100 and a vol that differs by name."""
        days = np.array([(e - date(1970, 1, 1)).days for e in EXPIRIES], dtype=np.int32)
        code, expiry, strike, call = (
            a.ravel()
            for a in np.meshgrid(
                np.arange(len(underlyings), dtype=np.int32),
                days,
                100.0 * np.exp(np.linspace(-0.5, 0.5, STRIKES)).round(2),
                np.array([True, False]),
                indexing="ij",
            )
        )
        years = (expiry - (SESSION - date(1970, 1, 1)).days + 0.25) / 365.0
        deviation = (0.15 + 0.4 * (code % 50) / 50.0) * np.sqrt(years)
        d1 = np.log(100.0 / strike) / deviation + deviation / 2
        price = 100.0 * ndtr(d1) - strike * ndtr(d1 - deviation)
        return cls(tuple(Series(u, u) for u in underlyings), code, expiry, strike, call, np.where(call, price, price - 100.0 + strike))

    def quotes(self, rows: NDArray[np.int64], ts: int) -> Quotes:
        """Quotes of some contracts, all at one time."""
        mid = self.mid[rows]
        stamp = np.full(len(rows), ts, dtype=np.int64)
        bid = np.maximum(np.floor(mid * 98) / 100, 0.0)
        return Quotes(self.series, self.code[rows], self.expiry[rows], self.strike[rows], self.call[rows], bid, bid + 0.05, stamp, stamp)


def random_frames(chain: Chain, frames: int, rows: int, seconds: int, *, repeated: bool, seed: int = 7) -> Iterator[Quotes]:
    """`frames` frames of `rows` quotes spread evenly over `seconds`; contracts are drawn anew for each frame unless `repeated`."""
    rng = np.random.default_rng(seed)
    fixed = rng.integers(0, len(chain.code), rows)
    for i in range(frames):
        chosen = fixed if repeated else rng.integers(0, len(chain.code), rows)
        yield chain.quotes(chosen, START + (1 + i * seconds // frames) * NS - NS // 2)


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
