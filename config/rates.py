"""The risk-free rate from a file of overnight rates.

`date,dff` in percent, as the effective federal funds rate is published; other columns are ignored. The continuously
compounded rate of a day is ln(1 + dff/100), carried forward to later days (methodology, section 1.5).
"""

import csv
import gzip
import math
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from config.errors import ConfigError
from streams.market import Rates

_EPOCH = date(1970, 1, 1).toordinal()
_PLAUSIBLE = (-5.0, 50.0)
"""Percent; outside it the unit is surely wrong."""


def load_rates(path: Path) -> Rates:
    """Dated rates from a CSV file, plain or gzip. Raises `ConfigError` that names file, line and fix."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            return Rates(dated=_parse(path, lines))
    except FileNotFoundError:
        raise ConfigError("no such file", file=path, key="market.rates_file", fix="check the path, or set market.rate") from None
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read ({error})", file=path, fix="give a CSV file, plain or .gz") from None


def _parse(path: Path, lines: Iterable[str]) -> dict[int, float]:
    reader = csv.DictReader(lines)
    columns = list(reader.fieldnames or ())
    for wanted in ("date", "dff"):
        if wanted not in columns:
            found = ", ".join(columns) or "none"
            raise ConfigError(f"column missing; it has {found}", file=path, key=wanted, fix="expected: date,dff (percent)")
    dated: dict[int, float] = {}
    for row in reader:
        if row["dff"]:  # not every calendar day has a rate
            day, rate = _row(path, reader.line_num, row["date"], row["dff"])
            dated[day] = rate
    if not dated:
        raise ConfigError("no rates", file=path, key="dff", fix="expected at least one line with date and dff (percent)")
    return dict(sorted(dated.items()))


def _row(path: Path, line: int, day: str, percent: str) -> tuple[int, float]:
    try:
        parsed, value = date.fromisoformat(day).toordinal() - _EPOCH, float(percent)
    except ValueError:
        raise ConfigError(f"{day},{percent}", file=path, key=f"line {line}", fix="expected an ISO date and a number in percent") from None
    if not _PLAUSIBLE[0] <= value <= _PLAUSIBLE[1]:
        raise ConfigError(f"dff is {percent}", file=path, key=f"line {line}", fix="rates are in percent: 4.33 is 4.33 % a year")
    return parsed, math.log1p(value / 100)
