"""One daily file of a published index: CSV, plain or gzip.

It has `date` and `close`, or `date` and a column named like the index.

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
from typing import TextIO, cast

from streams.calendar.sessions import is_session
from streams.sources.source_error import SourceError

POINTS = 100.0
"""Index points in one: published levels are divided by it at the door."""
FLOORED = "DSPX"
"""Zero where index variance exceeds basket variance, which has happened (2018-02-08)."""
SIGNED = "COR1M"
"""A correlation may be negative."""


class LevelFile:
    """The closes of one published index by session, in decimals.

    `counts` tells by reason what was left out.
    """

    def __init__(self, path: Path, index: str) -> None:
        self._path = path
        self._index = index
        self.counts: Counter[str] = Counter()
        self.closes: dict[date, float] = {}
        try:
            with _text(path) as file:
                self._take(file)
        except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
            raise SourceError(
                path,
                f"cannot be read ({error})",
                "CSV in UTF-8, plain or .gz; fetch the file again",
            ) from None
        self._refuse_decimals()

    def _take(self, file: TextIO) -> None:
        rows = csv.reader(file)
        when, what = self._columns(next(rows, []))
        for row in rows:
            if not row:
                continue
            if len(row) <= max(when, what):
                raise self._wrong(
                    rows.line_num,
                    f"{len(row)} values",
                    "a value for each column; complete or remove the line",
                )
            day, level = self._day(rows.line_num, row[when]), self._level(rows.line_num, row[what])
            if not is_session(day):
                self.counts["no_session"] += 1
            elif day in self.closes:
                self._repeat(rows.line_num, day, level)
            else:
                self.counts["bad_level"] += math.isnan(level)
                self.closes[day] = level

    def _columns(self, header: Sequence[str]) -> tuple[int, int]:
        names = [name.strip().lower() for name in header]
        close = next(
            (names.index(name) for name in ("close", self._index.lower()) if name in names), None
        )
        if "date" not in names or close is None:
            found = ", ".join(header) or "an empty line"
            raise self._wrong(
                1,
                f"columns {found}",
                f"date and close, or date and {self._index.lower()}; rename the columns",
            )
        return names.index("date"), close

    def _day(self, line: int, text: str) -> date:
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            raise self._wrong(
                line,
                f"{text!r} is no date",
                "an ISO date such as 2018-02-05; correct or remove the line",
            ) from None

    def _level(self, line: int, text: str) -> float:
        """Decimal level; NaN for an empty one and for one that cannot be."""
        try:
            level = float(text) if text.strip() else math.nan
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


def _text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")
