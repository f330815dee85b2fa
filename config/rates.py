"""The risk-free rate from a file: overnight rates, or a curve of par yields.

Columns, all in percent, others ignored: `date`; `dff`, the effective federal funds rate as it is
published; and the par yields of Treasury constant maturities `1m`, `2m`, `3m`, `4m`, `6m`, `1y`
(also written `1 Mo`, `1 Yr`). A day with at least four yields gives each expiry its own rate, by a
natural cubic spline; one with fewer gives every expiry ln(1 + dff/100). What a day lacks is
carried forward from the last day that had it (methodology, section 1.5).
"""

import csv
import gzip
import math
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from analytics.rates import FEWEST_MATURITIES, MATURITY_DAYS
from config.errors import ConfigError
from streams.market import Curve, Rates

_EPOCH = date(1970, 1, 1).toordinal()
_PLAUSIBLE = (-5.0, 50.0)
"""Percent; outside it the unit is surely wrong."""
_COLUMNS = f"date,dff or date,{','.join(MATURITY_DAYS)} (percent)"


def load_rates(path: Path) -> Rates:
    """Dated rates and curves from a CSV file, plain or gzip.

    Raises `ConfigError` that names file, line and fix.
    """
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig") as lines
        ):
            return _parse(path, lines)
    except FileNotFoundError:
        raise ConfigError(
            "no such file",
            file=path,
            key="market.rates_file",
            fix="check the path, or set market.rate",
        ) from None
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot be read ({error})", file=path, fix="give a CSV file, plain or .gz"
        ) from None


def _parse(path: Path, lines: Iterable[str]) -> Rates:
    reader = csv.DictReader(lines)
    columns = {_column(name): name for name in reader.fieldnames or () if name}
    maturities = {name: days for name, days in MATURITY_DAYS.items() if name in columns}
    _refuse_columns(path, columns, maturities)
    dated: dict[int, float] = {}
    curves: dict[int, Curve] = {}
    for row in reader:
        place = f"line {reader.line_num}"
        values = {
            name: text
            for name in ("dff", *maturities)
            if name in columns and (text := row[columns[name]])
        }
        # Not every calendar day has a rate.
        if not values:
            continue
        day = _day(path, place, row[columns["date"]])
        percent = {name: _percent(path, place, name, text) for name, text in values.items()}
        known = [name for name in maturities if name in percent]
        if len(known) >= FEWEST_MATURITIES:
            curves[day] = Curve(
                tuple(maturities[name] for name in known),
                tuple(percent[name] / 100 for name in known),
            )
        elif "dff" in percent:
            dated[day] = math.log1p(percent["dff"] / 100)
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
    """`1 Mo` and `1 Yr`, as the Treasury writes them, are `1m` and `1y`."""
    return name.strip().lower().replace(" ", "").removesuffix("o").removesuffix("r")


def _refuse_columns(path: Path, columns: Mapping[str, str], maturities: Mapping[str, int]) -> None:
    found = ", ".join(columns.values()) or "none"
    if "date" not in columns:
        raise ConfigError(
            f"column missing; it has {found}", file=path, key="date", fix=f"expected: {_COLUMNS}"
        )
    if "dff" not in columns and len(maturities) < FEWEST_MATURITIES:
        raise ConfigError(
            f"column missing; it has {found}", file=path, key="dff", fix=f"expected: {_COLUMNS}"
        )


def _day(path: Path, place: str, text: str) -> int:
    try:
        return date.fromisoformat(text).toordinal() - _EPOCH
    except (TypeError, ValueError):
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
