"""The risk-free rate from a file: overnight rates, or a curve of par yields.

Columns, all in percent, others ignored: `date`; `dff`, the effective federal funds rate as it is
published, or `effr` or `sofr`; and the par yields of Treasury constant maturities `1m`, `2m`, `3m`,
`4m`, `6m`, `1y`. The files that the Treasury and FRED publish are read as they are: `1 Mo` and
`1 Yr` with the month first, newest first; `observation_date`, `DGS3MO`, a point for nothing.

A day with at least four yields gives each expiry its own rate, by a natural cubic spline; one with
fewer gives every expiry ln(1 + dff/100). What a day lacks is carried forward from the last day that
had it (methodology, section 1.5).
"""

import csv
import gzip
import math
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from analytics.rates import FEWEST_MATURITIES, MATURITY_DAYS
from config.errors import ConfigError
from streams.calendar.sessions import day_number
from streams.decoding.dates import DateOrder, date_order
from streams.decoding.dates import day as day_of
from streams.decoding.decode_error import DecodeError
from streams.market import Curve, Rates
from streams.sources.columns import FileColumn, all_missing
from streams.sources.file_format import file_format
from streams.sources.level_file import iso_day
from streams.sources.source_error import SourceError

_PLAUSIBLE = (-5.0, 50.0)
"""Percent; outside it the unit is surely wrong."""
_COLUMNS = f"date,dff or date,{','.join(MATURITY_DAYS)} (percent)"
RATE_COLUMNS: Final = (
    FileColumn("date", "date", "date", ("observation_date",)),
    FileColumn("dff", "number", "effective federal funds rate or SOFR, percent", ("effr", "sofr")),
    FileColumn(
        "1m",
        "number",
        "par yields of the Treasury, percent; four at least",
        ("2m", "3m", "4m", "6m", "1y"),
        "instead of `dff`",
    ),
)
_OVERNIGHT: Final = RATE_COLUMNS[1].names
_MATURITY: Final = re.compile(r"(\d+) ?(m|y)(?:o|r)?")
"""`1 Mo` and `1 Yr`, as the Treasury writes them."""
_FRED: Final = {"dgs1mo": "1m", "dgs3mo": "3m", "dgs6mo": "6m", "dgs1": "1y"}
_NOTHING: Final = {"", "."}


def load_rates(path: Path) -> Rates:
    """Dated rates and curves from a CSV file, plain or gzip.

    Raises `ConfigError` that names file, line and fix.
    """
    separator = _separator(path)
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig") as lines
        ):
            return _parse(path, lines, separator)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"cannot be read ({error})", file=path, fix="give a CSV file, plain or .gz"
        ) from None


def _separator(path: Path) -> str:
    """What stands between columns."""
    if not path.exists():
        raise ConfigError(
            "no such file",
            file=path,
            key="market.rates_file",
            fix="check the path, or set market.rate",
        )
    try:
        found = file_format(path)
    except SourceError as error:
        raise ConfigError(error.problem, file=path, fix=f"expected {error.expected}") from None
    if found.kind != "text":
        raise ConfigError("is a Parquet file", file=path, fix="give a CSV file, plain or .gz")
    return found.separator


def _parse(path: Path, lines: Iterable[str], separator: str) -> Rates:
    reader = csv.DictReader(lines, delimiter=separator)
    header = [name for name in reader.fieldnames or () if name]
    columns = {_column(name): name for name in header}
    maturities = {name: days for name, days in MATURITY_DAYS.items() if name in columns}
    overnight = next((name for name in _OVERNIGHT if name in columns), "")
    _refuse_columns(path, columns, maturities, overnight)
    rows = [(f"line {reader.line_num}", row) for row in reader]
    order = _order(path, [row[columns["date"]] or "" for _, row in rows], header)
    dated: dict[int, float] = {}
    curves: dict[int, Curve] = {}
    for place, row in rows:
        values = {
            name: text
            for name in (overnight, *maturities)
            if name and (text := (row[columns[name]] or "").strip()) not in _NOTHING
        }
        # Not every calendar day has a rate.
        if not values:
            continue
        day = _day(path, place, row[columns["date"]] or "", order)
        percent = {name: _percent(path, place, name, text) for name, text in values.items()}
        known = [name for name in maturities if name in percent]
        if len(known) >= FEWEST_MATURITIES:
            curves[day] = Curve(
                tuple(maturities[name] for name in known),
                tuple(percent[name] / 100 for name in known),
            )
        elif overnight in percent:
            dated[day] = math.log1p(percent[overnight] / 100)
    if not dated and not curves:
        raise ConfigError(
            "no rates",
            file=path,
            key="dff",
            fix=(
                "expected at least one line with date and dff, "
                f"or {FEWEST_MATURITIES} yields (percent)"
            ),
        )
    return Rates(dated=dict(sorted(dated.items())), curves=dict(sorted(curves.items())))


def _column(name: str) -> str:
    """Its name here.

    >>> [_column(name) for name in ("1 Mo", "1.5 Month", "1 Yr", "observation_date", "DGS3MO")]
    ['1m', '1.5 month', '1y', 'date', '3m']
    """
    spelled = name.strip().lower()
    maturity = _MATURITY.fullmatch(spelled)
    if maturity:
        return f"{maturity[1]}{maturity[2]}"
    return "date" if spelled in RATE_COLUMNS[0].names else _FRED.get(spelled, spelled)


def _refuse_columns(
    path: Path, columns: Mapping[str, str], maturities: Mapping[str, int], overnight: str
) -> None:
    missing = [] if "date" in columns else [RATE_COLUMNS[0].told]
    if not overnight and len(maturities) < FEWEST_MATURITIES:
        missing.append(RATE_COLUMNS[1].told)
    if missing:
        problem = all_missing(missing, tuple(columns.values()))
        raise ConfigError(problem, file=path, key="columns", fix=f"expected: {_COLUMNS}")


def _order(path: Path, texts: list[str], header: list[str]) -> DateOrder | None:
    """Which of day and month comes first.

    A date of the file tells it, or its publisher: the Treasury has the month first.
    """
    try:
        told = date_order(texts)
    except DecodeError as error:
        raise ConfigError(str(error), file=path, key="date", fix="write ISO dates") from None
    by_treasury = any(" Mo" in name for name in header)
    return told or ("month first" if by_treasury else None)


def _day(path: Path, place: str, text: str, order: DateOrder | None) -> int:
    try:
        iso = iso_day(text)
        return day_of(text, order) if iso is None else day_number(iso)
    except DecodeError:
        raise ConfigError(
            f"{text} is no date", file=path, key=place, fix="expected an ISO date: 2026-07-10"
        ) from None


def _percent(path: Path, place: str, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ConfigError(
            f"{name} is {text}",
            file=path,
            key=place,
            fix="expected a number in percent, or nothing",
        ) from None
    if not _PLAUSIBLE[0] <= value <= _PLAUSIBLE[1]:
        raise ConfigError(
            f"{name} is {text}",
            file=path,
            key=place,
            fix="rates are in percent: 4.33 is 4.33 % a year",
        )
    return value
