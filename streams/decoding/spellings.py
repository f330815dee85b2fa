"""The one table of spellings and units, for JSON, frames and files.

What is unambiguous is read, all else is refused by name.

One value at a time: `symbols.normalise`, `osi.parse`, `is_call`, `amounts.number`, `dates.day`,
`times.nanoseconds`. A column at a time, where its values tell each other's order of day and month
or decimal mark: `rights`, `numbers`, `days` and `moments`. A column is given by its distinct words,
so that each is read once.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from streams.decoding.amounts import decimal_mark, number
from streams.decoding.dates import DateOrder, date_order, day
from streams.decoding.decode_error import DecodeError
from streams.decoding.times import nanoseconds

NO_DAY: Final = np.iinfo(np.int32).min
"""In place of a date that could not be read."""
NO_TIME: Final = np.iinfo(np.int64).min
"""In place of a time that could not be read."""

_RIGHTS: Final = {"C": True, "CALL": True, "CALLS": True, "P": False, "PUT": False, "PUTS": False}
_T = TypeVar("_T", bound=np.generic)


class Column(NamedTuple, Generic[_T]):
    """The words of a column as they were read."""

    values: NDArray[_T]
    """By word; something that is no value where the word was refused."""
    refused: dict[int, DecodeError]
    """Place of a word → why it could not be read."""


def is_call(right: str) -> bool:
    """Whether a right is that of a call. Raises `DecodeError` (reason `type`) for what is neither.

    >>> [is_call(text) for text in ("C", "call", "CALLS", "P", "Put")]
    [True, True, True, False, False]
    """
    found = _RIGHTS.get(right.strip(" ").upper()) if len(right) <= 16 else None
    if found is None:
        raise DecodeError("type", f"right is neither C (call) nor P (put): {right[:32]!r}")
    return found


def rights(words: Sequence[str]) -> Column[np.bool_]:
    """Whether each right is that of a call."""
    return _column(words, is_call, np.bool_, absent=False)


def numbers(words: Sequence[str]) -> Column[np.float64]:
    """Numbers; NaN where there is none.

    Raises `DecodeError` where points and commas contradict each other.
    """
    mark = decimal_mark(words)
    return _column(words, lambda word: number(word, mark), np.float64, absent=np.nan)


def days(words: Sequence[int | str | None], order: DateOrder | None = None) -> Column[np.int32]:
    """Days since 1970-01-01.

    Raises `DecodeError` where some dates have the month first and some the day.
    `order` is for words that leave theirs open, as far as another column of the table tells it.
    """
    order = date_order(word for word in words if isinstance(word, str)) or order

    def read(word: int | str | None) -> int:
        if word is None or word == "":
            raise DecodeError("expiry", "no date")
        return day(word, order)

    return _column(words, read, np.int32, absent=NO_DAY)


def moments(words: Sequence[float | str | None]) -> Column[np.int64]:
    """Nanoseconds UTC."""

    def read(word: float | str | None) -> int:
        if word is None or word == "":
            raise DecodeError("time", "no time")
        return nanoseconds(word)

    return _column(words, read, np.int64, absent=NO_TIME)


def _column(
    words: Sequence[Any], read: Callable[[Any], Any], dtype: type[_T], *, absent: float
) -> Column[_T]:
    values, refused = [], {}
    for at, word in enumerate(words):
        try:
            values.append(read(word))
        except DecodeError as problem:
            values.append(absent)
            refused[at] = problem
    return Column(np.array(values, dtype), refused)
