"""Rows of open seconds, waiting until their second closes, or is the next to close."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.records import NS

Columns = tuple[NDArray[Any], ...]
"""Arrays of one length."""


class ReorderBuffer:
    """Rows by second, in order of arrival.

    A column named `ts` (nanoseconds) says which second a row belongs to.
    """

    def __init__(self, **dtypes: type[np.generic]) -> None:
        self._dtypes: Final = dtypes
        self._blocks: dict[int, list[Columns]] = {}

    def __len__(self) -> int:
        """Number of rows."""
        return sum(block[0].size for blocks in self._blocks.values() for block in blocks)

    def __contains__(self, second: int) -> bool:
        """Whether a second is due."""
        return second in self._blocks

    def add(self, second: NDArray[np.int64], columns: Columns) -> None:
        """Let rows wait, `second` telling for what.

        The arrays must not be written to afterwards.
        """
        if not second.size:
            return
        if (second == second[0]).all():
            self.add_block(int(second[0]), columns)
            return
        order = np.argsort(second, kind="stable")
        ordered = second[order]
        edges = [0, *(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1).tolist(), ordered.size]
        for start, stop in pairwise(edges):
            rows = order[start:stop]
            self.add_block(int(ordered[start]), tuple(column[rows] for column in columns))

    def add_block(self, second: int, columns: Columns) -> None:
        """The same for rows of one second."""
        self._blocks.setdefault(second, []).append(columns)

    def take(self, second: int) -> list[Columns]:
        """Take out the rows of a second so far; it is due all the same."""
        blocks = self._blocks.get(second, [])
        self._blocks[second] = []
        return blocks

    def expect(self, second: int) -> None:
        """A second is due, with rows or without."""
        self._blocks.setdefault(second, [])

    def due(self, closed: int) -> Iterator[tuple[int, list[Columns]]]:
        """Take out the seconds up to a closed one, in order, each with its blocks.

        The blocks are in order of arrival; none for a second taken before.
        """
        for second in sorted(second for second in self._blocks if second <= closed):
            yield second, self._blocks.pop(second)

    def columns(self) -> dict[str, NDArray[Any]]:
        """All rows, by second and arrival, for a checkpoint."""
        blocks = [block for second in sorted(self._blocks) for block in self._blocks[second]]
        return {
            name: np.concatenate([none, *(block[at] for block in blocks)])
            for at, (name, none) in enumerate(self.empty().items())
        }

    def empty(self) -> dict[str, NDArray[Any]]:
        """The columns without rows."""
        return {name: np.empty(0, dtype) for name, dtype in self._dtypes.items()}

    def restore(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Replace all rows by those of `columns`."""
        self._blocks.clear()
        self.add(-(-columns["ts"] // NS), tuple(columns[name] for name in self._dtypes))

    def renumber(self, name: str, numbers: NDArray[np.int64]) -> None:
        """Replace a column, in the order of `columns`.

        Rows that get a negative number are dropped.
        """
        kept = numbers >= 0
        self.restore(
            {key: column[kept] for key, column in (self.columns() | {name: numbers}).items()}
        )


def looked_up(table: NDArray[np.int64], code: NDArray[np.int64]) -> NDArray[np.int64]:
    """`table[code]`, but codes outside of the table raise `ValueError`.

    They come from a checkpoint.
    """
    if code.size and (code.min() < 0 or code.max() >= table.size):
        raise ValueError("a checkpoint refers to names it does not hold")
    return table[code]


def joined(blocks: list[Columns]) -> Columns:
    """Blocks one after another, column by column."""
    return (
        blocks[0]
        if len(blocks) == 1
        else tuple(np.concatenate(columns) for columns in zip(*blocks, strict=True))
    )
