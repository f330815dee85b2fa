"""One number of a report: its unit, the instant it is of, or why it is missing."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from streams.report.reasons import words_of

Unit = Literal[
    "vol", "correlation", "return", "deviation", "share", "ratio", "z", "usd", "rank", "count"
]
"""Vols, correlations, returns, shares and ranks are decimals."""

MINUS: Final = "−"


class Figure(msgspec.Struct, frozen=True):
    """A value or a reason, never both."""

    value: float | None
    unit: Unit
    at: datetime | None = None
    reason: str = ""

    @property
    def text(self) -> str:
        """As people read it: vols and correlations in points, returns and shares in percent.

        >>> Figure(-0.0272, "return").text, Figure(0.1488, "vol").text, Figure(0.97, "rank").text
        ('−2.72 %', '14.88', '97')
        >>> Figure(None, "vol", reason="no_quotes").text
        '–'
        """
        if self.value is None:
            return "–"
        written = _WRITTEN[self.unit](self.value)
        return written.replace("-", MINUS)

    @property
    def why(self) -> str:
        """The reason in words."""
        return words_of(self.reason)

    @property
    def signed(self) -> str:
        """The same with a plus where it rose: a change."""
        return f"+{self.text}" if self.value is not None and self.value > 0 else self.text


def figure(value: float | None, unit: Unit, reason: str, at: datetime | None = None) -> Figure:
    """A figure of a value that may be unknown, None or NaN; the reason stands only then."""
    known = value is not None and math.isfinite(value)
    return Figure(value, unit, at) if known else Figure(None, unit, None, reason)


def change(now: float | None, before: float | None, unit: Unit) -> Figure:
    """The difference of two closes, either of which may be unknown."""
    moved = None if now is None or before is None else now - before
    return figure(moved, unit, "unknown at one of the two closes")


def _usd(value: float) -> str:
    for limit, word in ((1e12, "tn"), (1e9, "bn"), (1e6, "m")):
        if abs(value) >= limit:
            return f"{value / limit:,.2f} {word}"
    return f"{value:,.2f}"


_WRITTEN: Final[Mapping[Unit, Callable[[float], str]]] = {
    "vol": lambda value: f"{100 * value:.2f}",
    "correlation": lambda value: f"{100 * value:.1f}",
    "return": lambda value: f"{100 * value:.2f} %",
    "deviation": lambda value: f"{100 * value:.3f} %",
    "share": lambda value: f"{100 * value:.1f} %",
    "ratio": lambda value: f"{value:.2f}",
    "z": lambda value: f"{value:.2f}",
    "usd": _usd,
    "rank": lambda value: f"{100 * value:.0f}",
    "count": lambda value: f"{value:.0f}",
}
