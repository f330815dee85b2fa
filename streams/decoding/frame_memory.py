"""Quote frames that say the same contracts again.

They are known by their bytes, so that only prices and times are read anew.

The bytes of a frame are constant parts (schema, dictionaries, columns of contracts) and changing
ones (prices, sizes, times). Where the constant parts are byte for byte those of an earlier frame,
its columns are the ones that were decoded and validated then.
"""

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.decoding.frame_columns import Columns
from streams.decoding.written_numbers import Written, read_prices, written_as
from streams.records import Quotes, Record
from streams.uniform import uniform

CONTRACT: Final = frozenset({"underlying", "root", "expiry", "strike", "right"})
"""Columns that are remembered."""
KEPT_BYTES: Final = 64 * 2**20
LENGTHS: Final = 4_096
"""Frame lengths of which a shape is kept."""
SEEN_ONCE: Final = 65_536
"""Places for digests of frames that came once, one a place.

So a feed that never repeats costs no more memory.
"""
HEAD: Final = 256
"""Bytes of each constant part that a digest looks at in their order."""


class Price(NamedTuple):
    """Where a column of prices lies in a frame, and how its numbers are written."""

    at: int
    written: Written

    def read(self, value: bytes, rows: int) -> NDArray[Any]:
        """The column as it is written."""
        return np.frombuffer(value, self.written.dtype, rows, self.at)


class Shape(NamedTuple):
    """Where the parts of a frame lie."""

    rows: int
    bid: Price
    ask: Price
    ts_event: int
    constant: tuple[slice, ...]

    def digest(self, value: bytes) -> int:
        """What tells constant parts apart nearly always, and quickly.

        It is the sum of their words, and their first bytes.
        """
        heads = [value[part.start : part.start + HEAD] for part in self.constant]
        long = [part for part in self.constant if part.stop - part.start > HEAD]
        words = [
            np.frombuffer(value, np.uint64, (part.stop - part.start) // 8, part.start)
            for part in long
        ]
        return hash((*heads, *(int(np.add.reduce(part)) for part in words)))


class _Known(NamedTuple):
    shape: Shape
    constant: tuple[bytes, ...]
    quotes: Quotes

    def says_the_same(self, value: bytes) -> bool:
        return all(
            value[part] == known
            for part, known in zip(self.shape.constant, self.constant, strict=True)
        )


class FrameMemory:
    """Remembers frames from their second sight on; what comes once costs a checksum."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._shapes: OrderedDict[int, Shape] = OrderedDict()
        self._once = array("q", bytes(8 * SEEN_ONCE))
        self._known: OrderedDict[tuple[int, int], _Known] = OrderedDict()

    def recall(
        self,
        value: bytes,
        record_ts: int,
        refresh_seconds: float | None,
        record: Record | None = None,
    ) -> Quotes | None:
        """The quotes of a frame whose contracts are known; None for any other."""
        shape = self._shapes.get(len(value))
        if shape is None:
            return None
        key, rows = (len(value), shape.digest(value)), shape.rows
        known = self._known.get(key)
        if known is None or not known.says_the_same(value):
            return None
        bid, ask, validated = read_prices(
            shape.bid.written,
            shape.bid.read(value, rows),
            shape.ask.written,
            shape.ask.read(value, rows),
        )
        if bid is None or ask is None:
            return None
        self._known.move_to_end(key)
        series, code, expiry, strike, call, *_ = known.quotes
        ts_event, times = (
            np.frombuffer(value, np.int64, rows, shape.ts_event),
            uniform(np.int64(record_ts), rows),
        )
        known_as = (series, code, expiry, strike, call, bid, ask, ts_event, times, refresh_seconds)
        return Quotes(
            *known_as,
            from_cache=True,
            validated=validated,
            origin=() if record is None else (record,),
        )

    def learn(self, value: bytes, columns: Columns, quotes: Quotes) -> None:
        """Take note of a frame of one batch, decoded and validated."""
        shape = self._shapes.get(len(value))
        if shape is None:
            found = shape_of(value, columns)
            if found is not None:
                self._shapes[len(value)] = found
                _shorten(self._shapes, LENGTHS)
            return
        key = len(value), shape.digest(value)
        place = hash(key) % SEEN_ONCE
        if self._once[place] != hash(key):
            self._once[place] = hash(key)
        elif key not in self._known and shape_of(value, columns) == shape:
            self._known[key] = _Known(
                shape,
                tuple(value[part] for part in shape.constant),
                quotes._replace(from_cache=True, origin=()),
            )
            # The arrays are views of the bytes.
            self._bytes += 2 * len(value)
            while self._bytes > self._kept_bytes:
                (length, _), _ = self._known.popitem(last=False)
                self._bytes -= 2 * length


def shape_of(value: bytes, columns: Columns) -> Shape | None:
    """The shape of a frame of one batch.

    None where a changing column has gaps or lies elsewhere.
    """
    base, rows = pa.py_buffer(value).address, len(columns["bid"])
    changing = {}
    for name, column in columns.items():
        if name in CONTRACT:
            continue
        _, data = column.buffers()
        at = -1 if data is None else data.address - base
        if column.null_count or column.offset or not 0 <= at <= len(value) - data.size:
            return None
        changing[name] = at, at + rows * column.type.bit_width // 8
    fixed = [
        buffer
        for name, column in columns.items()
        for buffer in _fixed(column, changes=name in changing)
    ]
    if not {"bid", "ask", "ts_event"} <= changing.keys() or any(
        _overlap(one, base, changing.values()) for one in fixed
    ):
        return None
    bid, ask = (Price(changing[name][0], written_as(columns[name].type)) for name in ("bid", "ask"))
    return Shape(
        rows, bid, ask, changing["ts_event"][0], tuple(_between(changing.values(), len(value)))
    )


def _fixed(column: Any, *, changes: bool) -> list[Any]:  # noqa: ANN401 - an Arrow array
    """The buffers of a column that a shape takes for constant.

    They are all but the data of a changing one.
    """
    words = column.dictionary.buffers() if pa.types.is_dictionary(column.type) else []
    buffers = [*column.buffers()[: 1 if changes else None], *words]
    return [buffer for buffer in buffers if buffer is not None]


# `buffer` is an Arrow buffer.
def _overlap(buffer: Any, base: int, spans: Iterable[tuple[int, int]]) -> bool:  # noqa: ANN401
    """Whether a frame, made by hand, keeps a constant part inside a changing one."""
    first = buffer.address - base
    return any(first < end and start < first + buffer.size for start, end in spans)


def _between(spans: Iterable[tuple[int, int]], length: int) -> Iterator[slice]:
    """What lies between the changing columns."""
    for (_, end), (start, _) in pairwise([(0, 0), *sorted(spans), (length, length)]):
        if start > end:
            yield slice(end, start)


def _shorten(memory: OrderedDict[int, Any], limit: int) -> None:
    while len(memory) > limit:
        memory.popitem(last=False)
