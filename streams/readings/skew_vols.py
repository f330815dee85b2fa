"""Latest vols at the deltas of the skew, of the names of a basket and of its index, by tenor."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from analytics.correlation import SKEW_DELTAS
from streams.column_chunk import pack_columns, unpack_columns
from streams.points import SkewPoints

PREFIX = "skew/"
NAMES = tuple(f"{delta:g}" for delta in SKEW_DELTAS)
"""Deltas as the keys of `implied_correlation_skew`."""


class SkewVols:
    """For each tenor n rows of one vol a delta, NaN before the first.

    A known vol stays until a new one or the next session.
    """

    def __init__(self, tenors: Iterable[int], n: int) -> None:
        self.at_tenor: dict[int, NDArray[np.float64]] = {
            tenor: np.full((n, len(SKEW_DELTAS)), np.nan) for tenor in tenors
        }
        self._changed: set[int] = set()

    def clear(self) -> None:
        """A session begins."""
        for tenor, vols in self.at_tenor.items():
            if not np.isnan(vols).all():
                vols[:] = np.nan
                self._changed.add(tenor)

    def apply(self, points: SkewPoints, at: NDArray[np.int64]) -> None:
        """Take the skews of a frame, `at` the row of each point or -1."""
        for tenor, vols in self.at_tenor.items():
            chosen = (at >= 0) & (points.tenor_days == tenor)
            if chosen.any():
                rows, new = at[chosen], points.vols[chosen]
                vols[rows] = np.where(new > 0, new, vols[rows])
                self._changed.add(tenor)

    def changed(self) -> Iterator[tuple[str, bytes]]:
        """State chunks since the last call."""
        for tenor in sorted(self._changed):
            yield f"{PREFIX}{tenor}", pack_columns("skew", _columns(self.at_tenor[tenor]))
        self._changed.clear()

    def restore(self, chunks: Mapping[str, bytes], moved: NDArray[np.int64]) -> None:
        """Take chunks; `moved` gives each stored row its row of today, or -1.

        Raises `ValueError` on foreign bytes.
        """
        self._changed.clear()
        for tenor, vols in self.at_tenor.items():
            value = chunks.get(f"{PREFIX}{tenor}")
            if value is None:
                continue
            columns, _ = unpack_columns("skew", value, _columns(vols))
            stored = np.column_stack([columns[name] for name in NAMES])
            if len(stored) != len(moved):
                raise ValueError("a chunk of skews does not fit its names")
            vols[moved[moved >= 0]] = stored[moved >= 0]


def _columns(vols: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return dict(zip(NAMES, vols.T, strict=True))
