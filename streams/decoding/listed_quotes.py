"""Single JSON quotes that spell their contracts out, from objects to columns with no row between: the common case.

Whatever else a quote may be (an option symbol, a time in text, something wrong) is refused here, with all its neighbours, and
left to `streams.decoding.json_rows`, which reads everything and knows the reasons.
"""

from array import array
from collections.abc import Sequence
from operator import attrgetter
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.decoding.json_rows import MAX_NS, listed, record_times
from streams.records import Quotes, Series

KEPT: Final = 65_536
"""Terms that are remembered; beyond these, all are forgotten."""

_Term = tuple[str, str | None, str, str]


class _Listed(msgspec.Struct, gc=False):
    """What `json_rows` reads of a quote, in the form that needs no second look."""

    underlying: str
    expiry: str
    strike: float
    right: Literal["C", "P"]
    bid: float | None
    ask: float | None
    ts_event: Annotated[int, msgspec.Meta(ge=0, le=MAX_NS)]
    root: str | None = None
    symbol: Literal[""] = ""


class _Terms(dict[_Term, int]):
    """Codes of terms (underlying, root, expiry and right as producers spell them) and what they mean. Bad ones are never entered."""

    def __init__(self) -> None:
        super().__init__()
        self.series: dict[Series, int] = {}
        self.series_code, self.expiry, self.call = array("i"), array("i"), array("b")

    def __missing__(self, term: _Term) -> int:
        """A new code. Raises `DecodeError`."""
        series, expiry, call = listed(*term)
        self.series_code.append(self.series.setdefault(series, len(self.series)))
        self.expiry.append(expiry)
        self.call.append(call)
        return self.setdefault(term, len(self))

    def forget(self) -> None:
        """Start anew."""
        self.clear()
        self.series.clear()
        for column in (self.series_code, self.expiry, self.call):
            del column[:]


_terms = _Terms()
_decode = msgspec.json.Decoder(_Listed).decode
_term = attrgetter("underlying", "root", "expiry", "right")


def listed_quotes(values: Sequence[bytes], record_ms: Sequence[int]) -> Quotes:
    """Columns of single quotes; an absent price is NaN. Raises `ValueError` or `RecursionError` where one is of another form."""
    quotes = [_decode(value) for value in values]
    if len(_terms) > KEPT:
        _terms.forget()
    code = np.array([_terms[term] for term in map(_term, quotes)], np.intp)
    series, series_code = _spoken(tuple(_terms.series), np.frombuffer(_terms.series_code, np.int32)[code])
    return Quotes(
        series=series,
        series_code=series_code,
        expiry=np.frombuffer(_terms.expiry, np.int32)[code],
        strike=np.array([quote.strike for quote in quotes], np.float64),
        call=np.frombuffer(_terms.call, np.bool_)[code],
        bid=np.array([quote.bid for quote in quotes], np.float64),
        ask=np.array([quote.ask for quote in quotes], np.float64),
        ts_event=np.array([quote.ts_event for quote in quotes], np.int64),
        record_ts=record_times(record_ms),
    )


def _spoken(known: tuple[Series, ...], code: NDArray[np.int32]) -> tuple[tuple[Series, ...], NDArray[np.int32]]:
    """The part of a vocabulary that is spoken, in order of its first word, and the codes in it."""
    first = np.full(len(known), code.size)
    first[code[::-1]] = np.arange(code.size)[::-1]  # of several for one place the last stays
    spoken = np.argsort(first)[: np.count_nonzero(first < code.size)]
    place = np.empty(len(known), np.int32)
    place[spoken] = np.arange(spoken.size)
    return tuple([known[at] for at in spoken.tolist()]), place[code]
