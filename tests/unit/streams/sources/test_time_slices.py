"""Dates of a file of timed rows, one at a time, however many are read together."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from streams.calendar.sessions import session_days
from streams.sources import time_slices as module
from streams.sources.table import DataFile
from streams.sources.time_slices import TIME_COLUMNS, time_slices


@pytest.mark.parametrize("at_once", [1, 3, 5, 200_000])
def test_each_date_comes_whole_and_in_order_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Days lie across each other, a Sunday has no session, and one date has most of the rows."""
    days = ["2026-07-09", "2026-07-08", "2026-07-09", "2026-07-12", "2026-07-10", "2026-07-09"]
    rows = pd.DataFrame(
        {"ts_event": [f"{day}T15:00:0{at}Z" for at, day in enumerate(days)], "price": range(6)}
    )
    file = tmp_path / "ticks.csv"
    rows.to_csv(file, index=False)
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    found = [
        (table["price"].to_pylist(), stamps)
        for table, stamps in time_slices(DataFile(file, TIME_COLUMNS), "ts_event", ["price"])
    ]
    assert [prices for prices, _ in found] == [[3], [1], [0, 2, 5], [4]]
    assert [len(np.unique(session_days(stamps))) for _, stamps in found] == [1, 1, 1, 1]
    assert found[2][1].tolist() == sorted(found[2][1].tolist())
