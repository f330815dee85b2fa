"""One daily file of a published index: CSV, plain or gzip.

It has `date` and `close`, or `date` and a column named like the index, as Cboe and FRED publish
them: `VIX_History.csv` has the month first, `VIXCLS.csv` a point where there is no level.

A row on a day without a session is left out and counted, as is one that repeats another; a level
that cannot be true is NaN and counted. What leaves the file in doubt is an error: text for a
number, two different closes of one day, decimals for points.
"""

import csv
import gzip
import math
import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, Final, TextIO, cast

from streams.calendar.sessions import date_of, is_session
from streams.decoding.dates import DateOrder, date_order
from streams.decoding.dates import day as day_of
from streams.decoding.decode_error import DecodeError
from streams.sources.daily_closes import DAY, PUBLISHED_AS
from streams.sources.file_format import file_format
from streams.sources.source_error import SourceError

POINTS = 100.0
"""Index points in one: published levels are divided by it at the door."""
FLOORED = "DSPX"
"""Zero where index variance exceeds basket variance, which has happened (2018-02-08)."""
SIGNED = "COR1M"
"""A correlation may be negative."""
HISTORY: Final = "_history"
"""How the name of a file ends that Cboe publishes; its dates have the month first."""
NOTHING: Final = {"", "."}
"""What stands where there is no level."""


class LevelFile:
    """The closes of one published index by session, in decimals.

    `counts` tells by reason what was left out.
    """

    def __init__(self, path: Path, index: str) -> None:
        self._path = path
        self._index = index
        self._order: DateOrder | None = None
        self.counts: Counter[str] = Counter()
        self.closes: dict[date, float] = {}
        separator = _separator(path)
        try:
            with _text(path) as file:
                self._take(csv.reader(file, delimiter=separator))
        except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
            raise SourceError(
                path,
                f"cannot be read ({error})",
                "CSV in UTF-8, plain or .gz; fetch the file again",
            ) from None
        self._refuse_decimals()

    # `rows` is a CSV reader, which has no public type.
    def _take(self, rows: Any) -> None:  # noqa: ANN401
        when, what = self._columns(next(rows, []))
        numbered = [(rows.line_num, row) for row in rows if row]
        for line, row in numbered:
            if len(row) <= max(when, what):
                raise self._wrong(
                    line,
                    f"{len(row)} values",
                    "a value for each column; complete or remove the line",
                )
        self._order = self._order_of([row[when] for _, row in numbered])
        for line, row in numbered:
            self._add(line, self._day(line, row[when]), self._level(line, row[what]))

    def _add(self, line: int, day: date, level: float) -> None:
        if not is_session(day):
            self.counts["no_session"] += 1
        elif day in self.closes:
            self._repeat(line, day, level)
        else:
            self.counts["bad_level"] += math.isnan(level)
            self.closes[day] = level

    def _order_of(self, texts: Sequence[str]) -> DateOrder | None:
        """Which of day and month comes first, where a date of the file or its publisher tells."""
        try:
            told = date_order(texts)
        except DecodeError as error:
            raise SourceError(self._path, str(error), "one order of day and month") from None
        return told or ("month first" if HISTORY in self._path.name.lower() else None)

    def _columns(self, header: Sequence[str]) -> tuple[int, int]:
        names = [name.strip().lower() for name in header]
        day = next((names.index(name) for name in DAY.names if name in names), None)
        close = next((names.index(name) for name in self._names if name in names), None)
        if day is None or close is None:
            found = ", ".join(header) or "an empty line"
            raise self._wrong(
                1,
                f"columns {found}",
                f"date and close, or date and {self._index.lower()}; rename the columns",
            )
        return day, close

    @property
    def _names(self) -> tuple[str, ...]:
        """What the column of levels may be called."""
        published = [name.lower() for name, index in PUBLISHED_AS.items() if index == self._index]
        return ("close", self._index.lower(), *published)

    def _day(self, line: int, text: str) -> date:
        try:
            return iso_day(text) or date_of(day_of(text, self._order))
        except DecodeError:
            raise self._wrong(
                line,
                f"{text!r} is no date",
                "an ISO date such as 2018-02-05; correct or remove the line",
            ) from None

    def _level(self, line: int, text: str) -> float:
        """Decimal level; NaN for an empty one and for one that cannot be."""
        try:
            level = math.nan if text.strip() in NOTHING else float(text)
        except ValueError:
            raise self._wrong(
                line,
                f"{text!r} is no level",
                "index points such as 18.43; correct or remove the line",
            ) from None
        possible = self._index == SIGNED or level > 0.0 or (self._index == FLOORED and level == 0.0)
        return level / POINTS if math.isfinite(level) and possible else math.nan

    def _repeat(self, line: int, day: date, level: float) -> None:
        known = self.closes[day]
        if level != known and not (math.isnan(level) and math.isnan(known)):
            raise self._wrong(
                line, f"a second, different close of {day}", "one row a day; remove the wrong one"
            )
        self.counts["duplicate"] += 1

    def _refuse_decimals(self) -> None:
        """A vol of the index below one point has never been published.

        Such a file is in decimals already.
        """
        known = [level for level in self.closes.values() if math.isfinite(level)]
        if self._index in {"VIX", "VIXEQ"} and known and median(known) * POINTS < 1.0:
            raise SourceError(
                self._path,
                f"the median close is {median(known) * POINTS:.4g}",
                "index points such as 18.43, not decimals",
            )

    def _wrong(self, line: int, problem: str, expected: str) -> SourceError:
        return SourceError(self._path, f"line {line}: {problem}", expected)


def iso_day(text: str) -> date | None:
    """An ISO date of any year; None for any other text.

    Histories may begin before the exchange's calendar does.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _separator(path: Path) -> str:
    """What stands between columns. Raises `SourceError` for what is no text."""
    if path.is_file() and not path.stat().st_size:
        return ","
    found = file_format(path)
    if found.kind != "text":
        raise SourceError(path, "is a Parquet file", "CSV in UTF-8, plain or .gz")
    return found.separator


def _text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")
