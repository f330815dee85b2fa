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
from streams.decoding.spellings import NO_DAY, days, moments, numbers
from streams.decoding.times import nanoseconds
from streams.records import NS
from streams.safe_text import safe
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
_OFFSET = re.compile(
    r".*:\d\d(?:[.,]\d+)? ?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)", re.ASCII | re.IGNORECASE
)
_OPEN = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*", re.ASCII)
"""A date that may have the day or the month first."""
_LABELLED = re.compile(r" *(\d{4}-\d\d-\d\d) +[^\d ].*", re.ASCII)
"""A date with words behind it, such as `2026-07-10 close`."""
_CUT: Final = re.compile(
    r"Expected \d+ columns, got \d+|truncated|Truncated|unexpected end|ended before|EOF|"
    r"corrupted|footer",
)
"""What Arrow says of a file that ends too early."""
_UNDEFINED: Final = 2**63 - 1
"""A fixed-point price that is none."""
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
            return _array(pc.fill_null(counted, NO_DAY), np.int32)
        words, code = _words(column)
        try:
            found, refused = days(_dates(words), self._order(words))
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
        (word,) = _dates([table[name][row].as_py()])
        refused = days([word], self._order([word])).refused
        return str(refused[0]) if refused else "no date"

    def numbers(self, table: pa.Table, name: str) -> NDArray[np.float64]:
        """A numeric column; NaN where it is empty."""
        if self.layout is not None and name in self.layout.fixed_point:
            return _fixed_point(table[name])
        values = self._numbers(table[name], name)
        factor = self._factors.get(name, 1.0)
        return values if factor == 1.0 else np.round(values * factor, _SCALED_DECIMALS)

    # `column` is an Arrow column.
    def _numbers(self, column: Any, name: str) -> NDArray[np.float64]:  # noqa: ANN401
        if _is_text(column.type):
            return self._written_numbers(column, name)
        try:
            values = _array(pc.fill_null(column.cast(pa.float64()), np.nan), np.float64)
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
                return _checked(_array(column.cast(pa.int64()), np.int64))
            if pa.types.is_floating(column.type):
                return _seconds(_array(column, np.float64))
            if pa.types.is_timestamp(column.type):
                return _located(column.to_pandas(), zone)
            words, code = _words(column)
            return _moments(words, zone)[code]
        except (*_UNREADABLE, OverflowError) as error:
            raise self._wrong(name, "times", error, _TIMES) from None

    def codes(self, table: pa.Table, name: str) -> tuple[tuple[str, ...], NDArray[np.int32]]:
        """A text column as its vocabulary and one code a row; an empty value is the empty text."""
        words, code = _words(pc.fill_null(table[name].cast(pa.string()), ""))
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
        found = [_words(table[name])[0] for name in dates if _is_text(table[name].type)]
        return date_order(word for words in found for word in words if word)

    # `column` is an Arrow column.
    def _written_numbers(self, column: Any, name: str) -> NDArray[np.float64]:  # noqa: ANN401
        words, code = _words(column)
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


def _fixed_point(column: Any) -> NDArray[np.float64]:  # noqa: ANN401 - an Arrow column
    """Prices of which an undefined one is that of nobody, 0."""
    if pa.types.is_integer(column.type):
        whole = _array(pc.fill_null(column.cast(pa.int64()), _UNDEFINED), np.int64)
        return np.where(whole == _UNDEFINED, 0.0, whole / 1e9).astype(np.float64)
    prices: NDArray[np.float64] = _array(column.cast(pa.float64()), np.float64)
    return np.nan_to_num(prices, nan=0.0)


def _said(problem: object) -> str:
    return safe(" ".join(str(problem).split()), 200)


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _words(column: Any) -> tuple[list[Any], NDArray[np.int32]]:  # noqa: ANN401 - an Arrow column
    """The distinct values, None among them where there are empty ones, and one code a row."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    return encoded.dictionary.to_pylist(), _array(encoded.indices, np.int32)


def _dates(words: Iterable[Any]) -> list[int | str | None]:
    """Dates as `days` takes them: a whole number that came as a float is one."""
    return [_date(word) for word in words]


def _date(word: Any) -> int | str | None:  # noqa: ANN401 - what Arrow has
    if isinstance(word, float) and word.is_integer():
        return int(word)
    if isinstance(word, str):
        labelled = _LABELLED.fullmatch(word)
        return labelled[1] if labelled else word
    return word if isinstance(word, int) else None


def _checked(stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Raises `DecodeError` when they are in another unit.

    A single odd one is for the feed to refuse.
    """
    if stamps.size:
        nanoseconds(int(np.sort(stamps)[stamps.size // 2]))
    return stamps


def _seconds(stamps: NDArray[np.float64]) -> NDArray[np.int64]:
    """Seconds with a fraction, exact to the microsecond."""
    if not np.isfinite(stamps).all():
        raise ValueError("empty values")
    middle = float(np.sort(stamps)[stamps.size // 2]) if stamps.size else 1e9
    if abs(nanoseconds(middle) - middle) < NS:
        return stamps.astype(np.int64)
    whole = np.floor(stamps)
    return whole.astype(np.int64) * NS + np.round((stamps - whole) * 1e6).astype(np.int64) * 1000


def _moments(words: Sequence[Any], name: str) -> NDArray[np.int64]:
    """Distinct times. Raises `ValueError`."""
    texts = [str(word).strip() for word in words]
    if all(text.replace(".", "").isdigit() for text in texts):
        found, refused = moments(texts)
        if refused:
            raise next(iter(refused.values()))
        return found
    zoned = [bool(_OFFSET.fullmatch(text)) for text in texts]
    if any(zoned) and not all(zoned):
        pair = ", ".join(texts[zoned.index(one)] for one in (True, False))
        raise ValueError(f"some have an offset from UTC and some have none: {pair}")
    return _read(texts, name, utc=any(zoned))


def _located(times: Any, name: str) -> NDArray[np.int64]:  # noqa: ANN401 - a pandas series
    # pandas takes half a second to import: files of dates, or of times as numbers, do without
    from streams.sources.wall_times import located  # noqa: PLC0415

    return located(times, name)


def _read(words: Sequence[str], name: str, *, utc: bool) -> NDArray[np.int64]:
    from streams.sources.wall_times import read  # noqa: PLC0415

    return read(words, name, utc=utc)


def _array(column: Any, dtype: type[np.generic]) -> NDArray[Any]:  # noqa: ANN401 - an Arrow column
    return np.asarray(column.to_numpy(), dtype=dtype)
