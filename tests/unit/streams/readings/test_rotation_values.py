"""The rotation of a reading: values by hand, reasons, and when they are worked out anew."""

import math
from datetime import date
from typing import Any

import numpy as np
import pytest

from streams.market import Basket, Constituent, Gates
from streams.reading import Rotation
from streams.readings.daily_prices import DailyPrices
from streams.readings.rotation_values import MINUTE, RotationValues
from streams.readings.session_hours import hours_on
from streams.records import NS
from tests.support.points_frames import prices
from tests.support.trading_days import sessions_in

BASKET = Basket(
    "toy",
    (
        Constituent("AAPL", 4.0, "Tech"),
        Constituent("MSFT", 2.0, "Tech"),
        Constituent("WMT", 2.0, "Staples"),
        Constituent("NEE", 1.0, "Utilities"),
        Constituent("XOM", 1.0, "Energy"),
    ),
)
DAYS = sessions_in(date(2026, 1, 2), date(2026, 6, 30))


class Market:
    """Prices session by session, and the rotation after each."""

    def __init__(self, basket: Basket = BASKET) -> None:
        self.symbols = (
            (*(one.symbol for one in basket.constituents), "IDX") if basket.constituents else ()
        )
        self.daily = DailyPrices(self.symbols)
        self.values = RotationValues(self.daily, basket, Gates())
        self.levels = dict.fromkeys(self.symbols, 100.0)
        self.session = -1

    def day(self, moves: dict[str, float | None] | None = None) -> None:
        """A session with one tick a name, moved by simple returns; None does not tick."""
        self.session += 1
        hours = hours_on(DAYS[self.session])
        self.daily.begin(hours)
        ticks = {}
        for symbol in self.symbols:
            move = (moves or {}).get(symbol, 0.0)
            if move is not None:
                self.levels[symbol] *= 1 + move
                ticks[symbol] = self.levels[symbol]
        self.daily.apply(prices(ticks, hours.open + NS))

    def rotation(self, after: int = NS) -> tuple[Rotation, dict[str, str]]:
        found = self.values.at(hours_on(DAYS[self.session]).open + after)
        assert found.value is not None
        return found.value, found.reasons


def test_sectors_against_the_index_since_the_prior_close() -> None:
    market = Market()
    market.day()
    market.day({"AAPL": 0.02, "MSFT": -0.01, "WMT": 0.01, "XOM": -0.03, "IDX": 0.005})
    rotation, reasons = market.rotation()
    sectors = {"Energy": -0.03, "Staples": 0.01, "Tech": 0.01, "Utilities": 0.0}
    assert rotation.sector_returns == pytest.approx(sectors)
    assert rotation.index_return == pytest.approx(0.005)
    weights, moves = np.array([1.0, 2.0, 6.0, 1.0]) / 10, np.array(list(sectors.values()))
    assert rotation.sector_dispersion == pytest.approx(
        math.sqrt(weights @ (moves - weights @ moves) ** 2)
    )
    assert rotation.sector_range == pytest.approx(0.04)
    assert rotation.defensive_today == pytest.approx((1 + 0.02 / 3) / 1.005 - 1)
    assert reasons == {
        "rotation.sector_dispersion_z": "no_window",
        "rotation.defensive_strength": "no_window",
        "rotation.autocorrelation": "no_window",
        "rotation.mag7_spread": "not_in_basket",
    }


def test_strength_over_twenty_sessions_and_changes_that_undo_each_other() -> None:
    market = Market()
    market.day()
    for session in range(20):
        market.day(
            {
                "WMT": 0.01 if session % 2 else -0.01,
                "NEE": 0.01 if session % 2 else -0.01,
                "IDX": 0.001,
            }
        )
    rotation, reasons = market.rotation()
    assert rotation.defensive_strength == pytest.approx((1.01 * 0.99) ** 10 / 1.001**20 - 1)
    assert rotation.autocorrelation is not None
    assert rotation.autocorrelation < -0.9
    assert reasons["rotation.sector_dispersion_z"] == "no_window", "nineteen sessions before today"


