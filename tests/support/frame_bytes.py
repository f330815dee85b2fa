"""Frames and columns to decode: well-formed ones, and the means to make others."""

from typing import Any

import numpy as np
import pyarrow as pa

from streams.decoding.frame_columns import Limits
from streams.decoding.frames import QUOTE_SCHEMA
from streams.records import NS, Quotes, Series, Ticks, Vols

LIMITS = Limits()
START = 1_783_692_000 * NS
"""2026-07-10 10:00 ET."""


def quotes(rows: int) -> Quotes:
    """Quotes of three series, an index with two roots among them."""
    rng = np.random.default_rng(rows)
    return Quotes(
        series=(Series("SPX", "SPX"), Series("SPX", "SPXW"), Series("BRK.B", "BRK.B")),
        series_code=rng.integers(0, 3, rows).astype(np.int32),
        expiry=rng.integers(20_650, 20_700, rows).astype(np.int32),
        strike=rng.integers(1, 9_000, rows) / 2,
        call=rng.random(rows) < 0.5,
        bid=rng.random(rows),
        ask=1 + rng.random(rows),
        ts_event=START + np.arange(rows),
        record_ts=np.full(rows, START),
    )


def vols(rows: int) -> Vols:
    """The same series by vols and deltas."""
    same = quotes(rows)
    series = tuple(one._replace(in_vols=True) for one in same.series)
    delta = np.where(same.call, same.bid, -same.bid)
    return Vols(
        series,
        same.series_code,
        same.expiry,
        same.strike,
        same.call,
        same.bid,
        delta,
        same.ts_event,
        same.record_ts,
    )


def ticks(rows: int) -> Ticks:
    """Ticks of two names."""
    rng = np.random.default_rng(rows)
    code = rng.integers(0, 2, rows).astype(np.int32)
    return Ticks(
        ("SPY", "VIX"),
        code,
        rng.random(rows),
        rng.random(rows),
        START + np.arange(rows),
        np.full(rows, START),
    )


def table(rows: int, *, constant: bool = False) -> Any:
    """A table of quotes as a producer without this project would write it.

    It has SPX and BRK-B by turns, call and put.
    """
    names, roots = ["SPX", "BRK-B"] * (rows // 2 + 1), ["SPXW", "BRK-B"] * (rows // 2 + 1)
    columns = {
        "underlying": pa.array(names[:rows]).dictionary_encode(),
        "root": pa.array(roots[:rows]).dictionary_encode(),
        "expiry": pa.array([20_651] * rows, pa.int32()).cast(pa.date32()),
        "strike": pa.array([100.0] * rows, pa.float64()),
        "right": pa.array((["C", "P"] * (rows // 2 + 1))[:rows]).dictionary_encode(),
        "bid": pa.array([1.25] * rows, pa.float64()),
        "ask": pa.array([1.5] * rows, pa.float64()),
        "bid_size": pa.array([10.0] * rows, pa.float64()),
        "ask_size": pa.array([10.0] * rows, pa.float64()),
        "ts_event": pa.array(
            [START] * rows if constant else range(START, START + rows), pa.int64()
        ),
    }
    return pa.table(list(columns.values()), schema=QUOTE_SCHEMA)


def written(source: Any, *, rows: int | None = None, compression: str | None = None) -> bytes:
    """A table as an Arrow stream, in batches of `rows`."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(
        sink, source.schema, options=pa.ipc.IpcWriteOptions(compression=compression)
    ) as writer:
        writer.write_table(source, max_chunksize=rows)
    value: bytes = sink.getvalue().to_pybytes()
    return value
