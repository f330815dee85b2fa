"""One data file, Parquet or CSV (plain or gzip), read a few columns and one session at a time.

Which of its columns holds a field is said by a map of the user, else by the layout, else by the
names of columns, taken without case and blanks. Values are read in the spellings of
`streams.decoding.spellings`.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from streams.arrow import spare_pandas
from streams.decoding.dates import DateOrder, date_order
from streams.decoding.decode_error import DecodeError
from streams.decoding.spellings import NO_DAY, days, numbers
from streams.safe_text import safe
from streams.sources.arrow_columns import array_of, fixed_point, is_text, words_of
from streams.sources.arrow_times import (
    checked_stamps,
    dates_of,
    stamps_of_pandas,
    stamps_of_seconds,
    stamps_of_words,
)
from streams.sources.columns import NO_MAP, ColumnMap, FileColumn, Kind, Mapped, kinds, spelled
from streams.sources.file_format import EXPECTED, file_format
from streams.sources.layouts import layout_of
from streams.sources.refusals import Refusals
from streams.sources.source_error import SourceError

spare_pandas()

_DECIMALS = 4
"""Prices stored in single precision come back as the decimals they were."""
_UTC: Final = "_utc"
_SCALED_DECIMALS: Final = 6
"""Of numbers in another unit, such as strikes in thousandths."""
_UNREADABLE = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, ValueError)
_OPEN = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*", re.ASCII)
"""A date that may have the day or the month first."""
_CUT: Final = re.compile(
    r"Expected \d+ columns, got \d+|truncated|Truncated|unexpected end|ended before|EOF|"
    r"corrupted|footer",
)
"""What Arrow says of a file that ends too early."""
_DAYS: Final = "dates such as 2026-07-10"
_PRICES: Final = "prices in USD or index points, such as 205.5"
_TIMES: Final = (
    "New York wall times such as 2026-07-10 10:00:00 (UTC in a column _utc), "
    "times with an offset such as 2026-07-10T10:00:00-04:00, or nanoseconds UTC"
)


class DataFile:
    """A file with named columns. Every error names the file."""

    def __init__(
        self, path: Path, known: Sequence[FileColumn] = (), chosen: ColumnMap = NO_MAP
    ) -> None:
        """`known` are the columns of the families that the file may be of."""
        self.path = path
        self.refusals = Refusals()
        """Rows that were left out of what was read."""
        if not path.is_file():
            raise SourceError(path, "no such file", "a Parquet or CSV file")
        self._format = file_format(path)
        self._dataset: Any = self._open({})
        found = self._dataset.schema.names
        self._names = {spelled(name): name for name in found}
        if len(self._names) < len(found):
            raise SourceError(path, f"two columns of one name among {', '.join(found)}", "one")
        self.columns: tuple[str, ...] = tuple(self._names)
        self.layout = layout_of(frozenset(self.columns))
        self._chosen = self._fitting(chosen, known)
        self._kinds = self._kinds_of(known)
        self._factors: dict[str, float] = {}
        self._utc: set[str] = set()
        self._loose = self._format.kind != "text"
        """Whether Arrow need not read the numbers of a text file."""
        if not self._loose:
            try:
                self._dataset = self._open(self._types(pa.float64()))
            except SourceError:
                self._loosen()

    def one_of(self, names: Sequence[str]) -> str | None:
        """The first of several names that is a column here."""
        return next((name for name in names if name in self.columns), None)

    def column(self, wanted: FileColumn) -> str | None:
        """The column that holds a field; None where there is none."""
        mapped = self._mapped(wanted)
        if mapped is None:
            return self.one_of(wanted.names)
        self._factors[mapped.column] = mapped.factor
        if wanted.field.endswith(_UTC):
            self._utc.add(mapped.column)
        return mapped.column

    def value(self, wanted: FileColumn) -> str | None:
        """What the user says that every row holds."""
        return self._chosen.value(wanted)

    def _mapped(self, wanted: FileColumn) -> Mapped | None:
        said = self._chosen.column(wanted)
        if said is not None or self.layout is None:
            return said
        meant = self.layout.mapped.get(wanted.field)
        return meant if meant and meant.column in self.columns else None

    def _fitting(self, chosen: ColumnMap, known: Sequence[FileColumn]) -> ColumnMap:
        """The map as far as it is of these families. Raises `SourceError`."""
        fields = {name for one in known for name in one.names}
        columns = {
            field: mapped._replace(column=spelled(mapped.column))
            for field, mapped in chosen.columns.items()
            if field in fields
        }
        for field, mapped in columns.items():
            if mapped.column not in self.columns:
                problem = f"no column {mapped.column}; it has {', '.join(self.columns)}"
                raise SourceError(self.path, problem, f"a column of it in the map of {field}")
        values = {field: text for field, text in chosen.values.items() if field in fields}
        return ColumnMap(columns, values)

    def _kinds_of(self, known: Sequence[FileColumn]) -> dict[str, Kind]:
        """How the columns of a text file are read."""
        by_map = {
            mapped.column: one.kind for one in known if (mapped := self._mapped(one)) is not None
        }
        return {**kinds(known), **by_map}

    def first(self, name: str) -> Any:  # noqa: ANN401 - what stands in a file
        """The first value of a column that has one; None of an empty one."""
        found = self._table("head", [name], num_rows=64)[name].drop_null()
        return found[0].as_py() if len(found) else None

    def read(
        self, columns: Sequence[str], key: str | None = None, values: Sequence[Any] = ()
    ) -> pa.Table:
        """Some columns; with a `key`, only the rows whose key is one of the values."""
        chosen = None if key is None else pc.field(self._names[key]).isin(list(values))
        return self._table("to_table", columns, filter=chosen)

    def take(self, columns: Sequence[str], rows: NDArray[np.int64]) -> pa.Table:
        """Some columns of the rows at some positions."""
        return self._table("take", columns, indices=pa.array(rows))

    def days(self, table: pa.Table, name: str) -> NDArray[np.int32]:
        """A date column as days since 1970-01-01.

        It is `NO_DAY` where no day can be read (`why_no_day`).
        """
        column = table[name]
        kind = column.type
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            counted = column.cast(pa.date32(), safe=False).cast(pa.int32())
            return array_of(pc.fill_null(counted, NO_DAY), np.int32)
        words, code = words_of(column)
        try:
            found, refused = days(dates_of(words), self._order(words))
        except DecodeError as error:
            raise self._wrong(name, "dates", error, _DAYS) from None
        if words and len(refused) == len(words):
            raise self._wrong(name, "dates", refused[0], _DAYS)
        return found[code]

    def all_days(self, table: pa.Table, name: str) -> NDArray[np.int32]:
        """The same of a column in which every row must have a day. Raises `SourceError`."""
        found = self.days(table, name)
        missing = np.flatnonzero(found == NO_DAY)
        if missing.size:
            why = self.why_no_day(table, name, int(missing[0]))
            raise self._wrong(name, "dates", why, "a date such as 2026-07-10 in every row")
        return found

    def why_no_day(self, table: pa.Table, name: str, row: int) -> str:
        """In words, for a row without a day."""
        (word,) = dates_of([table[name][row].as_py()])
        refused = days([word], self._order([word])).refused
        return str(refused[0]) if refused else "no date"

    def numbers(self, table: pa.Table, name: str) -> NDArray[np.float64]:
        """A numeric column; NaN where it is empty."""
        if self.layout is not None and name in self.layout.fixed_point:
            return fixed_point(table[name])
        values = self._numbers(table[name], name)
        factor = self._factors.get(name, 1.0)
        return values if factor == 1.0 else np.round(values * factor, _SCALED_DECIMALS)

    # `column` is an Arrow column.
    def _numbers(self, column: Any, name: str) -> NDArray[np.float64]:  # noqa: ANN401
        if is_text(column.type):
            return self._written_numbers(column, name)
        try:
            values = array_of(pc.fill_null(column.cast(pa.float64()), np.nan), np.float64)
        except _UNREADABLE as error:
            raise self._wrong(name, "numbers", error, _PRICES) from None
        return np.round(values, _DECIMALS) if pa.types.is_float32(column.type) else values

    def times(self, table: pa.Table, name: str) -> NDArray[np.int64]:
        """A time column as nanoseconds UTC: integers are that already, floats are seconds.

        Times without a zone are New York wall times. A column whose name ends in `_utc` is UTC.
        """
        column = table[name]
        zone = name + _UTC if name in self._utc else name
        if column.null_count:
            raise self._wrong(name, "times", "empty values", "a time in every row")
        try:
            if pa.types.is_integer(column.type):
                return checked_stamps(array_of(column.cast(pa.int64()), np.int64))
            if pa.types.is_floating(column.type):
                return stamps_of_seconds(array_of(column, np.float64))
            if pa.types.is_timestamp(column.type):
                return stamps_of_pandas(column.to_pandas(), zone)
            words, code = words_of(column)
            return stamps_of_words(words, zone)[code]
        except (*_UNREADABLE, OverflowError) as error:
            raise self._wrong(name, "times", error, _TIMES) from None

    def codes(self, table: pa.Table, name: str) -> tuple[tuple[str, ...], NDArray[np.int32]]:
        """A text column as its vocabulary and one code a row; an empty value is the empty text."""
        words, code = words_of(pc.fill_null(table[name].cast(pa.string()), ""))
        return tuple(words), code

    def _open(self, types: dict[str, pa.DataType]) -> Any:  # noqa: ANN401 - an Arrow dataset
        # it gives itself a value when it is imported, and so must come after `spare_pandas`
        from pyarrow import csv, dataset  # noqa: PLC0415

        kind: Any = "parquet"
        if self._format.kind == "text":
            kind = dataset.CsvFileFormat(
                parse_options=csv.ParseOptions(delimiter=self._format.separator),
                convert_options=csv.ConvertOptions(column_types=types),
            )
        try:
            return dataset.dataset(self.path, format=kind)
        except (*_UNREADABLE, OSError) as error:
            raise SourceError(self.path, *_unreadable(error, EXPECTED)) from None

    def _loosen(self) -> None:
        """From now on numbers are text.

        Text is for the spellings that Arrow does not know (`$205.0`, `205,5`).
        """
        self._loose = True
        self._dataset = self._open(self._types(pa.string()))

    def _types(self, number: pa.DataType) -> dict[str, pa.DataType]:
        """The types that columns of a text file are read as; the others are found out."""
        types = {"text": pa.string(), "date": pa.string(), "number": number}
        return {
            self._names[name]: types[kind]
            for name, kind in self._kinds.items()
            if name in self._names and kind in types
        }

    # `**options` is what Arrow takes.
    def _table(self, way: str, columns: Sequence[str], **options: Any) -> pa.Table:  # noqa: ANN401
        names = list(dict.fromkeys(columns))
        chosen = [self._names[name] for name in names]
        try:
            found = getattr(self._dataset, way)(columns=chosen, **options)
        except (*_UNREADABLE, OSError) as error:
            if self._loose:
                expected = f"columns {', '.join(names)} of one type each"
                raise SourceError(self.path, *_unreadable(error, expected)) from None
            self._loosen()
            return self._table(way, columns, **options)
        return found.rename_columns(names)

    def _order(self, words: Iterable[Any]) -> DateOrder | None:
        """Which of day and month the dates of the file have first.

        It is asked only where a column does not tell.
        """
        texts = [word for word in words if isinstance(word, str)]
        if any(_OPEN.fullmatch(text.strip()) for text in texts):
            return date_order(texts) or self._order_of_all
        return None

    @cached_property
    def _order_of_all(self) -> DateOrder | None:
        dates = [name for name in self.columns if self._kinds.get(name) == "date"]
        table = self.read(dates)
        found = [words_of(table[name])[0] for name in dates if is_text(table[name].type)]
        return date_order(word for words in found for word in words if word)

    # `column` is an Arrow column.
    def _written_numbers(self, column: Any, name: str) -> NDArray[np.float64]:  # noqa: ANN401
        words, code = words_of(column)
        try:
            # FRED writes a point where there is no value.
            found, refused = numbers(["" if word in {None, "."} else word for word in words])
        except DecodeError as error:
            raise self._wrong(name, "numbers", error, _PRICES) from None
        if refused:
            raise self._wrong(name, "numbers", next(iter(refused.values())), _PRICES)
        return found[code]

    def _wrong(self, name: str, what: str, problem: object, expected: str) -> SourceError:
        return SourceError(self.path, f"column {name} holds no {what} ({_said(problem)})", expected)


def _unreadable(error: Exception, expected: str) -> tuple[str, str]:
    """Problem and expectation of what Arrow could not read."""
    if _CUT.search(str(error)):
        return f"cannot be read, it ends too early or is damaged ({_said(error)})", (
            "a whole file; fetch it again"
        )
    return f"cannot be read ({_said(error)})", expected


def _said(problem: object) -> str:
    return safe(" ".join(str(problem).split()), 200)
