"""Realized correlation of real five-minute bars, against the figures of the methodology."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from streams.market import Gates
from streams.readings.realized_grid import BAR_NS, RealizedGrid
from streams.readings.realized_values import RealizedValues
from streams.readings.session_hours import hours_on
from tests.support.evaluation import evaluation_data
from tests.support.points_frames import prices
from tests.support.trading_days import sessions_in

FUNDS = {
    "SPY",
    "QQQ",
    "SMH",
    "XBI",
    "XLB",
    "XLC",
    "XLE",
    "XLF",
    "XLI",
    "XLK",
    "XLP",
    "XLRE",
    "XLU",
    "XLV",
    "XLY",
}


@pytest.mark.evaluation
def test_49_names_over_21_sessions_to_the_end_of_october_2025() -> None:
    bars = pd.read_parquet(
        evaluation_data() / "intraday" / "bars_5min.parquet", columns=["ts", "symbol", "close"]
    )
    closes = bars[~bars["symbol"].isin(FUNDS)].pivot_table(
        index="ts", columns="symbol", values="close"
    )
    days = sessions_in(date(2025, 9, 1), date(2025, 10, 31))[-22:]
    names = tuple(closes.columns)
    grid = RealizedGrid(names)
    for day in days:
        hours = hours_on(day)
        grid.begin(hours)
        for bar, row in enumerate(closes.loc[day.isoformat()].to_numpy(np.float64)):
            grid.apply(
                prices(dict(zip(names, row.tolist(), strict=True)), hours.open + (bar + 1) * BAR_NS)
            )
    assert len(names) == 49
    values = RealizedValues(grid, np.ones(49), Gates()).at(
        hours_on(days[-1]).close, 30, np.ones(49, np.bool_)
    )
    assert values.correlation == pytest.approx(0.249, abs=0.001)
    matrix = np.log(
        np.concatenate([matrix for day in days if (matrix := grid.day(day)) is not None], axis=1)
    )[:, 77:]
    variance = float((np.diff(matrix, axis=1) ** 2).sum(axis=1).mean()) * 12
    assert math.sqrt(variance) == pytest.approx(0.426, abs=0.001)
