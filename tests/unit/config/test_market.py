"""The market made of the settings."""

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.market import market_of
from config.settings import IndexSettings, MarketSettings, Settings
from streams.market import Basket, Rates


def test_default_market_is_the_sample() -> None:
    market = market_of(Settings(mode="scenario"))
    assert [(one.symbol, one.tenors, len(one.basket.constituents)) for one in market.indices] == [
        ("SPY", (30,), 108)
    ]
    assert market.rates == Rates(constant=0.0364)
    assert market.mode == "scenario"


def test_rates_file_wins_and_an_index_may_stand_alone(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("date,dff\n2011-01-03,0.18\n")
    market = market_of(
        Settings(market=MarketSettings(indices=(IndexSettings(symbol="spx"),), rates_file=file))
    )
    assert market.indices[0].symbol == "SPX"
    assert market.indices[0].basket == Basket()
    assert market.rates.constant is None
    assert len(market.rates.dated) == 1


def test_no_rate_and_no_symbol() -> None:
    with pytest.raises(ConfigError, match=r"market\.rate: no risk-free rate"):
        market_of(Settings(market=MarketSettings(rate=None)))
    with pytest.raises(ConfigError, match="'<>' is no symbol"):
        market_of(Settings(market=MarketSettings(indices=(IndexSettings(symbol="<>"),))))