def test_dispersion_is_scored_among_the_sessions_before_today() -> None:
    market, random = Market(), np.random.default_rng(5)
    market.day()
    history = []
    for _ in range(25):
        market.day({"XOM": float(random.normal(0, 0.01)), "AAPL": float(random.normal(0, 0.01))})
        history.append(market.rotation()[0].sector_dispersion)
        if len(history) <= 20:
            assert market.rotation()[0].sector_dispersion_z is None
    market.day({"XOM": 0.10})
    rotation, _ = market.rotation()
    past = np.array(history, np.float64)
    center = np.median(past)
    expected = (
        0.6745 * ((rotation.sector_dispersion or 0.0) - center) / np.median(np.abs(past - center))
    )
    assert rotation.sector_dispersion_z == pytest.approx(expected)
    assert expected > 3


@pytest.mark.parametrize(
    ("moves", "field", "reason"),
    [
        ({"IDX": None}, "index_return", "no_index_ticks"),
        ({"IDX": None}, "defensive_today", "no_index_ticks"),
        ({"WMT": None}, "defensive_today", "coverage"),
        ({"AAPL": None}, "sector_returns.Tech", "coverage"),
        ({"AAPL": None}, "sector_dispersion", "coverage"),
        ({"AAPL": 0.6}, "sector_range", "coverage"),
        ({"AAPL": None}, "sector_dispersion_z", "coverage"),
    ],
)
def test_what_is_missing_has_a_reason(
    moves: dict[str, float | None], field: str, reason: str
) -> None:
    market = Market()
    market.day()
    market.day(moves)
    rotation, reasons = market.rotation()
    assert reasons[f"rotation.{field}"] == reason
    assert "." in field or getattr(rotation, field) is None


def basket_of(*names: tuple[str, str], **more: Any) -> Basket:
    return Basket("b", tuple(Constituent(symbol, 1.0, sector) for symbol, sector in names), **more)


@pytest.mark.parametrize(
    ("basket", "field", "reason"),
    [
        (basket_of(("A", ""), ("B", "")), "sector_dispersion", "no_sectors"),
        (basket_of(("A", "Tech"), ("B", "Tech")), "sector_dispersion", "one_sector"),
        (basket_of(("A", "Tech"), ("B", "Energy")), "defensive_today", "not_in_basket"),
        (basket_of(("A", "Tech"), ("B", "Energy")), "autocorrelation", "not_in_basket"),
    ],
)
def test_what_a_basket_lacks_has_a_reason(basket: Basket, field: str, reason: str) -> None:
    market = Market(basket)
    market.day()
    market.day()
    assert market.rotation()[1][f"rotation.{field}"] == reason


def test_the_set_is_a_choice_of_the_basket() -> None:
    market = Market(basket_of(("A", "Tech"), ("B", "Energy"), defensives=("Energy",)))
    market.day()
    market.day({"B": 0.02})
    assert market.rotation()[0].defensive_today == pytest.approx(0.02)


def test_the_leaders_need_all_seven() -> None:
    seven = ("AAPL", "MSFT", "GOOG", "AMZN", "META", "NVDA", "TSLA")
    market = Market(basket_of(*((symbol, "Tech") for symbol in seven)))
    for session in range(21):
        market.day({"GOOG": 0.10, "META": -0.05} if session == 5 else None)
    assert market.rotation()[0].mag7_spread == pytest.approx(0.15)
    market.day({"TSLA": None})
    rotation, reasons = market.rotation()
    assert (rotation.mag7_spread, reasons["rotation.mag7_spread"]) == (None, "coverage")


@pytest.mark.parametrize(
    ("basket", "sessions", "reason"),
    [(BASKET, 1, "no_window"), (Basket(), 2, "no_basket"), (BASKET, 0, "no_ticks")],
)
def test_nothing_to_say(basket: Basket, sessions: int, reason: str) -> None:
    market = Market(basket)
    for _ in range(sessions):
        market.day()
    found = market.values.at(hours_on(DAYS[0]).open + NS)
    assert (found.value, found.reasons) == (None, {"rotation": reason})


def test_a_value_holds_for_its_minute() -> None:
    market = Market()
    market.day()
    market.day()
    hours = hours_on(DAYS[1])
    first, _ = market.rotation(NS)
    market.daily.apply(prices({"IDX": 101.0}, hours.open + 2 * NS))
    assert market.rotation(59 * NS)[0] is first
    later, _ = market.rotation(MINUTE)
    assert [first.index_return, later.index_return] == pytest.approx([0.0, 0.01])
