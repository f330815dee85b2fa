"""The rotation of real daily closes, against the same figures from a table."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from config.baskets import find_basket, load_basket
from streams.market import Gates
from streams.readings.daily_prices import DailyPrices
from streams.readings.rotation_values import RotationValues
from streams.readings.session_hours import hours_on
from tests.support.evaluation import evaluation_data
from tests.support.points_frames import prices
from tests.support.trading_days import sessions_in

DAYS = sessions_in(date(2024, 3, 1), date(2024, 6, 28))


@pytest.mark.evaluation
def test_a_hundred_names_to_the_end_of_june_2024() -> None:
    basket = load_basket(find_basket("sample_100"))
    rows = pd.read_parquet(
        evaluation_data() / "daily_prices" / "sp500_2019_2024.parquet",
        columns=["date", "symbol", "close"],
    )
    table = rows.assign(date=pd.to_datetime(rows["date"]).dt.date).pivot_table(
        index="date", columns="symbol", values="close"
    )
    symbols = (*(one.symbol for one in basket.constituents), "SPY")
    closes = table.reindex(index=list(DAYS), columns=list(symbols)).to_numpy(np.float64)
    daily = DailyPrices(symbols)
    for day, row in zip(DAYS, closes, strict=True):
        hours = hours_on(day)
        daily.begin(hours)
        daily.apply(
            prices(
                {
                    name: price
                    for name, price in zip(symbols, row.tolist(), strict=True)
                    if price > 0
                },
                hours.equity_close,
            )
        )
    rotation = RotationValues(daily, basket, Gates()).at(hours_on(DAYS[-1]).close).value
    assert rotation is not None

    today, month = closes[-1] / closes[-2] - 1, closes[-1] / closes[-21] - 1
    names = pd.DataFrame(
        {
            "sector": [one.sector for one in basket.constituents],
            "weight": [one.weight for one in basket.constituents],
        }
    )
    names = names.assign(today=today[:-1], month=month[:-1]).dropna()
    sums = (
        names.assign(part=names["weight"] * names["today"])
        .groupby("sector")[["part", "weight"]]
        .sum()
    )
    assert rotation.index_return == pytest.approx(today[-1])
    assert rotation.sector_returns == pytest.approx((sums["part"] / sums["weight"]).to_dict())
    assert len(rotation.sector_returns) == 10
    chosen = [
        one.symbol in {"WMT", "COST"} or one.sector == "Utilities" for one in basket.constituents
    ]
    own = names[np.array(chosen)[names.index]]
    strength = (1 + np.average(own["month"], weights=own["weight"])) / (1 + month[-1]) - 1
    assert rotation.defensive_strength == pytest.approx(strength)
    seven = [
        month[symbols.index(name)]
        for name in ("AAPL", "MSFT", "GOOGL", "AMZN", "META", "NVDA", "TSLA")
    ]
    assert rotation.mag7_spread == pytest.approx(max(seven) - min(seven))
    assert rotation.sector_dispersion_z is not None
    assert rotation.autocorrelation is not None
