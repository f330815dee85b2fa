"""Batches of frames as other systems write them: other Arrow types, other spellings, gaps.

A row that cannot be read costs itself alone. Each column is read by its distinct words through the
table of spellings. What comes out is a batch of our own types.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.calendar.sessions import day_number
from streams.decoding import osi, spellings
from streams.decoding.decode_error import DecodeError
from streams.decoding.frame_columns import Columns, FrameSchema, is_text
from streams.decoding.times import FIRST_NS, LAST_NS, asked
from streams.records import NS, Record, Unread

_UNUSED: Final = frozenset({"bid_size", "ask_size"})
_TEXT_COLUMNS: Final = frozenset({"underlying", "root", "right", "symbol"})
_DAY_NS: Final = 86_400 * NS
_MESSAGE_LENGTH = 200
_NO_CONTRACT: Final = osi.Contract("", date(1970, 1, 1), call=False, strike=0.0)
_FAILURES: Final = (pa.ArrowException, ValueError, OverflowError)


class _Refusals:
    """The rows of a batch that cannot be read, each with the first reason that was found."""

    def __init__(self, rows: int) -> None:
        self.refused: NDArray[np.bool_] = np.zeros(rows, np.bool_)
        self._found: dict[str, tuple[NDArray[np.bool_], str]] = {}

    def add(self, rows: NDArray[np.bool_], reason: str, message: Callable[[int], str]) -> None:
        """Refuse rows; the message is that of the first of them."""
        fresh = rows & ~self.refused
        if not fresh.any():
            return
        self.refused |= fresh
        known = self._found.get(reason)
        if known is None:
            self._found[reason] = (fresh, message(int(np.argmax(fresh))))
        else:
            self._found[reason] = (known[0] | fresh, known[1])

    def unread(self, record: Record | None) -> list[Unread]:
        """For the account, by reason."""
        return [
            Unread(
                record,
                reason,
                int(np.count_nonzero(rows)),
                int(np.argmax(rows)),
                text[:_MESSAGE_LENGTH],
            )
            for reason, (rows, text) in self._found.items()
        ]


def read_foreign(
    columns: Columns, wanted: FrameSchema, record: Record | None
) -> tuple[Columns | None, list[Unread]]:
    """A validated batch in our own types, less rows that cannot be read; None where none can."""
    refusals = _Refusals(len(next(iter(columns.values()))))
    given = {name: column for name, column in columns.items() if name not in _UNUSED}
    spelling, _ = wanted.spelled_by
    if spelling in given:
        given = _spelled(given.pop(spelling), refusals) | given
    try:
        read = {
            name: _read(name, column, refusals) for name, column in given.items() if name != "root"
        }
    except (UnicodeDecodeError, pa.ArrowException) as problem:
        # a zone or a word that is no text, a value that Arrow itself cannot turn
        raise DecodeError("type", f"a column cannot be read: {problem}") from None
    if "root" in given:
        read["root"] = given["root"]
    if refusals.refused.all():
        return None, refusals.unread(record)
    kept = pa.array(~refusals.refused)
    return {name: column.filter(kept) for name, column in read.items()}, refusals.unread(record)


def _read(name: str, column: Any, refusals: _Refusals) -> Any:  # noqa: ANN401 - Arrow arrays
    if name == "right":
        return _right(column, refusals)
    if name in _TEXT_COLUMNS:
        empty = ~column.is_valid().to_numpy(zero_copy_only=False)
        refusals.add(empty, "missing_field", lambda _: f"missing {name}")
        return column.cast(pa.string()).fill_null("")
    if name == "expiry":
        return pa.array(_days(column, refusals), pa.int32()).view(pa.date32())
    if name == "ts_event":
        return pa.array(_moments(column, refusals), pa.int64())
    return pa.array(_numbers(name, column, refusals), pa.float64())


def _words(column: Any) -> tuple[list[Any], NDArray[np.int64]]:  # noqa: ANN401 - an Arrow array
    """Distinct values and the code of each row; -1 is a null."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = coded.dictionary.to_pylist()
    codes = coded.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    absent = [at for at, word in enumerate(words) if word is None]
    return words, np.where(np.isin(codes, absent), -1, codes) if absent else codes


def _by_word(
    column: Any,  # noqa: ANN401 - an Arrow array
    read: Callable[[Sequence[Any]], spellings.Column[Any]],
    reason: str,
    absent: str,
    refusals: _Refusals,
) -> NDArray[Any]:
    """Values by row of a column that is read by its words; gaps are refused."""
    words, codes = _words(column)
    refusals.add(codes < 0, reason, lambda _: absent)
    found = read(["" if word is None else word for word in words])
    _refuse(codes, found.refused, len(words), refusals)
    gap = found.values.dtype.type(0)
    return np.append(found.values, gap)[codes]


def _refuse(
    codes: NDArray[np.int64],
    refused: Mapping[int, DecodeError],
    words: int,
    refusals: _Refusals,
    name: str = "",
) -> None:
    """Refuse the rows of words that could not be read."""
    for reason in {problem.reason for problem in refused.values()}:
        # One more for the gaps.
        marked = np.zeros(words + 1, np.bool_)
        marked[[at for at, problem in refused.items() if problem.reason == reason]] = True
        refusals.add(marked[codes], reason, lambda row: f"{name}{refused[int(codes[row])]}")


