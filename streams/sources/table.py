"""One data file, Parquet or CSV (plain or gzip), read a few columns and one session at a time."""

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
from numpy.typing import NDArray

from streams.sessions import EASTERN
from streams.sources.source import SourceError

_TEXT = (
    *("underlying", "root", "symbol", "cp", "right", "expiration", "expiry"),
    *("session", "quote_date", "date", "quote_time_et", "ts", "snapshot_utc"),
)
_NUMBERS = ("strike", "bid", "ask", "price", "size", "close", "iv", "iv_pct", "delta")
_DECIMALS = 4
"""Prices stored in single precision come back as the decimals they were."""
_UNREADABLE = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, ValueError)


class DataFile:
    """A file with named columns. Every error names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        types = dict.fromkeys(_TEXT, pa.string()) | dict.fromkeys(_NUMBERS, pa.float64())
        text = pyarrow.dataset.CsvFileFormat(convert_options=pyarrow.csv.ConvertOptions(column_types=types))
        if not path.is_file():
            raise SourceError(path, "no such file", "a Parquet or CSV file")
        try:
            self._dataset: Any = pyarrow.dataset.dataset(path, format="parquet" if path.suffix == ".parquet" else text)
        except (*_UNREADABLE, OSError) as error:
            raise SourceError(path, f"cannot be read ({error})", "a Parquet file, or CSV (plain or .gz) with a header") from None
        self.columns: tuple[str, ...] = tuple(self._dataset.schema.names)

    def one_of(self, names: Sequence[str]) -> str | None:
        """The first of several names that is a column here."""
        return next((name for name in names if name in self.columns), None)

    def read(self, columns: Sequence[str], key: str | None = None, values: Sequence[Any] = ()) -> pa.Table:
        """Some columns; with a `key`, only the rows whose key is one of the values."""
        chosen = None if key is None else pc.field(key).isin(list(values))
        try:
            return self._dataset.to_table(columns=list(dict.fromkeys(columns)), filter=chosen)
        except (*_UNREADABLE, OSError) as error:
            raise self._unreadable(error, columns) from None

    def take(self, columns: Sequence[str], rows: NDArray[np.int64]) -> pa.Table:
        """Some columns of the rows at some positions."""
        try:
            return self._dataset.take(pa.array(rows), columns=list(dict.fromkeys(columns)))
        except (*_UNREADABLE, OSError) as error:
            raise self._unreadable(error, columns) from None

    def days(self, table: pa.Table, name: str) -> NDArray[np.int32]:
        """A date column as days since 1970-01-01; text may go on after the ten characters of the date."""
        column = table[name]
        try:
            if pa.types.is_dictionary(column.type):
                column = column.cast(column.type.value_type)
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                column = pc.utf8_slice_codeunits(column, 0, 10)
            return _array(column.cast(pa.date32()).cast(pa.int32()), np.int32)
        except _UNREADABLE as error:
            raise SourceError(self.path, f"column {name} holds no dates ({error})", "ISO dates such as 2026-07-10") from None

    def numbers(self, table: pa.Table, name: str) -> NDArray[np.float64]:
        """A numeric column; NaN where it is empty."""
        column = table[name]
        try:
            values = _array(pc.fill_null(column.cast(pa.float64()), np.nan), np.float64)
        except _UNREADABLE as error:
            raise SourceError(self.path, f"column {name} holds no numbers ({error})", "prices in USD or index points") from None
        return np.round(values, _DECIMALS) if pa.types.is_float32(column.type) else values

    def times(self, table: pa.Table, name: str) -> NDArray[np.int64]:
        """A time column as nanoseconds UTC: integers are that already, times without a zone are New York wall times.

        A column whose name ends in `_utc` is UTC.
        """
        column = table[name]
        try:
            if pa.types.is_integer(column.type):
                return _array(column.cast(pa.int64()), np.int64)
            index = pd.DatetimeIndex(pd.to_datetime(column.to_pandas(), format="ISO8601"))
            if index.tz is None:
                zone = UTC if name.endswith("_utc") else EASTERN
                index = index.tz_localize(zone, ambiguous=False, nonexistent="shift_forward")
            if index.hasnans:
                raise ValueError("empty values")
            return np.asarray(index.as_unit("ns").asi8, dtype=np.int64)
        except _UNREADABLE as error:
            raise SourceError(self.path, f"column {name} holds no times ({error})", "New York wall times, or nanoseconds UTC") from None

    def codes(self, table: pa.Table, name: str) -> tuple[tuple[str, ...], NDArray[np.int32]]:
        """A text column as its vocabulary and one code a row; an empty value is the empty text."""
        column = pc.fill_null(table[name].cast(pa.string()), "").combine_chunks()
        encoded = column.dictionary_encode()
        encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
        return tuple(encoded.dictionary.to_pylist()), _array(encoded.indices, np.int32)

    def _unreadable(self, error: Exception, columns: Sequence[str]) -> SourceError:
        return SourceError(self.path, f"cannot be read ({error})", f"columns {', '.join(columns)} of one type each")


def _array(column: Any, dtype: type[np.generic]) -> NDArray[Any]:  # noqa: ANN401 - an Arrow column
    return np.asarray(column.to_numpy(), dtype=dtype)
