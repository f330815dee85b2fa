"""From an untrusted Arrow IPC stream to validated columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.decoding.decode_error import DecodeError
from streams.decoding.frame_layout import inspect
from streams.decoding.written_numbers import Written, is_number, read_prices, written_as

Columns = Mapping[str, Any]
"""Arrow arrays by name."""


class Limits(NamedTuple):
    """What one record may hold."""

    record_bytes: int = 8 * 2**20
    rows: int = 200_000
    ahead_seconds: float = 5.0
    """How far a heartbeat may be ahead of its record."""


@dataclass(frozen=True, eq=False)
class FrameSchema:
    """The columns of a kind of frame.

    It is compared by identity, because hashing an Arrow schema is slow.
    """

    schema: Any
    """`pyarrow.Schema` with every column."""
    optional: frozenset[str]
    either: tuple[tuple[str, ...], ...] = ()
    """Sets of optional columns of which one is there in full."""
    spelled_by: tuple[str, frozenset[str]] = ("", frozenset())
    """A column that stands for others, in frames of other systems."""


_SIZES: Final = frozenset({"size", "bid_size", "ask_size"})
_ARROW_ERRORS: Final = (pa.ArrowException, OSError, ValueError, MemoryError)


def read_batches(value: bytes, limits: Limits, wanted: FrameSchema) -> tuple[list[Columns], bool]:
    """The columns of each batch with rows, and whether their types are foreign.

    The checks come in the one order that is safe for bytes from anywhere.

    Byte limit, layout (compression, row claims), schema, row limit, `validate(full=True)`: without
    the validation pyarrow crashes on mutated bytes. Raises `DecodeError`.
    """
    if len(value) > limits.record_bytes:
        raise DecodeError("too_large", f"{len(value)} bytes, limit {limits.record_bytes}")
    layout = inspect(value, limits.rows)
    refusal = _refusal(layout.schema, wanted)
    foreign = refusal is not None and _refusal(layout.schema, wanted, foreign=True) is None
    if refusal is not None and not foreign:
        raise DecodeError("schema", refusal)
    if layout.rows == 0:
        return [], foreign
    batches = []
    try:
        with pa.ipc.open_stream(pa.py_buffer(value)) as reader:
            for batch in reader:
                batch.validate(full=True)
                batches.append(dict(zip(batch.schema.names, batch.columns, strict=True)))
    except pa.ArrowIndexError as problem:
        raise DecodeError("dictionary", str(problem)) from None
    except _ARROW_ERRORS as problem:
        text = str(problem)
        raise DecodeError("dictionary" if "dictionary" in text.lower() else "arrow", text) from None
    return [columns for columns in batches if len(next(iter(columns.values())))], foreign


def text_column(
    columns: Columns, name: str, *, gaps: bool = False
) -> tuple[list[str], NDArray[np.integer[Any]]]:
    """Vocabulary and codes of a text column.

    With `gaps` a null is empty text, without them it is refused.
    """
    column = (
        columns[name].cast(pa.string()).fill_null("")
        if gaps and columns[name].null_count
        else _complete(columns, name)
    )
    if not isinstance(column, pa.DictionaryArray):
        column = column.dictionary_encode()
    words, codes = column.dictionary, column.indices.to_numpy()
    return words.to_pylist() if not words.null_count else [
        word or "" for word in words.to_pylist()
    ], codes


def day_column(columns: Columns, name: str) -> NDArray[np.int32]:
    """Day numbers."""
    days: NDArray[np.int32] = _complete(columns, name).view(pa.int32()).to_numpy()
    return days


def int_column(columns: Columns, name: str) -> NDArray[np.int64]:
    """Integers without gaps."""
    numbers: NDArray[np.int64] = _complete(columns, name).to_numpy()
    return numbers


def float_column(columns: Columns, name: str) -> NDArray[np.float64]:
    """Floats; a null is NaN."""
    column = columns[name]
    if not pa.types.is_decimal(column.type):
        numbers: NDArray[np.float64] = column.to_numpy(zero_copy_only=False).astype(
            np.float64, copy=False
        )
        return numbers
    written, raw = _raw(column)
    found = written.numbers(raw)
    assert found is not None, "validated"
    return (
        np.where(column.is_valid().to_numpy(zero_copy_only=False), found, np.nan)
        if column.null_count
        else found
    )


def price_columns(columns: Columns) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Bid, ask, and whether they are known to be sound, as in `Quotes`."""
    bid, ask = columns["bid"], columns["ask"]
    if (
        pa.types.is_decimal(bid.type)
        and pa.types.is_decimal(ask.type)
        and not bid.null_count
        and not ask.null_count
    ):
        prices = read_prices(*_raw(bid), *_raw(ask))
        assert prices.bid is not None, "validated"
        assert prices.ask is not None, "validated"
        return prices.bid, prices.ask, prices.validated
    return float_column(columns, "bid"), float_column(columns, "ask"), False


