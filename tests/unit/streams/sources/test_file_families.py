"""Families of files beyond closes with bid and ask: vols, snapshots, intervals, bars and mids."""

from datetime import date, time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from streams.calendar.sessions import close_ns, wall_ns
from streams.records import NS, Quotes, Series, Ticks, Vols
from streams.sources.feed import FileFeed, Routing
from streams.sources.intervals import known_at
from streams.sources.registry import open_quotes, open_ticks
from streams.sources.source import SourceUniverse
from streams.sources.source_error import SourceError
from streams.topics import Topics

DAY = date(2026, 7, 10)
WANTED = SourceUniverse(frozenset({"SPY", "BRK.B"}), frozenset({"SPY", "VIX"}))
CONTRACT = {
    "underlying": ["SPY"] * 3,
    "expiration": ["2026-08-21"] * 3,
    "strike": [600.0, 600.0, 605.0],
    "cp": ["C", "C", "P"],
}
CLOSES = {
    "quote_date": ["2026-07-10", "2026-07-09", "2026-07-10"],
    "underlying": ["SPY", "SPY", "BRK-B"],
    "spot": [755.0] * 3,
    "expiration": ["2026-08-21"] * 3,
    "strike": np.array([600.0, 600.0, 500.35], np.float32),
    "cp": ["C", "C", "P"],
    "last": [1.0] * 3,
    "iv_pct": np.array([12.35, 0.0, 18.2], np.float32),
    "delta": np.array([0.51, 0.0, -0.49], np.float32),
    "volume": [1] * 3,
    "open_interest": [1] * 3,
}


def at(hour: int, minute: int = 0) -> int:
    return wall_ns(DAY, time(hour, minute))


def parquet(folder: Path, columns: dict[str, Any]) -> Path:
    pd.DataFrame(columns).to_parquet(folder / "file.parquet")
    return folder / "file.parquet"


def rows_of(path: Path, *, ticks: bool = False) -> list[tuple[int, Any]]:
    source = open_ticks(path) if ticks else open_quotes(path)
    return [(batch.boundary, batch.rows) for batch in source.batches(WANTED)]


