"""Points frames as bytes: one Arrow IPC stream.

The scalars stand in its schema metadata, and one row is a point.

The columns serve all kinds of rows: `value` is the forward of a surface and the price of a price or
reference, `ts` the newest quote or the tick; the four vols of a skew stand where a surface has its
variances and its ATM vol.
"""

from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from streams.arrow import spare_pandas
from streams.decoding.frame_layout import inspect
from streams.points import (
    EarningsPoints,
    PointsFrame,
    PricePoints,
    RollPoints,
    SkewPoints,
    SurfacePoints,
)

spare_pandas()

SURFACE, PRICE, REFERENCE, SKEW, ROLL, EARNINGS = range(6)
MAX_BYTES: Final = 8 * 2**20
MAX_ROWS: Final = 100_000
VERSION: Final = 1
_NUMBERS: Final = ("variance", "bid_variance", "ask_variance", "atm_vol")
_TEXTS: Final = ("reason", "atm_reason", "flags")
_SCHEMA: Final = pa.schema(
    [
        ("kind", pa.int8()),
        ("symbol", pa.string()),
        ("tenor_days", pa.int32()),
        *((name, pa.float64()) for name in (*_NUMBERS, "value")),
        ("ts", pa.int64()),
        *((name, pa.string()) for name in _TEXTS),
    ]
)
_KEY: Final = b"dispersion.points"


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scalars of a frame, and how many rows it has of each kind (None: that part is absent)."""

    version: int
    index: str
    source: str
    sources: int
    boundary: int
    accepted: int
    idle: bool
    refresh_seconds: float | None
    rows: tuple[int | None, int | None, int | None]
    skew: int | None = None
    roll: int | msgspec.UnsetType = msgspec.UNSET
    """Unset where the part is absent, so that such a frame has the bytes of earlier releases."""
    earnings: int | msgspec.UnsetType = msgspec.UNSET
    """The same."""


def encode_points(frame: PointsFrame) -> bytes:
    """Bytes of a frame; the same bytes for the same frame."""
    parts = (
        frame.surfaces,
        frame.prices,
        frame.references,
        frame.skew,
        frame.roll,
        frame.earnings,
    )
    surfaces, prices, references, skew, roll, earnings = map(_length, parts)
    scalars = (
        frame.index,
        frame.source,
        frame.sources,
        frame.boundary,
        frame.accepted,
        frame.idle,
        frame.refresh_seconds,
    )
    header = msgspec.json.encode(
        _Header(
            VERSION,
            *scalars,
            rows=(surfaces, prices, references),
            skew=skew,
            roll=msgspec.UNSET if roll is None else roll,
            earnings=msgspec.UNSET if earnings is None else earnings,
        )
    )
    schema = _SCHEMA.with_metadata({_KEY: header})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for kind, part in enumerate(parts):
            if part is not None and len(part.symbol):
                columns = _columns(part, kind)
                writer.write_batch(
                    pa.record_batch([columns[name] for name in _SCHEMA.names], schema=schema)
                )
    return bytes(sink.getvalue())


def decode_points(value: bytes) -> PointsFrame:
    """The frame in bytes of `encode_points`. Raises `ValueError` on anything else."""
    if len(value) > MAX_BYTES:
        raise ValueError(f"a points frame of {len(value)} bytes, limit {MAX_BYTES}")
    inspect(value, MAX_ROWS)
    try:
        with pa.ipc.open_stream(pa.py_buffer(value)) as reader:
            header, batches = _header(reader.schema), list(reader)
        for batch in batches:
            batch.validate(full=True)
    except (pa.ArrowException, OSError, MemoryError) as problem:
        raise ValueError(f"not a points frame: {problem}") from None
    roll, earnings = (
        None if rows is msgspec.UNSET else rows for rows in (header.roll, header.earnings)
    )
    counts = (*header.rows, header.skew, roll, earnings)
    expected = [(kind, count) for kind, count in enumerate(counts) if count]
    if len(expected) != len(batches) or any(
        _foreign(*row, batch) for row, batch in zip(expected, batches, strict=True)
    ):
        raise ValueError("the rows of a points frame are not those its header names")
    by_kind: dict[int, Any] = {
        kind: batch for (kind, _), batch in zip(expected, batches, strict=True)
    }
    surfaces, prices, references = header.rows
    return PointsFrame(
        header.index,
        header.source,
        header.sources,
        header.boundary,
        header.accepted,
        header.idle,
        header.refresh_seconds,
        None if surfaces is None else _read_surfaces(by_kind.get(SURFACE, _empty())),
        None if prices is None else _read_prices(by_kind.get(PRICE, _empty())),
        None if references is None else _read_prices(by_kind.get(REFERENCE, _empty())),
        None if header.skew is None else _read_skew(by_kind.get(SKEW, _empty())),
        None if roll is None else _read_roll(by_kind.get(ROLL, _empty())),
        None if earnings is None else _read_earnings(by_kind.get(EARNINGS, _empty())),
    )


def _header(schema: Any) -> _Header:  # noqa: ANN401 - an Arrow schema
    if not schema.remove_metadata().equals(_SCHEMA) or _KEY not in (schema.metadata or {}):
        raise ValueError("not a points frame: another schema")
    header = msgspec.json.decode(schema.metadata[_KEY], type=_Header)
    if header.version != VERSION or header.sources < 1 or header.boundary < 0:
        raise ValueError(f"not a points frame, version {VERSION}: {header}")
    return header


def _foreign(kind: int, rows: int, batch: Any) -> bool:  # noqa: ANN401 - an Arrow batch
    """Whether a batch is of another kind or length, or has gaps."""
    gaps = any(column.null_count for column in batch.columns)
    return gaps or batch.num_rows != rows or bool((batch.column("kind").to_numpy() != kind).any())


_Part = SurfacePoints | PricePoints | SkewPoints | RollPoints | EarningsPoints


def _length(part: _Part | None) -> int | None:
    return None if part is None else len(part.symbol)


def _columns(part: _Part, kind: int) -> dict[str, Any]:
    if isinstance(part, SurfacePoints):
        return _surfaces(part)
    if isinstance(part, RollPoints):
        return _roll(part)
    if isinstance(part, EarningsPoints):
        return _earnings(part)
    return _skew(part) if isinstance(part, SkewPoints) else _prices(part, kind)


def _surfaces(part: SurfacePoints) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: pa.array(getattr(part, name), pa.float64()) for name in _NUMBERS
    }
    columns |= {name: pa.array(getattr(part, name), pa.string()) for name in ("symbol", *_TEXTS)}
    return columns | {
        "kind": pa.array(np.full(len(part.symbol), SURFACE, np.int8)),
        "tenor_days": pa.array(part.tenor_days, pa.int32()),
        "value": pa.array(part.forward, pa.float64()),
        "ts": pa.array(part.quote_ts, pa.int64()),
    }


def _prices(part: PricePoints, kind: int) -> dict[str, Any]:
    return _bare(part.symbol, kind) | {
        "value": pa.array(part.price, pa.float64()),
        "ts": pa.array(part.ts_event, pa.int64()),
    }


def _skew(part: SkewPoints) -> dict[str, Any]:
    columns = zip(_NUMBERS, part.vols.T, strict=True)
    vols = {name: pa.array(np.ascontiguousarray(column), pa.float64()) for name, column in columns}
    return _bare(part.symbol, SKEW) | vols | {"tenor_days": pa.array(part.tenor_days, pa.int32())}


def _roll(part: RollPoints) -> dict[str, Any]:
    ratios = {"variance": pa.array(part.variance_ratio), "atm_vol": pa.array(part.atm_ratio)}
    return _bare(part.symbol, ROLL) | ratios


def _earnings(part: EarningsPoints) -> dict[str, Any]:
    return _bare(part.symbol, EARNINGS) | {
        "variance": pa.array(part.variance_ratio),
        "atm_vol": pa.array(part.atm_ratio),
        "value": pa.array(part.in_near.astype(np.float64)),
        "ts": pa.array(part.day),
    }


def _bare(symbol: tuple[str, ...], kind: int) -> dict[str, Any]:
    """Columns of n rows that say nothing but which symbol they are about."""
    n = len(symbol)
    unknown, blank = pa.array(np.full(n, np.nan)), pa.array([""] * n, pa.string())
    return dict.fromkeys((*_NUMBERS, "value"), unknown) | {
        **dict.fromkeys(_TEXTS, blank),
        "symbol": pa.array(symbol, pa.string()),
        "kind": pa.array(np.full(n, kind, np.int8)),
        "tenor_days": pa.array(np.zeros(n, np.int32)),
        "ts": pa.array(np.zeros(n, np.int64)),
    }


def _read_surfaces(batch: Any) -> SurfacePoints:  # noqa: ANN401 - an Arrow batch
    columns: dict[str, Any] = {
        name: batch.column(name).to_numpy() for name in (*_NUMBERS, "tenor_days")
    }
    columns |= {name: tuple(batch.column(name).to_pylist()) for name in ("symbol", *_TEXTS)}
    return SurfacePoints(
        **columns, forward=batch.column("value").to_numpy(), quote_ts=batch.column("ts").to_numpy()
    )


def _read_prices(batch: Any) -> PricePoints:  # noqa: ANN401 - an Arrow batch
    return PricePoints(
        tuple(batch.column("symbol").to_pylist()),
        batch.column("value").to_numpy(),
        batch.column("ts").to_numpy(),
    )


def _read_skew(batch: Any) -> SkewPoints:  # noqa: ANN401 - an Arrow batch
    vols = np.column_stack([batch.column(name).to_numpy() for name in _NUMBERS])
    return SkewPoints(
        tuple(batch.column("symbol").to_pylist()), batch.column("tenor_days").to_numpy(), vols
    )


def _read_roll(batch: Any) -> RollPoints:  # noqa: ANN401 - an Arrow batch
    return RollPoints(
        tuple(batch.column("symbol").to_pylist()),
        batch.column("variance").to_numpy(),
        batch.column("atm_vol").to_numpy(),
    )


def _read_earnings(batch: Any) -> EarningsPoints:  # noqa: ANN401 - an Arrow batch
    return EarningsPoints(
        tuple(batch.column("symbol").to_pylist()),
        batch.column("variance").to_numpy(),
        batch.column("atm_vol").to_numpy(),
        batch.column("ts").to_numpy(),
        batch.column("value").to_numpy() > 0,
    )


@lru_cache(maxsize=1)
def _empty() -> Any:  # noqa: ANN401 - an Arrow batch
    return pa.record_batch([pa.array([], field.type) for field in _SCHEMA], schema=_SCHEMA)
