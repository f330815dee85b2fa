"""The standard dispersion books: marks by leg and window, and the carry in front of them."""

import msgspec

from streams.reading import Book, BookMark, BookWindow, Reading
from streams.report.figure import Figure, figure

LEGS = ("total", "index", "singles", "gamma")


class BookRow(msgspec.Struct, frozen=True, kw_only=True):
    """One weighting over one window, vol points of index vega as decimals."""

    weighting: str
    window: str
    """`close`, since the prior close, or `open`, since the session's open."""
    legs: dict[str, Figure]


class BookSection(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    rows: tuple[BookRow, ...]
    breakeven_correlation: Figure
    realized_correlation: Figure
    carry: Figure
    cost: Figure
    """To enter or leave the vega-weighted book."""


def book_section(reading: Reading) -> BookSection:
    """The books of a reading; without them every figure has the reason."""
    book, reasons = reading.book or Book(), reading.reasons
    why = reasons.get("book", "")

    def reason(field: str) -> str:
        return why or reasons.get(f"book.{field}", "unknown")

    cost = None if book.vega is None else book.vega.cost
    return BookSection(
        rows=tuple(
            _row(weighting, window, getattr(book, window), reason(window))
            for window in ("close", "open")
            for weighting in ("vega", "theta", "gamma")
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