def _raw(column: Any) -> tuple[Written, NDArray[Any]]:  # noqa: ANN401 - an Arrow array
    """The integers of decimals."""
    written, (_, data) = written_as(column.type), column.buffers()
    return written, np.frombuffer(
        data, written.dtype, len(column), column.offset * written.dtype.itemsize
    )


def _complete(columns: Columns, name: str) -> Any:  # noqa: ANN401 - an Arrow array
    column = columns[name]
    if column.null_count:
        raise DecodeError("type", f"{name} has nulls")
    return column


@lru_cache(maxsize=256)
def _refusal(message: bytes, wanted: FrameSchema, *, foreign: bool = False) -> str | None:
    """What is wrong with a schema message, remembered: a producer sends the same one every time.

    `foreign` lets types pass that the table of spellings reads.
    """
    try:
        schema = pa.ipc.read_schema(pa.py_buffer(message))
        given = [(str(field.name), field.type) for field in schema]
    except _ARROW_ERRORS as problem:
        return f"unreadable: {problem}"
    names, columns = [name for name, _ in given], wanted.schema.names
    spelling, spelled = (
        wanted.spelled_by if foreign and wanted.spelled_by[0] in names else ("", frozenset())
    )
    missing = [name for name in columns if name not in {*names, *wanted.optional, *spelled}]
    if missing:
        return f"missing {', '.join(missing)}"
    if wanted.either and not any(set(choice) <= set(names) for choice in wanted.either):
        return f"missing {', or '.join(' and '.join(choice) for choice in wanted.either)}"
    if len(set(names)) < len(names) or not set(names) <= {*columns, spelling}:
        return f"columns {', '.join(names)}; expected {', '.join(columns)}"
    fits = fits_foreign if foreign else _fits
    kinds = {name: wanted.schema.field(name).type for name in columns} | {spelling: pa.string()}
    wrong = [f"{name} is {kind}" for name, kind in given if not fits(name, kind, kinds[name])]
    return ", ".join(wrong) or None


def _fits(name: str, given: Any, wanted: Any) -> bool:  # noqa: ANN401 - Arrow types
    if name in _SIZES:
        return bool(pa.types.is_integer(given) or pa.types.is_floating(given))
    if pa.types.is_dictionary(wanted):
        return is_text(given)
    return is_number(given) if pa.types.is_float64(wanted) else bool(given == wanted)


def fits_foreign(name: str, given: Any, wanted: Any) -> bool:  # noqa: ANN401 - Arrow types
    """Whether a column of another system can be read by the table of spellings.

    Each value is read for itself.
    """
    types = pa.types
    if is_text(given):
        return True
    if name == "expiry":
        return bool(types.is_integer(given) or types.is_date(given) or types.is_timestamp(given))
    if name == "ts_event":
        return bool(types.is_integer(given) or types.is_float64(given) or types.is_timestamp(given))
    number = types.is_integer(given) or types.is_floating(given) or types.is_decimal(given)
    return bool(number and not types.is_dictionary(wanted) and not types.is_string(wanted))


def is_text(kind: Any) -> bool:  # noqa: ANN401 - an Arrow type
    """Whether a column of this type holds text."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
