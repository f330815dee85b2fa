"""Adapters: what a file says, when it was said, and what is wrong with it."""

from datetime import date, time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from streams.calendar.sessions import close_ns, equity_close_ns, wall_ns
from streams.records import NS, Quotes, Series, Ticks
from streams.sources.registry import open_quotes, open_ticks
from streams.sources.source import SourceUniverse
from streams.sources.source_error import SourceError

WANTED = SourceUniverse(
    frozenset({"SPY", "SPX", "BRK.B"}), frozenset({"SPY", "BRK.B", "VIX", "DSPX"})
)
CHAIN = {
    "session": ["2026-07-10 close", "2026-07-10 close", "2026-07-09 close", "2026-07-10 close"],
    "fetched_utc": ["2026-07-11 01:00:00"] * 4,
    "underlying": ["SPY", "BRK-B", "SPY", "AAPL"],
    "expiration": ["2026-08-21"] * 4,
    "strike": np.array([600.0, 500.35, 601.0, 200.0], dtype=np.float32),
    "cp": ["C", "P", "P", "C"],
    "bid": np.array([1.05, 2.0, np.nan, 1.0], dtype=np.float32),
    "ask": np.array([1.15, 2.1, 0.05, 1.0], dtype=np.float32),
}


def parquet(folder: Path, columns: dict[str, object], name: str = "file.parquet") -> Path:
    pd.DataFrame(columns).to_parquet(folder / name)
    return folder / name


def quotes_of(path: Path) -> list[tuple[int, Quotes]]:
    found = []
    for batch in open_quotes(path).batches(WANTED):
        assert isinstance(batch.rows, Quotes)
        found.append((batch.boundary, batch.rows))
    return found


def ticks_of(path: Path) -> list[tuple[int, Ticks]]:
    found = []
    for batch in open_ticks(path).batches(WANTED):
        assert isinstance(batch.rows, Ticks)
        found.append((batch.boundary, batch.rows))
    return found


