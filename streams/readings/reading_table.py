"""Readings as a table: a row a reading, a column a field, for those who go on with pandas.

Numbers by key (published references, tracking errors, the skew of correlation) are columns named
`field_key`. What is of names (constituents, states and reasons by name) stays in the readings.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, Literal, get_args, get_origin

import msgspec
import pyarrow as pa

from streams.detection.history.days import DayFacts
from streams.reading import Reading, Rotation

_TYPES: Final = {
    datetime: pa.timestamp("us", tz="UTC"),
    date: pa.date32(),
    float: pa.float64(),
    int: pa.int64(),
    str: pa.string(),
}
_BY_KEY: Final = ("references", "tracking_error", "implied_correlation_skew")
_CLOSE_FIELDS: Final = (
    *("index_vol", "basket_vol", "dispersion", "vol_spread", "implied_correlation"),
    *("index_atm_vol", "basket_atm_vol"),
)


def _fields(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Fields that hold one value, with the type of their column."""
    found = {}
    for one in msgspec.structs.fields(kind):
        types = [known for known in (one.type, *get_args(one.type)) if known in _TYPES]
        words = get_origin(one.type) is Literal
        if get_origin(one.type) is not dict and (types or words):
            found[one.name] = _TYPES[types[0] if types else str]
    return found


_READING: Final = {
    name: kind for name, kind in _fields(Reading).items() if name not in {"flags", *_BY_KEY}
}
_ROTATION: Final = _fields(Rotation)


def reading_table(readings: Iterable[Reading]) -> pa.Table:
    """The readings in their order."""
    return _table([_row(one) for one in readings], _READING)


def close_table(index: str, closes: Iterable[DayFacts]) -> pa.Table:
    """The closes of the daily history of an index."""
    rows = [
        {"session": one.session, "index": index, "basis": one.basis}
        | {name: getattr(one, name) for name in _CLOSE_FIELDS}
        | {"flags": ";".join(one.doubts)}
        for one in closes
    ]
    types = {"session": pa.date32(), "index": pa.string(), "basis": pa.string()}
    return _table(rows, types | dict.fromkeys(_CLOSE_FIELDS, pa.float64()))


def _row(reading: Reading) -> dict[str, Any]:
    row = {name: getattr(reading, name) for name in _READING}
    row["flags"] = ";".join(reading.flags)
    for field in _BY_KEY:
        row |= {f"{field}_{key}": value for key, value in getattr(reading, field).items()}
    if reading.rotation is not None:
        row |= {f"rotation_{name}": getattr(reading.rotation, name) for name in _ROTATION}
    return row


def _table(rows: Sequence[dict[str, Any]], types: dict[str, Any]) -> pa.Table:
    names = list(dict.fromkeys([*types, "flags", *(name for row in rows for name in row)]))
    kinds = {"flags": pa.string()} | types
    return pa.table(
        {
            name: pa.array([row.get(name) for row in rows], kinds.get(name, pa.float64()))
            for name in names
        }
    )
