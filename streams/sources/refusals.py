"""Rows of a file that an adapter leaves out, with one example for each reason."""

from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple

from streams.records import NS
from streams.safe_text import safe
from streams.sessions import EASTERN, close_ns, is_session, open_ns


class RowExample(NamedTuple):
    """One row that was left out."""

    value: str
    """What was wrong about it, in words; text of the file stands in it as it was."""
    symbol: str = ""

    @property
    def told(self) -> str:
        """On one line, safe to show."""
        return safe(f"{self.symbol}: {self.value}" if self.symbol else self.value)


class Refusals:
    """How many rows were left out for which reason; the first of each is the example. A file may be read twice, and counts once."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], int] = {}
        self.examples: dict[str, RowExample] = {}

    @property
    def counts(self) -> Counter[str]:
        """Rows by reason."""
        counts: Counter[str] = Counter()
        for (reason, _), rows in self._rows.items():
            counts[reason] += rows
        return counts

    def add(self, reason: str, part: int, rows: int, value: str, symbol: str = "") -> None:
        """The rows that were left out of a part of the file, such as a session; nothing where there are none."""
        if rows:
            self._rows[reason, part] = rows
            self.examples.setdefault(reason, RowExample(value, symbol))


def outside_words(ts_event: int) -> str:
    """Where a time (ns) lies that is outside the hours of a session.

    >>> outside_words(1_783_720_800_000_000_000)
    'Fri 2026-07-10 18:00:00 New York; the session is 09:30 to 16:15'
    >>> outside_words(1_783_801_800_000_000_000)
    'Sat 2026-07-11 16:30:00 New York; no session on that day'
    """
    local = _new_york(ts_event)
    when = f"{local:%a %Y-%m-%d %H:%M:%S} New York"
    if not is_session(local.date()):
        return f"{when}; no session on that day"
    opens, closes = (_new_york(bound(local.date())) for bound in (open_ns, close_ns))
    return f"{when}; the session is {opens:%H:%M} to {closes:%H:%M}"


def _new_york(ns: int) -> datetime:
    return datetime.fromtimestamp(ns // NS, UTC).astimezone(EASTERN)
