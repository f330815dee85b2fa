"""From tick records to prices and references."""

from datetime import date

import numpy as np
import pytest

from streams.calendar.sessions import open_ns
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.points import PointsFrame, PricePoints
from streams.records import NS, Ticks
from streams.valuation.ticks_stage import TicksStage
from tests.support.input_records import frame_of, frames_in, heartbeat, record

TEN = open_ns(date(2026, 7, 8)) + 30 * 60 * NS
MARKET = Market(
    (
        IndexSpec(
            "SPY",
            Basket("two", (Constituent("AAPL", 2.0), Constituent("MSFT", 1.0))),
            references=("VIX", "DSPX"),
        ),
        IndexSpec("QQQ", Basket("one", (Constituent("AAPL", 1.0),)), references=("VXN",)),
    )
)


def ticks(*rows: tuple[str, float, int], refresh_seconds: float | None = None) -> Ticks:
    """Rows of symbol, price, ns after ten o'clock."""
    symbols = tuple(dict.fromkeys(row[0] for row in rows))
    code = np.array([symbols.index(row[0]) for row in rows], np.int32)
    stamp = TEN + np.array([row[2] for row in rows], np.int64)
    price = np.array([row[1] for row in rows])
    return Ticks(symbols, code, price, np.ones(len(rows)), stamp, stamp, refresh_seconds)


def seen(part: PricePoints | None) -> dict[str, float]:
    return {} if part is None else dict(zip(part.symbol, part.price.tolist(), strict=True))


def last(stage: TicksStage, *records: object) -> dict[str, PointsFrame]:
    frames = frames_in(stage.process([*records]).messages)  # type: ignore[list-item]
    return {frame.index: frame for frame in frames if frame.boundary == TEN}


def test_prices_and_references_of_each_index() -> None:
    rows = ticks(
        ("MSFT", 400.0, -1),
        ("AAPL", 200.0, -3),
        ("SPY", 750.0, 0),
        ("VIX", 16.0, -1),
        ("VXN", 20.0, -1),
    )
    frames = last(TicksStage(MARKET, "ticks:1", 3), frame_of(rows), heartbeat(TEN))
    assert seen(frames["SPY"].prices) == {"AAPL": 200.0, "MSFT": 400.0, "SPY": 750.0}
    assert seen(frames["SPY"].references) == {"VIX": 0.16}
    assert seen(frames["QQQ"].prices) == {"AAPL": 200.0}
    assert seen(frames["QQQ"].references) == {"VXN": 20.0}
    assert [frames[index].accepted for index in ("SPY", "QQQ")] == [4, 2]
    assert frames["SPY"].source == "ticks:1"
    assert frames["SPY"].surfaces is None


def test_greatest_time_wins_and_at_a_tie_the_later_arrival() -> None:
    rows = ticks(
        ("AAPL", 1.0, -1), ("AAPL", 2.0, 0), ("AAPL", 3.0, -2), ("AAPL", 4.0, 0), ("AAPL", 5.0, 1)
    )
    stage = TicksStage(MARKET, "ticks:0", 1)
    prices = last(stage, frame_of(rows), heartbeat(TEN))["SPY"].prices
    assert prices is not None
    assert (prices.price.tolist(), prices.ts_event.tolist()) == ([4.0], [TEN])


@pytest.mark.parametrize(
    ("symbol", "price", "outcome"),
    [("AAPL", 0.0, "negative"), ("AAPL", np.nan, "non_finite"), ("ZZZZ", 1.0, "unknown")],
)
def test_unusable_ticks_are_counted(symbol: str, price: float, outcome: str) -> None:
    output = TicksStage(MARKET, "ticks:0", 1).process(
        [frame_of(ticks((symbol, price, 0))), heartbeat(TEN)]
    )
    assert output.counts["ticks", outcome] == 1
    assert all(frame.prices is None and frame.accepted == 0 for frame in frames_in(output.messages))


def test_refresh_is_passed_on() -> None:
    frames = last(
        TicksStage(MARKET, "ticks:0", 1),
        frame_of(ticks(("MSFT", 1.0, 0), refresh_seconds=15.0)),
        heartbeat(TEN),
    )
    assert [frames[index].refresh_seconds for index in ("SPY", "QQQ")] == [15.0, None]


def test_restart_keeps_open_seconds_though_the_basket_changed() -> None:
    stage = TicksStage(MARKET, "ticks:0", 1)
    stage.process([frame_of(ticks(("MSFT", 400.0, 0), ("AAPL", 200.0, 0)))])
    chunks = stage.chunks()
    assert set(chunks) == {"source"}
    resumed = TicksStage(
        Market((IndexSpec("SPY", Basket("one", (Constituent("MSFT", 1.0),))),)), "ticks:0", 1
    )
    resumed.restore(chunks)
    assert seen(last(resumed, heartbeat(TEN))["SPY"].prices) == {"MSFT": 400.0}
    with pytest.raises(ValueError, match="ticks"):
        resumed.restore({"other": b""})


def test_malformed_ticks_are_dead_letters() -> None:
    output = TicksStage(MARKET, "ticks:0", 1).process([record(b'{"symbol": 5}', TEN)])
    assert [message.role for message in output.messages] == ["dead_letters"]
    assert (
        sum(
            count
            for key, count in output.counts.items()
            if key[:2] == ("dead_letter_messages", "ticks")
        )
        == 1
    )
