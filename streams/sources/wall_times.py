"""Columns of times as nanoseconds UTC; those without a zone are New York wall times."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from streams.calendar.sessions import EASTERN


def read(words: Sequence[str], name: str, *, utc: bool) -> NDArray[np.int64]:
    """ISO 8601 texts of one column, with an offset each (`utc`) or none.

    Raises `ValueError` with the first that is no time.
    """
    found = pd.to_datetime(pd.Series(words), format="ISO8601", utc=utc, errors="coerce")
    missing = np.flatnonzero(found.isna())
    if missing.size:
        raise ValueError(f"{words[int(missing[0])]!r} is no time")
    return located(found, name)


def located(times: Any, name: str) -> NDArray[np.int64]:  # noqa: ANN401 - a pandas series
    """Times without a zone are of New York, or of UTC where the column's name ends in `_utc`."""
    index = pd.DatetimeIndex(times)
    if index.tz is None:
        zone = UTC if name.endswith("_utc") else EASTERN
        index = index.tz_localize(zone, ambiguous=False, nonexistent="shift_forward")
    return np.asarray(index.as_unit("ns").asi8, dtype=np.int64)
