"""The vols and prices of an index and its names at one second, kept to compare later ones with."""

import math
from datetime import date
from typing import NamedTuple

import numpy as np

from analytics.arrays import Floats
from streams.column_chunk import pack_columns, unpack_columns

WHAT = "vols"
COLUMNS = ("variance", "atm_vol", "price")


class VolsAt(NamedTuple):
    """n names and behind them the index; NaN where unknown."""

    ts: int
    """Event time, nanoseconds."""
    session: date
    atm_only: bool
    """Of a source of ATM vols, without strips."""
    variance: Floats
    atm_vol: Floats
    price: Floats

    @property
    def vols(self) -> Floats:
        """Vols of the pair that the rules use."""
        return self.atm_vol if self.atm_only else np.sqrt(self.variance)

    @property
    def paired(self) -> bool:
        """Whether the index has a vol."""
        return math.isfinite(self.vols[-1])

    def chunk(self, symbols: tuple[str, ...]) -> bytes:
        """State chunk; `symbols` name the rows."""
        meta = {
            "ts": self.ts,
            "session": self.session.isoformat(),
            "atm_only": self.atm_only,
            "symbols": symbols,
        }
        return pack_columns(WHAT, {name: getattr(self, name) for name in COLUMNS}, meta)


def read_vols(value: bytes, symbols: tuple[str, ...]) -> VolsAt:
    """What a chunk holds of `symbols`, NaN for those that it does not name.

    Raises `ValueError` on foreign bytes.
    """
    empty = np.empty(0)
    columns, meta = unpack_columns(WHAT, value, dict.fromkeys(COLUMNS, empty))
    stored, ts, session = (meta.get(name) for name in ("symbols", "ts", "session"))
    if not (isinstance(stored, list) and isinstance(ts, int) and isinstance(session, str)):
        raise ValueError("a chunk of vols does not say of what and when")  # noqa: TRY004
    if len(stored) != len(columns["variance"]):
        raise ValueError("a chunk of vols does not name its rows")
    row = {symbol: at for at, symbol in enumerate(stored)}
    at = np.array([row.get(symbol, len(stored)) for symbol in symbols], np.int64)
    moved = {name: np.append(column, np.nan)[at] for name, column in columns.items()}
    return VolsAt(ts, date.fromisoformat(session), bool(meta.get("atm_only")), **moved)
