"""Records of the market topics, in columns.

A *record* is what Kafka delivers (`Record`). Decoding turns a batch of them into columns (`Quotes`,
`Ticks`), a `Heartbeat`, or a `Malformed` value. Times are int64 nanoseconds UTC, prices USD, vols
and correlations decimals.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

NS = 1_000_000_000
"""Nanoseconds in a second."""
REPETITIONS = 3
"""A snapshot source may miss this many repetitions before what it said is stale."""
MAX_PRICE = 1e9
"""USD; above it a price is an error of the source."""


class Record(Protocol):
    """One Kafka record as every consumer library hands it over.

    The records of aiokafka and kafka-python fit.
    """

    @property
    def topic(self) -> str:
        """Topic name, prefix included."""

    @property
    def partition(self) -> int:
        """Partition number."""

    @property
    def offset(self) -> int:
        """Offset in the partition."""

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch, as the broker stored it."""

    @property
    def key(self) -> bytes | None:
        """Key bytes."""

    @property
    def value(self) -> bytes | None:
        """Value bytes; None is a tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Headers in order, names may repeat."""


class InputRecord(NamedTuple):
    """A `Record` made by ourselves: by adapters, by the in-process pipeline and by tests."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Series(NamedTuple):
    """One option class of one underlying: strikes of one expiry and one series make a strip."""

    underlying: str
    root: str
    in_vols: bool = False
    """Known by vols and deltas (`Vols`), not by bid and ask: a strip of its own."""


class Quotes(NamedTuple):
    """Option quotes, one per row, in the order of the source. All arrays have length n."""

    series: tuple[Series, ...]
    """Vocabulary of `series_code`."""
    series_code: NDArray[np.int32]
    expiry: NDArray[np.int32]
    """Days since 1970-01-01."""
    strike: NDArray[np.float64]
    call: NDArray[np.bool_]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    ts_event: NDArray[np.int64]
    record_ts: NDArray[np.int64]
    """Kafka timestamp of the record behind each row, nanoseconds."""
    refresh_seconds: float | None = None
    """How often a snapshot source repeats itself; None for a feed of changes."""
    from_cache: bool = False
    """The contract columns are the very arrays of an earlier frame that said the same."""
    validated: bool = False
    """Every row is known to have 0 <= bid <= ask <= `MAX_PRICE`."""
    origin: Sequence[Record] = ()
    """The record behind each row, or the one behind them all; empty where that is not known."""


class Vols(NamedTuple):
    """Implied vols of options where the source gives them in place of bid and ask, one per row.

    All arrays have length n.
    """

    series: tuple[Series, ...]
    """Vocabulary of `series_code`; all are `in_vols`."""
    series_code: NDArray[np.int32]
    expiry: NDArray[np.int32]
    """Days since 1970-01-01."""
    strike: NDArray[np.float64]
    call: NDArray[np.bool_]
    vol: NDArray[np.float64]
    """Annualised, a decimal."""
    delta: NDArray[np.float64]
    """Negative for puts."""
    ts_event: NDArray[np.int64]
    record_ts: NDArray[np.int64]
    refresh_seconds: float | None = None
    from_cache: bool = False
    origin: Sequence[Record] = ()
    """As in `Quotes`."""


class Ticks(NamedTuple):
    """Trades and index levels, one per row, in the order of the source.

    All arrays have length n.
    """

    symbols: tuple[str, ...]
    """Vocabulary of `symbol_code`."""
    symbol_code: NDArray[np.int32]
    price: NDArray[np.float64]
    size: NDArray[np.float64]
    ts_event: NDArray[np.int64]
    record_ts: NDArray[np.int64]
    refresh_seconds: float | None = None
    origin: Sequence[Record] = ()
    """As in `Quotes`."""


class Heartbeat(NamedTuple):
    """A source's word that nothing with `ts_event` at or before this time will follow."""

    ts_event: int


class Malformed(NamedTuple):
    """A record that could not be decoded: a value, never an exception."""

    record: Record
    reason: str
    """One of `streams.decoding.codec.REASONS`."""
    message: str
    """For people; may quote at most 200 characters of the input."""


class Unread(NamedTuple):
    """Rows of a record that could not be read, beside others of it that could."""

    record: Record | None
    """None where decoding was not told."""
    reason: str
    """One of `streams.decoding.codec.REASONS`."""
    rows: int
    """How many."""
    row: int
    """The first of them, counted from 0."""
    message: str
    """Why it could not; for people, as in `Malformed`."""


_Rows = TypeVar("_Rows", bound=Quotes | Vols | Ticks)


def take_quotes(quotes: _Rows, rows: NDArray[np.int64]) -> _Rows:
    """Some rows of quotes; the vocabulary stays whole."""
    columns: dict[str, Any] = {
        name: column[rows]
        for name, column in quotes._asdict().items()
        if isinstance(column, np.ndarray)
    }
    # One record stands for any rows of it, but which of them is no longer known.
    origin = quotes.origin
    columns["origin"] = () if len(origin) <= 1 else [origin[at] for at in rows.tolist()]
    return cast("_Rows", quotes._replace(**columns))
