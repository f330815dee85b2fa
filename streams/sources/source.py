"""What a source of input rows is: batches in event-time order, one second each."""

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from streams.market import Market
from streams.records import NS, Quotes, Ticks, Vols
from streams.sources.refusals import Refusals
from streams.stage import Role


@dataclass(frozen=True, slots=True)
class SourceUniverse:
    """The names worth reading; a file may hold many more."""

    underlyings: frozenset[str]
    """Whose options are read."""
    symbols: frozenset[str]
    """Whose prices and levels are read."""


class Batch(NamedTuple):
    """Rows of one second, in the order of the file."""

    boundary: int
    """T in nanoseconds; every row has T - 1 s < `ts_event` <= T."""
    rows: Quotes | Vols | Ticks


class Source(Protocol):
    """One file, or a scenario."""

    @property
    def role(self) -> Role:
        """`quotes` or `ticks`."""

    @property
    def refusals(self) -> Refusals:
        """Rows that were left out of the batches given so far."""

    def batches(self, universe: SourceUniverse) -> Iterator[Batch]:
        """Seconds in ascending order; at most one session in memory. Raises `SourceError`."""


def in_time_order(
    sources: Sequence[Source], universe: SourceUniverse
) -> Iterator[tuple[int, Iterator[Batch]]]:
    """The batches of several sources, second by second (ns). Raises `SourceError`."""
    merged = heapq.merge(*(one.batches(universe) for one in sources), key=_boundary)
    yield from itertools.groupby(merged, key=_boundary)


def _boundary(batch: Batch) -> int:
    return batch.boundary


def source_universe(market: Market) -> SourceUniverse:
    """Every index, its names and its references."""
    names = {one.symbol for index in market.indices for one in index.basket.constituents} | {
        index.symbol for index in market.indices
    }
    references = {symbol for index in market.indices for symbol in index.references}
    return SourceUniverse(
        frozenset(names), frozenset(names | references | set(market.reference_symbols))
    )


def by_second(ts_event: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Boundaries in ascending order, each with its rows in the order they came.

    >>> [(boundary, rows.tolist()) for boundary, rows in by_second(np.array([NS, 3 * NS, NS - 1]))]
    [(1000000000, [0, 2]), (3000000000, [1])]
    """
    boundary = -(-ts_event // NS) * NS
    order = np.argsort(boundary, kind="stable")
    starts = np.flatnonzero(np.diff(boundary[order], prepend=np.int64(-1)))
    for rows in np.split(order, starts[1:]) if len(order) else ():
        yield int(boundary[rows[0]]), rows
