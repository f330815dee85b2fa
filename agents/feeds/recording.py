"""What a feed published, as Parquet that `backtest` reads to the same readings.

A file holds a quarter of an hour and has its name once it is whole: what a crash takes is less than
that.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from streams.records import NS, Quotes, Ticks, Vols

PART_NS: Final = 900 * NS


class Recorder:
    """Writes quotes, vols and ticks to files of their own in one folder."""

    def __init__(self, folder: Path) -> None:
        """Make the folder. Raises `OSError`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._parts: dict[str, _Part] = {}

    def add(self, rows: Quotes | Vols | Ticks) -> None:
        """Write rows. Raises `OSError`."""
        if not rows.ts_event.size:
            return
        kind = _kind(rows)
        number = int(rows.ts_event[-1]) // PART_NS
        part = self._parts.get(kind)
        if part is not None and part.number != number:
            part.close()
            part = None
        if part is None:
            part = _Part(self._folder, kind, number)
            self._parts[kind] = part
        part.write(_table(rows))

    def close(self) -> None:
        """Complete the files. Raises `OSError`."""
        for part in self._parts.values():
            part.close()
        self._parts.clear()


class _Part:
    """One file under way."""

    def __init__(self, folder: Path, kind: str, number: int) -> None:
        self.number = number
        begins = datetime.fromtimestamp(number * PART_NS // NS, UTC)
        stem = f"{kind}_{begins:%Y-%m-%dT%H%MZ}"
        taken = sum(1 for _ in folder.glob(f"{stem}*.parquet"))
        self._path = folder / (f"{stem}_{taken + 1}.parquet" if taken else f"{stem}.parquet")
        self._making = self._path.with_suffix(".making")
        self._writer: Any = None

    def write(self, table: pa.Table) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._making, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()
        self._making.rename(self._path)


def _kind(rows: Quotes | Vols | Ticks) -> str:
    if isinstance(rows, Ticks):
        return "ticks"
    return "vols" if isinstance(rows, Vols) else "quotes"


def _table(rows: Quotes | Vols | Ticks) -> pa.Table:
    """The rows with the columns of `streams.sources.timed_quotes` or `timed_ticks`."""
    count = rows.ts_event.size
    refresh = None if rows.refresh_seconds is None else float(rows.refresh_seconds)
    shared = {
        "ts_event": pa.array(rows.ts_event, pa.int64()),
        "refresh_seconds": pa.array(np.full(count, np.nan if refresh is None else refresh)),
    }
    if isinstance(rows, Ticks):
        named = {"symbol": _words(list(rows.symbols), rows.symbol_code)}
        return pa.table({**shared, **named, "price": rows.price, "size": rows.size})
    contract = {
        "underlying": _words([one.underlying for one in rows.series], rows.series_code),
        "root": _words([one.root for one in rows.series], rows.series_code),
        "expiration": pa.array(rows.expiry, pa.int32()).view(pa.date32()),
        "strike": rows.strike,
        "cp": _words(["P", "C"], rows.call.astype(np.int32)),
    }
    if isinstance(rows, Vols):
        return pa.table({**shared, **contract, "iv": rows.vol, "delta": rows.delta})
    return pa.table({**shared, **contract, "bid": rows.bid, "ask": rows.ask})


def _words(words: list[str], codes: NDArray[np.int32]) -> Any:
    return pa.array(words, pa.string()).take(pa.array(codes))
