"""The standard dispersion books: marks by leg and window, and the carry in front of them."""

import msgspec

from analytics.trade import Weighting
from streams.reading import Book, BookMark, BookWindow, Reading
from streams.report.figure import Figure, figure
from streams.report.month_book import SESSIONS, MonthLegs

LEGS = ("total", "index", "singles", "gamma")


class BookRow(msgspec.Struct, frozen=True, kw_only=True):
    """One weighting over one window, vol points of index vega as decimals."""

    weighting: str
    window: str
    """`close`, since the prior close; `open`, since the session's open; `20`, over 20 sessions."""
    legs: dict[str, Figure]


class BookSection(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    rows: tuple[BookRow, ...]
    breakeven_correlation: Figure
    realized_correlation: Figure
    carry: Figure
    cost: Figure
    """To enter or leave the vega-weighted book."""


def book_section(reading: Reading, month: MonthLegs | str) -> BookSection:
    """The books of a reading; without them every figure has the reason."""
    book, reasons = reading.book or Book(), reading.reasons
    why = reasons.get("book", "")

    def reason(field: str) -> str:
        return why or reasons.get(f"book.{field}", "unknown")

    cost = None if book.vega is None else book.vega.cost
    return BookSection(
        rows=(
            *(
                _row(weighting.value, window, getattr(book, window), reason(window))
                for window in ("close", "open")
                for weighting in Weighting
            ),
            *(_month_row(weighting, month) for weighting in Weighting),
        ),
        breakeven_correlation=figure(
            book.breakeven_correlation, "correlation", reason("breakeven_correlation")
        ),
        realized_correlation=figure(
            book.realized_correlation, "correlation", reason("realized_correlation")
        ),
        carry=figure(book.carry, "vol", reason("carry")),
        cost=figure(cost, "vol", reason("cost")),
    )


def _month_row(weighting: Weighting, month: MonthLegs | str) -> BookRow:
    known = {} if isinstance(month, str) else month[weighting]
    why = month if isinstance(month, str) else "moves of prices are kept for a session"
    return BookRow(
        weighting=weighting.value,
        window=str(SESSIONS),
        legs={leg: figure(known.get(leg), "vol", why) for leg in LEGS},
    )


def _row(weighting: str, window: str, marks: BookWindow | None, why: str) -> BookRow:
    mark: BookMark | None = None if marks is None else getattr(marks, weighting)
    return BookRow(
        weighting=weighting,
        window=window,
        legs={
            leg: figure(
                None if mark is None else getattr(mark, leg),
                "vol",
                why if mark is None else "no prices of the names",
            )
            for leg in LEGS
        },
    )
