"""Records of DBN (Databento Binary Encoding): bytes in, columns out, no step for each record.

A record begins with its length, in units of four bytes, and its type. Quotes of all schemas have
their fields in the same places, and so has every version of the encoding.
"""

from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

QUOTE_SCHEMAS: Final = {
    0x01: "mbp-1",
    0xB1: "cmbp-1",
    0xC0: "cbbo-1s",
    0xC1: "cbbo-1m",
    0xC3: "bbo-1s",
    0xC4: "bbo-1m",
}
"""Types of records that tell of every change of a quote, or of all within an interval."""
ERROR: Final = 0x15
SYMBOL_MAPPING: Final = 0x16
SYSTEM: Final = 0x17
UNDEFINED_PRICE: Final = 2**63 - 1
PRICE_SCALE: Final = 1e9
HEADER: Final = 16
"""Bytes of the fields that all records have."""
_QUOTE_BYTES: Final = 80
_UNIT: Final = 4
_SYMBOLS_LONG: Final = (176, 17, 89, 71)
"""Bytes of a mapping, where its two symbols begin, and how long they are."""
_SYMBOLS_SHORT: Final = (80, 16, 38, 22)
"""The same in the first version."""
_CODE_AT: Final = {ERROR: 318, SYSTEM: 319}
"""Where the code of a message stands."""
NO_CODE: Final = 255
_WINDOW: Final = 64
_U32: Final = np.dtype(np.uint32).newbyteorder("<")
_I64: Final = np.dtype(np.int64).newbyteorder("<")
_Number = TypeVar("_Number", bound=np.generic)


class RecordRun(NamedTuple):
    """Records of one type and length, one after another."""

    kind: int
    octets: NDArray[np.uint8]
    """One row a record."""


class RecordRuns(NamedTuple):
    """What some bytes hold."""

    runs: list[RecordRun]
    taken: int
    """How many bytes the records are; behind them is a part of one."""
    broken: bool
    """Whether what is behind them cannot be a record: its length is none."""


class RecordedQuotes(NamedTuple):
    """Quotes by instrument, one per record."""

    instrument: NDArray[np.uint32]
    known_at: NDArray[np.int64]
    """`ts_recv`, ns UTC; negative where it is undefined."""
    bid: NDArray[np.float64]
    """USD; 0 where nobody bids."""
    ask: NDArray[np.float64]


def record_runs(data: bytes) -> RecordRuns:
    """Cut bytes into records; never raises."""
    octets = np.frombuffer(data, np.uint8)
    runs: list[RecordRun] = []
    at = 0
    while at + HEADER <= octets.size:
        size = int(octets[at]) * _UNIT
        if size < HEADER:
            return RecordRuns(runs, at, broken=True)
        whole = (octets.size - at) // size
        if not whole:
            break
        block = octets[at : at + whole * size].reshape(whole, size)
        alike = _alike(block)
        runs.append(RecordRun(int(block[0, 1]), block[:alike]))
        at += alike * size
    return RecordRuns(runs, at, broken=False)


def _alike(block: NDArray[np.uint8]) -> int:
    """How many records from the first on have its length and type."""
    known = 1
    while known < len(block):
        part = block[known : 2 * known + _WINDOW, :2]
        same = (part == block[0, :2]).all(axis=1)
        if not same.all():
            return known + int(np.argmin(same))
        known += len(part)
    return known


def recorded_quotes(run: RecordRun) -> RecordedQuotes | None:
    """The quotes of a run; None where it holds none. Never raises."""
    size = run.octets.shape[1]
    if run.kind not in QUOTE_SCHEMAS or size < _QUOTE_BYTES:
        return None
    return RecordedQuotes(
        instrument=_field(run, 4, _U32),
        known_at=_field(run, 32, _I64),
        bid=_price(_field(run, 48, _I64)),
        ask=_price(_field(run, 56, _I64)),
    )


def mapped_symbols(run: RecordRun) -> dict[int, str]:
    """The symbols of instruments that a run tells; never raises."""
    size = run.octets.shape[1]
    shapes = {shape[0]: shape for shape in (_SYMBOLS_LONG, _SYMBOLS_SHORT)}
    # A gateway may append when it sent a record: eight bytes.
    shape = shapes.get(size) or shapes.get(size - 8)
    if run.kind != SYMBOL_MAPPING or shape is None:
        return {}
    _, _, out, length = shape
    text = np.ascontiguousarray(run.octets[:, out : out + length]).view(f"S{length}")[:, 0]
    numbers = _field(run, 4, _U32).tolist()
    words = (symbol.decode("ascii", "replace") for symbol in text.tolist())
    return {number: word for number, word in zip(numbers, words, strict=True) if word}


def said(run: RecordRun) -> list[tuple[int, str]]:
    """Codes and texts of a run of the gateway's messages or errors; never raises."""
    if run.kind not in {ERROR, SYSTEM}:
        return []
    code = _CODE_AT[run.kind]
    known = run.octets.shape[1] > code
    return [
        (int(octets[code]) if known else NO_CODE, _text(octets[HEADER:])) for octets in run.octets
    ]


def _text(octets: NDArray[np.uint8]) -> str:
    return octets.tobytes().partition(b"\0")[0].decode("ascii", "replace")


def _field(run: RecordRun, at: int, kind: np.dtype[_Number]) -> NDArray[_Number]:
    part = np.ascontiguousarray(run.octets[:, at : at + kind.itemsize])
    return part.view(kind)[:, 0]


def _price(fixed: NDArray[np.int64]) -> NDArray[np.float64]:
    """USD, the very number that its decimals say."""
    price: NDArray[np.float64] = np.where(fixed == UNDEFINED_PRICE, 0, fixed) / PRICE_SCALE
    return price
