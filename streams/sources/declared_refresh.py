"""Files that say how often their source repeats itself: a column `refresh_seconds`.

A recorded feed has it. Each row then counts as of a source of that refresh.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.sources.columns import FileColumn
from streams.sources.table import DataFile

REFRESH: Final = FileColumn(
    "refresh_seconds",
    "number",
    "of a recorded feed: seconds after which its source repeats all; empty for a feed of changes",
    needed="no",
)


def by_refresh(
    file: DataFile, table: pa.Table, stamps: NDArray[np.int64]
) -> Iterator[tuple[pa.Table, NDArray[np.int64], float | None]]:
    """Rows of one declared refresh each, in the order of the file; None where there is none."""
    column = file.column(REFRESH)
    if column is None:
        yield table, stamps, None
        return
    declared = file.numbers(table, column)
    declared = np.where(declared > 0, declared, np.nan)
    for value in np.unique(declared).tolist():
        rows = np.flatnonzero(np.isnan(declared) if np.isnan(value) else declared == value)
        refresh = None if np.isnan(value) else value
        yield table.take(pa.array(rows)), stamps[rows], refresh
