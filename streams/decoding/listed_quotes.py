"""Single JSON quotes that spell their contracts out: the common case.

They go from objects to columns with no row between.
Whatever else a quote may be (an option symbol, a time in text, something wrong) is refused here,
with all its neighbours, and left to `streams.decoding.json_rows`, which reads everything and knows
the reasons.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.calendar.sessions import day_number
from streams.decoding.decode_error import DecodeError
from streams.decoding.json_rows import listed_series, record_times
from streams.decoding.times import FIRST_NS, LAST_NS, iso_date
from streams.records import Quotes, Record, Series

KEPT: Final = 65_536
"""Spellings that are remembered; beyond these, all are forgotten."""

# The listing of a quote in one integer: the code of its series, its expiry, whether it is a call.
_SERIES, _EXPIRY, _DAYS = 32, 1, 2**31 - 1


class _Listed(msgspec.Struct, gc=False):
    """What `json_rows` reads of a quote, in the form that needs no second look."""

    underlying: str
    expiry: str
    strike: float
    right: Literal["C", "P"]
    bid: float | None
    ask: float | None
    ts_event: Annotated[int, msgspec.Meta(ge=FIRST_NS, lt=LAST_NS)]
    root: str | None = None
    symbol: Literal[""] = ""


class _Roots(dict[str | tuple[str, str], int]):
    """Codes of series, in their place of a listing, as producers spell them.

    A key is an underlying, or an underlying and a root.
    """

    def __init__(self) -> None:
        super().__init__()
        self.series: dict[Series, int] = {}

    def __missing__(self, spelling: str | tuple[str, str]) -> int:
        """Enter a series. Raises `DecodeError`, and then remembers nothing."""
        underlying, root = (spelling, None) if isinstance(spelling, str) else spelling
        if not underlying:
            raise DecodeError("missing_field", "missing underlying")
        code = self.series.setdefault(listed_series(underlying, root), len(self.series))
        return self.setdefault(spelling, code << _SERIES)


class _Expiries(dict[str, int]):
    """Expiries, in their place of a listing, by ISO dates."""

    def __missing__(self, text: str) -> int:
        """Enter a date. Raises `DecodeError`, and then remembers nothing."""
        day = day_number(iso_date(text))
        if day < 0:
            raise DecodeError("expiry", f"before 1970: {text}")
        return self.setdefault(text, day << _EXPIRY)


_CALLS = {"C": 1, "P": 0}
_roots, _expiries = _Roots(), _Expiries()
_decode = msgspec.json.Decoder(_Listed).decode


def listed_quotes(values: Sequence[bytes], records: Sequence[Record]) -> Quotes:
    """Columns of single quotes; an absent price is NaN.

    Raises `ValueError` or `RecursionError` where one is of another form.
    """
    quotes = [_decode(value) for value in values]
    if len(_roots) + len(_expiries) > KEPT:
        for memory in (_roots, _roots.series, _expiries):
            memory.clear()
    listing = np.array(
        [
            _roots[(quote.underlying, quote.root) if quote.root else quote.underlying]
            + _expiries[quote.expiry]
            + _CALLS[quote.right]
            for quote in quotes
        ],
        np.int64,
    )
    series, code = _spoken(tuple(_roots.series), listing >> _SERIES)
    return Quotes(
        series=series,
        series_code=code,
        expiry=(listing >> _EXPIRY & _DAYS).astype(np.int32),
        strike=np.array([quote.strike for quote in quotes], np.float64),
        call=(listing & 1).astype(np.bool_),
        bid=np.array([quote.bid for quote in quotes], np.float64),
        ask=np.array([quote.ask for quote in quotes], np.float64),
        ts_event=np.array([quote.ts_event for quote in quotes], np.int64),
        record_ts=record_times([record.timestamp for record in records]),
        origin=records,
    )


def _spoken(
    known: tuple[Series, ...], code: NDArray[np.int64]
) -> tuple[tuple[Series, ...], NDArray[np.int32]]:
    """The part of a vocabulary that is spoken, in order of its first word, and the codes in it."""
    first = np.full(len(known), code.size)
    # Of several for one place the last stays.
    first[code[::-1]] = np.arange(code.size)[::-1]
    spoken = np.argsort(first)[: np.count_nonzero(first < code.size)]
    place = np.empty(len(known), np.int32)
    place[spoken] = np.arange(spoken.size)
    return tuple([known[at] for at in spoken.tolist()]), place[code]
