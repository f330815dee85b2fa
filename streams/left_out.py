"""What was left out, by example.

For each reason there is one row or record, with what was wrong about it and where it stands.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from streams.records import Malformed, Record, Unread
from streams.safe_text import safe

SHOWN: Final = 200
"""Characters of an example's value."""
_SYMBOL = 40


class LeftOut(msgspec.Struct, frozen=True):
    """One row or record that was left out. Its texts are safe to show."""

    reason: str
    """An outcome of rows or a reason of dead letters."""
    value: str
    """What was wrong about it, in words."""
    symbol: str = ""
    """Contract or symbol, where it is known."""
    topic: str = ""
    """Empty where the place is not known."""
    partition: int = 0
    offset: int = 0
    row: int | None = None
    """Of the record's rows, counted from 0; None where the record has one."""
    ts_event: int | None = None
    """Nanoseconds; None where the time was not read."""

    @property
    def place(self) -> str:
        """Where it stands, as `dispersion dead-letters` and Kafka's own tools count.

        >>> LeftOut(
        ...     "late", "2.1 s late", topic="market.ticks.v1", partition=3, offset=17, row=4
        ... ).place
        'market.ticks.v1 partition 3 offset 17, row 4'
        """
        if not self.topic:
            return ""
        row = "" if self.row is None else f", row {self.row}"
        return f"{self.topic} partition {self.partition} offset {self.offset}{row}"

    @property
    def text(self) -> str:
        """On one line.

        >>> LeftOut("late", "2.1 s late", "SPY").text
        'SPY: 2.1 s late'
        """
        words = f"{self.symbol}: {self.value}" if self.symbol else self.value
        return f"{words} ({self.place})" if self.topic else words


def left_out(
    reason: str,
    value: str,
    symbol: str = "",
    record: Record | None = None,
    row: int | None = None,
    ts_event: int | None = None,
) -> LeftOut:
    """An example of text from anywhere."""
    words, name = safe(value, SHOWN), safe(symbol, _SYMBOL)
    if record is None:
        return LeftOut(reason, words, name, ts_event=ts_event)
    place = safe(record.topic, SHOWN), record.partition, record.offset
    return LeftOut(reason, words, name, *place, row, ts_event)


def unread_example(item: Malformed | Unread) -> LeftOut:
    """An example of what decoding refused."""
    row = item.row if isinstance(item, Unread) else None
    return left_out(item.reason, item.message, record=item.record, row=row)


def origin_of(origin: Sequence[Record], rows: int, at: int) -> tuple[Record | None, int | None]:
    """The record behind a row of n decoded ones, and which of its rows that is.

    The row is None of a record that has one.
    """
    if not origin:
        return None, None
    if len(origin) != rows:
        return origin[0], at
    record, first, last = origin[at], at, at + 1
    while first and origin[first - 1] is record:
        first -= 1
    alone = first == at and (last == rows or origin[last] is not record)
    return record, None if alone else at - first