@pytest.mark.parametrize("suffix", ["parquet", "csv", "csv.gz"])
def test_closing_chains_are_stamped_at_the_close_of_their_session(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"chains.{suffix}"
    if suffix == "parquet":
        pd.DataFrame(CHAIN).to_parquet(path)
    else:
        pd.DataFrame(CHAIN).to_csv(path, index=False)
    (first, before), (second, last) = quotes_of(path)
    assert (first, second) == (close_ns(date(2026, 7, 9)), close_ns(date(2026, 7, 10)))
    assert set(last.ts_event.tolist()) == {second}
    assert last.refresh_seconds == 86_400.0
    rows = [
        (last.series[code], strike, call)
        for code, strike, call in zip(last.series_code, last.strike, last.call, strict=True)
    ]
    assert rows == [(Series("SPY", "SPY"), 600.0, True), (Series("BRK.B", "BRK.B"), 500.35, False)]
    assert last.bid.tolist() == [1.05, 2.0]
    assert np.isnan(before.bid[0])
    assert before.ask[0] == 0.05


def test_half_day_closes_early(tmp_path: Path) -> None:
    [(boundary, _)] = quotes_of(parquet(tmp_path, {**CHAIN, "session": ["2025-11-28"] * 4}))
    assert boundary == wall_ns(date(2025, 11, 28), time(13, 15))


def test_roots_and_a_time_of_the_quotes(tmp_path: Path) -> None:
    columns = {
        name: values
        for name, values in CHAIN.items()
        if name not in {"session", "fetched_utc", "underlying"}
    }
    path = parquet(
        tmp_path,
        {
            **columns,
            "quote_date": [date(2022, 3, 23)] * 4,
            "quote_time_et": ["10:11", "10:11", "16:15", "16:15"],
            "underlying": ["SPX"] * 4,
            "root": ["SPX", "SPXW", "SPXPM", "SPX"],
        },
    )
    (first, morning), (second, close) = quotes_of(path)
    assert (first, second) == (
        wall_ns(date(2022, 3, 23), time(10, 11)),
        wall_ns(date(2022, 3, 23), time(16, 15)),
    )
    assert [morning.series[code] for code in morning.series_code] == [
        Series("SPX", "SPX"),
        Series("SPX", "SPXW"),
    ]
    assert [close.series[code] for code in close.series_code] == [
        Series("SPX", "SPXPM"),
        Series("SPX", "SPX"),
    ]


def test_timed_quotes_come_in_order_of_time(tmp_path: Path) -> None:
    columns = {
        name: values for name, values in CHAIN.items() if name not in {"session", "fetched_utc"}
    }
    stamps = pd.to_datetime(
        ["2026-07-10 10:00:02.5", "2026-07-10 10:00:01", "2026-07-09 12:00", "2026-07-10 10:00:00"],
        format="ISO8601",
    )
    (first, _), (second, one), (third, two) = quotes_of(
        parquet(tmp_path, {**columns, "ts": stamps})
    )
    noon, ten = wall_ns(date(2026, 7, 9), time(12)), wall_ns(date(2026, 7, 10), time(10))
    assert (first, second, third) == (noon, ten + NS, ten + 3 * NS)
    assert one.ts_event.tolist() == [ten + NS]
    assert two.ts_event.tolist() == [ten + 5 * NS // 2]
    assert two.refresh_seconds is None


def test_daily_levels_are_one_tick_at_the_option_close(tmp_path: Path) -> None:
    vix = tmp_path / "vix_daily.csv"
    vix.write_text(
        "date,open,high,low,close\n2026-07-10,16,16.2,15,15.03\n2026-07-09,1,2,3,15.84\n"
    )
    (first, before), (second, last) = ticks_of(vix)
    assert (first, second) == (close_ns(date(2026, 7, 9)), close_ns(date(2026, 7, 10)))
    assert (before.symbols, before.price.tolist(), last.price.tolist()) == (
        ("VIX",),
        [15.84],
        [15.03],
    )
    dspx = tmp_path / "anything.csv"
    dspx.write_text("date,dspx\n2026-07-10,24.5\n")
    [(_, ticks)] = ticks_of(dspx)
    assert (ticks.symbols, ticks.price.tolist()) == (("DSPX",), [24.5])
    move = tmp_path / "move.csv"
    move.write_text("date,move\n2026-07-10,90\n")
    assert ticks_of(move) == []


def test_daily_stock_closes_are_ticks_at_the_equity_close(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        {
            "date": ["2024-07-03", "2024-07-03"],
            "symbol": ["BRK-B", "AAPL"],
            "close": [400.0, 200.0],
        },
    )
    [(boundary, ticks)] = ticks_of(path)
    assert boundary == equity_close_ns(date(2024, 7, 3)) == wall_ns(date(2024, 7, 3), time(13))
    assert [ticks.symbols[code] for code in ticks.symbol_code] == ["BRK.B"]


def test_timed_ticks(tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text(
        "ts_event,symbol,price,size\n1783692000000000001,SPY,500.5,10\n"
        "1783692000000000000,SPY,500,5\n"
    )
    (first, one), (second, two) = ticks_of(path)
    assert (first, second) == (1_783_692_000 * NS, 1_783_692_001 * NS)
    assert (one.price.tolist(), one.size.tolist(), two.price.tolist()) == ([500.0], [5.0], [500.5])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"session": ["2026-07-10"]},
            (
                "no column underlying (or underlying_symbol, act_symbol, ticker, symbol, "
                "root_symbol), no column expiration (or expiry"
            ),
        ),
        (
            {**{name: CHAIN[name] for name in CHAIN if name != "session"}},
            "no column that says when",
        ),
        ({**CHAIN, "session": ["July"] * 4}, "column session holds no dates"),
        ({**CHAIN, "expiration": ["soon"] * 4}, "column expiration holds no dates"),
        ({**CHAIN, "cp": ["C", "P", "X", "C"]}, "column cp holds 'X'; expected C or P"),
        ({**CHAIN, "bid": ["a", "b", "c", "d"]}, "column bid holds no numbers"),
        ({**CHAIN, "quote_time_et": ["noon"] * 4}, "column quote_time_et holds no times"),
        (
            {**{name: CHAIN[name] for name in CHAIN if name != "session"}, "ts": ["x"] * 4},
            "column ts holds no times",
        ),
    ],
)
def test_error_names_file_column_and_expectation(
    tmp_path: Path, columns: dict[str, object], message: str
) -> None:
    path = parquet(tmp_path, columns)
    with pytest.raises(SourceError) as caught:
        list(open_quotes(path).batches(WANTED))
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "; expected " in str(caught.value)


def test_tick_files_that_cannot_be_read(tmp_path: Path) -> None:
    for text, message in (
        ("symbol,price\n", "no column says when"),
        ("ts,price\n", "no column symbol"),
        ("date,a,b\n", "no column of closes"),
    ):
        path = tmp_path / "ticks.csv"
        path.write_text(text)
        with pytest.raises(SourceError, match=message):
            open_ticks(path)
    with pytest.raises(SourceError, match="no such file"):
        open_quotes(tmp_path / "absent.parquet")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1")
    with pytest.raises(SourceError, match="cannot be read"):
        open_quotes(broken)