@pytest.mark.parametrize("suffix", ["parquet", "csv.gz"])
def test_closes_with_vols_alone(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"closes.{suffix}"
    frame = pd.DataFrame(CLOSES)
    frame.to_parquet(path) if suffix == "parquet" else frame.to_csv(path, index=False)
    (first, before), (second, last) = rows_of(path)
    assert (first, second) == (close_ns(date(2026, 7, 9)), close_ns(DAY))
    assert isinstance(last, Vols)
    assert [last.series[code] for code in last.series_code] == [
        Series("SPY", "SPY", in_vols=True),
        Series("BRK.B", "BRK.B", in_vols=True),
    ]
    assert last.vol == pytest.approx([0.1235, 0.182], abs=1e-12)
    assert last.delta.tolist() == [0.51, -0.49]
    assert last.strike.tolist() == [600.0, 500.35]
    assert (before.vol.tolist(), before.refresh_seconds) == ([0.0], 86_400.0), (
        "what cannot be is for the screen to refuse"
    )


def test_vols_may_be_decimals_and_bid_and_ask_count_before_them(tmp_path: Path) -> None:
    decimals = {
        **{name: CLOSES[name] for name in CLOSES if name != "iv_pct"},
        "iv": [0.1235, 0.1, 0.182],
    }
    assert rows_of(parquet(tmp_path, decimals))[1][1].vol.tolist() == [0.1235, 0.182]
    assert isinstance(
        rows_of(parquet(tmp_path, {**CLOSES, "bid": [1.0] * 3, "ask": [1.1] * 3}))[0][1], Quotes
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({name: CLOSES[name] for name in CLOSES if name != "delta"}, "no column delta"),
        ({name: CLOSES[name] for name in CLOSES if name != "iv_pct"}, "no column bid"),
        ({**CLOSES, "bid": [1.0] * 3}, "no column ask"),
        ({**CLOSES, "iv_pct": ["high"] * 3}, "column iv_pct holds no numbers"),
        (
            {**CONTRACT, "bid": [1.0] * 3, "ask": [1.0] * 3, "snapshot_utc": ["noon"] * 3},
            "column snapshot_utc holds no times",
        ),
    ],
)
def test_error_names_file_column_and_expectation(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    path = parquet(tmp_path, columns)
    with pytest.raises(SourceError) as caught:
        rows_of(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "; expected " in str(caught.value)


def test_the_feed_publishes_vols_as_frames_of_the_quotes_topic(tmp_path: Path) -> None:
    topics = Topics("")
    source = open_quotes(parquet(tmp_path, CLOSES))
    records = list(
        FileFeed(
            [source], WANTED, Routing(2, 1, lambda name, partitions: len(name) % partitions, topics)
        ).records()
    )
    frames = [record for record in records if record.value and not record.value.startswith(b"{")]
    assert [(record.topic, record.partition) for record in frames] == [
        (topics.name("quotes"), 1)
    ] * 2
    assert all(b"iv" in (record.value or b"") for record in frames)


def test_snapshots_are_of_utc_and_repeat_after_the_longest_gap_of_a_session(tmp_path: Path) -> None:
    stamps = ["2026-07-10 14:00:00", "2026-07-10 14:30:00", "2026-07-10 15:40:00"]
    columns = {
        **CONTRACT,
        "bid": [1.0] * 3,
        "ask": [1.1] * 3,
        "snapshot_utc": pd.to_datetime(stamps),
    }
    found = rows_of(parquet(tmp_path, columns))
    assert [boundary for boundary, _ in found] == [at(10), at(10, 30), at(11, 40)]
    assert {rows.refresh_seconds for _, rows in found} == {4200.0}
    lone = {
        **columns,
        "snapshot_utc": pd.to_datetime(
            ["2026-07-08 15:00", "2026-07-09 15:00", "2026-07-10 15:00"]
        ),
    }
    assert {rows.refresh_seconds for _, rows in rows_of(parquet(tmp_path, lone))} == {86_400.0}


def test_quotes_of_minutes_count_at_their_end(tmp_path: Path) -> None:
    stamps = pd.to_datetime(["2026-07-10 09:30", "2026-07-10 09:31", "2026-07-10 09:33"])
    found = rows_of(
        parquet(tmp_path, {**CONTRACT, "bid": [1.0] * 3, "ask": [1.1] * 3, "ts": stamps})
    )
    assert [boundary for boundary, _ in found] == [at(9, 31), at(9, 32), at(9, 34)]
    assert {rows.refresh_seconds for _, rows in found} == {None}, (
        "a minute without change has no row: a feed of changes"
    )


def test_an_empty_side_has_not_changed(tmp_path: Path) -> None:
    hole = np.nan
    columns = {
        "underlying": ["SPY"] * 6,
        "expiration": ["2026-08-21"] * 6,
        "strike": [600.0, 605.0, 600.0, 600.0, 605.0, 600.0],
        "cp": ["C"] * 6,
        "bid": [1.0, hole, hole, 1.2, 0.9, hole],
        "ask": [1.1, 1.0, 1.3, hole, hole, 2.0],
        "ts": pd.to_datetime(
            [
                f"2026-07-{day} 10:00:0{second}.5"
                for day, second in ((9, 1), (9, 1), (9, 2), (9, 3), (9, 3), (10, 1))
            ]
        ),
    }
    found = [rows for _, rows in rows_of(parquet(tmp_path, columns))]
    assert [(rows.bid.tolist(), rows.ask.tolist()) for rows in found] == [
        ([1.0, 0.0], [1.1, 1.0]),  # nobody has bid for 605 yet
        ([1.0], [1.3]),
        ([1.2, 0.9], [1.3, 1.0]),
        ([0.0], [2.0]),  # another session
    ]


@pytest.mark.parametrize(
    ("first", "step", "expected"),
    [
        ((9, 30), 300, 300),  # 5-minute bars by their beginning
        ((9, 0), 3600, 3600),  # hours
        ((4, 0), 1, 1),  # seconds, pre-market included
        ((9, 31), 60, 0),  # by their end
        ((9, 30), 7200, 0),  # further apart than bars
    ],
)
def test_which_times_are_beginnings(first: tuple[int, int], step: int, expected: int) -> None:
    stamps = at(*first) + np.array([0, 2, 1, 5]) * step * NS
    assert ((known_at(stamps) - stamps) // NS).tolist() == [expected] * 4


def test_exact_and_lone_times_are_taken_as_they_are() -> None:
    opened = at(9, 30)
    for stamps in (
        np.array([opened]),
        np.array([opened, opened + 60 * NS + 1]),
        np.empty(0, np.int64),
    ):
        assert known_at(stamps).tolist() == stamps.tolist()
    sunday = wall_ns(date(2026, 7, 12), time(8))
    assert (
        known_at(sunday + np.arange(3) * 60 * NS).tolist()
        == (sunday + np.arange(3) * 60 * NS).tolist()
    )


def test_bars_are_ticks_of_their_close_at_their_end(tmp_path: Path) -> None:
    stamps = pd.to_datetime(["2026-07-10 09:30", "2026-07-10 09:35", "2026-07-10 09:35"])
    bars = {
        "ts": stamps,
        "symbol": ["SPY", "SPY", "AAPL"],
        "open": [1.0] * 3,
        "close": np.array([755.1, 755.2, 200.0], np.float32),
    }
    found = rows_of(parquet(tmp_path, {**bars, "volume": [5] * 3}), ticks=True)
    assert [(boundary, rows.price.tolist(), rows.size.tolist()) for boundary, rows in found] == [
        (at(9, 35), [755.1], [0.0]),
        (at(9, 40), [755.2], [0.0]),
    ]


def test_bars_stamped_at_their_end_stay_there(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(
        "ts,symbol,open,high,low,close,volume\n"
        "2026-07-10 09:31,VIX,15,16,14,15.5,0\n"
        "2026-07-10 09:32,VIX,15,16,14,15.6,0\n"
    )
    assert [(boundary, rows.price.tolist()) for boundary, rows in rows_of(path, ticks=True)] == [
        (at(9, 31), [15.5]),
        (at(9, 32), [15.6]),
    ]


def test_quotes_of_a_stock_are_ticks_of_their_mid(tmp_path: Path) -> None:
    path = tmp_path / "nbbo.csv"
    path.write_text(
        "ts,symbol,bid,bid_size,ask,ask_size\n"
        "2026-07-10 09:29:59.5,SPY,755,1,755.5,1\n"
        "2026-07-10 10:00:00.25,SPY,,0,756,1\n"
    )
    (_, one), (_, two) = rows_of(path, ticks=True)
    assert isinstance(one, Ticks)
    assert one.price.tolist() == [755.25]
    assert np.isnan(two.price[0]), "half a quote has no mid"


def test_a_table_of_stocks_without_a_price_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nothing.csv"
    path.write_text("ts,symbol,bid\n")
    with pytest.raises(
        SourceError,
        match=r"no column price \(or close, last_price\); it has ts, symbol, bid; "
        r"expected ts .*bid and ask, whose mid",
    ):
        open_ticks(path)


def fetched(names: int, round_seconds: float, rounds: int, apart: float) -> dict[str, Any]:
    """Chains fetched name after name, each again in the next round."""
    first = np.datetime64("2026-07-10T14:00:00", "ns").astype(np.int64)
    places = [(name, turn) for turn in range(rounds) for name in range(names)]
    stamps = [first + int((turn * round_seconds + name * apart) * NS) for name, turn in places]
    return {
        "snapshot_utc": np.array(stamps).astype("datetime64[ns]").tolist(),
        "underlying": [("SPY", "AAPL", "MSFT")[name] for name, _ in places],
        "expiration": ["2026-08-21"] * len(places),
        "strike": [600.0] * len(places),
        "cp": ["C"] * len(places),
        "bid": [1.0] * len(places),
        "ask": [1.1] * len(places),
    }


def refresh_of(path: Path) -> set[float | None]:
    """What the source declares."""
    return {rows.refresh_seconds for _, rows in rows_of(path)}


@pytest.mark.parametrize(("names", "apart"), [(3, 1.9), (3, 0.0), (1, 0.0), (3, 19.0)])
def test_the_refresh_is_judged_by_name(names: int, apart: float, tmp_path: Path) -> None:
    """Name by name with a second or two between, all at once, one alone.

    Each name comes again after a minute.
    """
    path = parquet(tmp_path, fetched(names, 60.0, 5, apart))
    assert refresh_of(path) == {60.0}


def test_one_name_that_was_away_declares_nothing_for_the_others(tmp_path: Path) -> None:
    table = fetched(3, 60.0, 60, 1.9)
    away = [at for at in range(180) if at % 3 == 2 and 3 < at < 170]
    kept = {
        name: [one for at, one in enumerate(column) if at not in away]
        for name, column in table.items()
    }
    assert refresh_of(parquet(tmp_path, kept)) == {60.0}
