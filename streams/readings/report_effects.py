"""What coming reports do to the vols of the names of a basket, as their source last said."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.column_chunk import pack_columns, unpack_columns
from streams.points import EarningsPoints

CHUNK: Final = "earnings"
NO_REPORT: Final = 0


class ReportEffects:
    """Of n names: vols without the next report over those with it, 1 for a name without one.

    NaN where it cannot be told apart. What was said stays until the next session.
    """

    COLUMNS = ("variance_ratio", "atm_ratio", "day", "in_near")

    def __init__(self, n: int) -> None:
        self.variance_ratio = np.ones(n)
        self.atm_ratio = np.ones(n)
        self.day: NDArray[np.int64] = np.full(n, NO_REPORT, np.int64)
        """The first session that trades on it, days since 1970-01-01."""
        self.in_near = np.zeros(n, np.bool_)
        self._changed = False

    def clear(self) -> None:
        """A session begins."""
        self._changed |= bool((self.day != NO_REPORT).any())
        self.variance_ratio[:] = self.atm_ratio[:] = 1.0
        self.day[:] = NO_REPORT
        self.in_near[:] = False

    def apply(self, points: EarningsPoints, at: NDArray[np.int64]) -> None:
        """Take what a frame says, `at` the position of each name or -1."""
        chosen = (at >= 0) & (at < len(self.day))
        rows = at[chosen]
        for name in self.COLUMNS:
            getattr(self, name)[rows] = getattr(points, name)[chosen]
        self._changed |= bool(rows.size)

    def changed(self) -> Iterator[tuple[str, bytes]]:
        """The state chunk, if it changed since the last call."""
        if self._changed:
            yield CHUNK, pack_columns("earnings", self._columns())
        self._changed = False

    def restore(self, value: bytes | None, moved: NDArray[np.int64]) -> None:
        """Take a chunk; `moved` gives each stored name its position of today, or -1.

        None of a checkpoint without one. Raises `ValueError` on foreign bytes.
        """
        if value is not None:
            columns, _ = unpack_columns("earnings", value, self._columns())
            if len(columns["day"]) != len(moved):
                raise ValueError("a chunk of earnings does not fit its names")
            kept = moved >= 0
            for name, column in columns.items():
                getattr(self, name)[moved[kept]] = column[kept]
        self._changed = False

    def _columns(self) -> dict[str, NDArray[Any]]:
        return {name: getattr(self, name) for name in self.COLUMNS}