def _right(column: Any, refusals: _Refusals) -> Any:  # noqa: ANN401 - Arrow arrays
    call = _by_word(column, spellings.rights, "type", "right has nulls", refusals)
    return pa.DictionaryArray.from_arrays(pa.array(call.astype(np.int8)), pa.array(["P", "C"]))


def _days(column: Any, refusals: _Refusals) -> NDArray[np.int32]:  # noqa: ANN401 - an Arrow array
    kind = column.type
    if is_text(kind) or pa.types.is_integer(kind):
        return _by_word(column, spellings.days, "expiry", "no expiry", refusals)
    refusals.add(_gaps(column), "expiry", lambda _: "no expiry")
    if pa.types.is_date32(kind):
        numbers = column.view(pa.int32()).fill_null(0)
        days: NDArray[np.int32] = numbers.to_numpy(zero_copy_only=False)
        return days
    return _midnights(column, refusals)


# `column` is an Arrow array.
def _midnights(column: Any, refusals: _Refusals) -> NDArray[np.int32]:  # noqa: ANN401
    """Days of times: midnights, wherever they are; or times of the day without a zone."""
    zone = column.type.tz if pa.types.is_timestamp(column.type) else None
    try:
        local = _local(column) if zone else column
        ns = (
            local.cast(pa.timestamp("us"))
            .cast(pa.int64())
            .fill_null(0)
            .to_numpy(zero_copy_only=False)
        )
    except _FAILURES as problem:
        raise DecodeError("expiry", f"expiry holds no dates: {problem}") from None
    days, time = np.divmod(ns, _DAY_NS // 1000)
    if zone:
        message = "expiry is a time of day with a zone; write the date alone"
        refusals.add(time != 0, "expiry", lambda _: message)
    limit = np.iinfo(np.int32)
    clipped: NDArray[np.int32] = np.clip(days, limit.min, limit.max).astype(np.int32)
    return clipped


# `column` is an Arrow array, and so is the answer.
def _local(column: Any) -> Any:  # noqa: ANN401
    # It takes 9 MB and 80 ms: a worker whose sources write no such column does without.
    from pyarrow.compute import local_timestamp  # noqa: PLC0415

    return local_timestamp(column)


# `column` is an Arrow array.
def _moments(column: Any, refusals: _Refusals) -> NDArray[np.int64]:  # noqa: ANN401
    kind = column.type
    if is_text(kind) or pa.types.is_float64(kind):
        return _by_word(column, spellings.moments, "time", "no ts_event", refusals)
    refusals.add(_gaps(column), "time", lambda _: "no ts_event")
    if pa.types.is_timestamp(kind) and kind.tz is None:
        zone = "ts_event is a time without a zone; write UTC or nanoseconds"
        refusals.add(np.ones(len(column), np.bool_), "time", lambda _: zone)
    try:
        stamped = (
            column.cast(pa.timestamp("ns", kind.tz)) if pa.types.is_timestamp(kind) else column
        )
        moments: NDArray[np.int64] = (
            stamped.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        )
    except _FAILURES as problem:
        raise DecodeError("time", f"ts_event holds no times: {problem}") from None
    odd = (moments < FIRST_NS) | (moments >= LAST_NS)
    refusals.add(
        odd, "time", lambda at: f"{moments[at]} is no time in nanoseconds{asked(int(moments[at]))}"
    )
    return moments


def _numbers(name: str, column: Any, refusals: _Refusals) -> NDArray[np.float64]:  # noqa: ANN401
    """Numbers; a gap is NaN."""
    if is_text(column.type):
        words, codes = _words(column)
        found = spellings.numbers(["" if word is None else word for word in words])
        _refuse(codes, found.refused, len(words), refusals, f"{name}: ")
        return np.append(found.values, np.nan)[codes]
    try:
        values = column.cast(pa.float64(), safe=False)
    except _FAILURES as problem:
        raise DecodeError("type", f"{name} holds no numbers: {problem}") from None
    numbers: NDArray[np.float64] = values.to_numpy(zero_copy_only=False)
    return numbers


def _spelled(column: Any, refusals: _Refusals) -> dict[str, Any]:  # noqa: ANN401 - Arrow arrays
    """The columns that an option symbol stands for."""
    words, codes = _words(column)
    refusals.add(codes < 0, "missing_field", lambda _: "missing symbol")
    names: list[str] = []
    roots: list[str] = []
    days: list[int] = []
    strikes: list[float] = []
    calls: list[str] = []
    refused: dict[int, DecodeError] = {}
    for at, word in enumerate(words):
        try:
            contract = osi.parse(word or "")
        except ValueError as problem:
            refused[at] = DecodeError("symbol", str(problem))
            contract = _NO_CONTRACT
        names.append(osi.underlying_of(contract.root))
        roots.append(contract.root)
        days.append(day_number(contract.expiry))
        strikes.append(contract.strike)
        calls.append("C" if contract.call else "P")
    _refuse(codes, refused, len(words), refusals)
    place = pa.array(np.maximum(codes, 0))
    text = {"underlying": names, "root": roots, "right": calls}
    columns = {
        name: pa.array(values or [""], pa.string()).take(place) for name, values in text.items()
    }
    expiry = pa.array(days or [0], pa.int32()).take(place).view(pa.date32())
    return columns | {
        "expiry": expiry,
        "strike": pa.array(strikes or [0.0], pa.float64()).take(place),
    }


def _gaps(column: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - an Arrow array
    empty: NDArray[np.bool_] = ~column.is_valid().to_numpy(zero_copy_only=False)
    return empty
