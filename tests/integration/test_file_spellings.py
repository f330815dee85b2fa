"""The base board in the spellings that people's files have.

Each gives the right answer through `backtest --quotes`.
"""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agents.cli.main import main
from tests.support.base_board import (
    CLOSE,
    SPOTS,
    TOLERANCE,
    VOLS,
    WEIGHTS,
    basket_file,
    columns,
    columns_of,
    csv_text,
    mapped,
    right_answer,
)
from tests.support.hostile_texts import judge_screen
from tests.support.option_chains import Chain

MEASURES = ("index_vol", "basket_vol", "implied_correlation", "coverage")
EPOCH = date(1970, 1, 1)


def us(text: str) -> str:
    """An ISO date as Americans write it."""
    return date.fromisoformat(text).strftime("%m/%d/%Y")


def text_file(name: str, text: str | bytes) -> Callable[[Path], Path]:
    """A file to be written."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def parquet_file(name: str, table: Any) -> Callable[[Path], Path]:
    """A Parquet file to be written."""

    def write(folder: Path) -> Path:
        pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), folder / name)
        return folder / name

    return write


def csv_of(separator: str = ",", /, **other: Any) -> Callable[[Path], Path]:
    """A CSV file to be written."""
    return text_file("board.csv", csv_text(columns(**other), separator))


def capitals(separator: str = ",") -> Callable[[Path], Path]:
    """Headers in capitals and with blanks."""
    table = {f" {name.upper()} ": column for name, column in columns().items()}
    return text_file("board.csv", csv_text(table, separator))


def prices(spell: Callable[[float], str]) -> dict[str, Any]:
    """The columns of numbers in another spelling."""
    return {name: mapped(name, spell) for name in ("strike", "bid", "ask")}


def yyyymmdd(text: str) -> int:
    """An ISO date as a number."""
    return int(text.replace("-", ""))


def days_of(text: str) -> int:
    """Days since 1970-01-01 of an ISO date."""
    return (date.fromisoformat(text) - EPOCH).days


def spelled(**names: str) -> list[str]:
    """The underlyings, some of them as somebody writes them."""
    return mapped("underlying", lambda name: names.get(name.replace(".", "_"), name))


def class_of(name: str, root: str) -> list[str]:
    """Option classes: that of one name, and nothing for the others."""
    return mapped("underlying", lambda one: root if one == name else "")


ISO_CLOSE = datetime.fromtimestamp(CLOSE / 1e9, UTC)
READ: dict[str, Callable[[Path], Path]] = {
    "parquet": parquet_file("board.parquet", columns()),
    "suffix in capitals": parquet_file("board.PARQUET", columns()),
    "short suffix": parquet_file("board.pq", columns()),
    "no suffix": parquet_file("board", columns()),
    "csv": csv_of(),
    "packed": text_file("board.csv.gz", gzip.compress(csv_text(columns()).encode())),
    "semicolons": csv_of(";"),
    "tabs": csv_of("\t"),
    "semicolons and decimal commas": csv_of(
        ";", **prices(lambda value: str(value).replace(".", ","))
    ),
    "byte-order mark": text_file("board.csv", b"\xef\xbb\xbf" + csv_text(columns()).encode()),
    "headers in capitals with blanks": capitals(),
    "carriage returns": text_file("board.csv", csv_text(columns()).replace("\n", "\r\n")),
    "us dates": csv_of(session=mapped("session", us), expiration=mapped("expiration", us)),
    "dollars": csv_of(**prices(lambda value: f"${value}")),
    "words for rights": csv_of(cp=mapped("cp", {"C": "call", "P": "Put"}.get)),
    "blanks around values": csv_of(
        cp=mapped("cp", lambda cp: f" {cp} "),
        underlying=mapped("underlying", lambda name: f" {name}"),
    ),
    "share class without a mark": csv_of(underlying=spelled(BRK_B="BRKB")),
    "share class with a blank": csv_of(underlying=spelled(BRK_B="BRK B")),
    "share class with a hyphen": csv_of(underlying=spelled(BRK_B="BRK-B")),
    "share class with a slash": parquet_file(
        "board.parquet", columns(underlying=spelled(BRK_B="BRK/B"))
    ),
    "an option class of its own beside the name": csv_of(root=class_of("BRK.B", "BRKB")),
    "an option class of another name": csv_of(root=class_of("SPY", "SPYW")),
    "index mark": csv_of(underlying=spelled(SPY="^SPY")),
    "another index mark": csv_of(underlying=spelled(SPY="$SPY.X")),
    "a third index mark": csv_of(underlying=spelled(SPY="I:SPY")),
    "a fourth index mark": csv_of(underlying=spelled(SPY="_SPY")),
    "lower case": csv_of(underlying=mapped("underlying", str.lower)),
    "yyyymmdd numbers in parquet": parquet_file(
        "board.parquet",
        pa.table(columns()).set_column(
            2, "expiration", pa.array(mapped("expiration", yyyymmdd), pa.int32())
        ),
    ),
    "yyyymmdd numbers in csv": csv_of(expiration=mapped("expiration", yyyymmdd)),
    "dates with a midnight": csv_of(expiration=mapped("expiration", lambda day: f"{day} 00:00:00")),
    "date32": parquet_file(
        "board.parquet",
        pa.table(columns()).set_column(
            2, "expiration", pa.array(mapped("expiration", days_of), pa.int32()).cast(pa.date32())
        ),
    ),
    "times with an offset": csv_of(
        session=None, ts=[ISO_CLOSE.astimezone().isoformat()] * len(columns()["bid"])
    ),
    "times in seconds": csv_of(
        session=None, ts_event=[f"{CLOSE / 1e9:.6f}"] * len(columns()["bid"])
    ),
    "times in nanoseconds": csv_of(session=None, ts_event=[CLOSE] * len(columns()["bid"])),
}


def backtest(
    path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, readings, and what was said."""
    options = ("--index", "SPY", "--basket", str(basket_file(folder)), "--rate", "0", "--json")
    code = main(["backtest", "--quotes", str(path), *options])
    shown = capsys.readouterr()
    return code, [json.loads(line) for line in shown.out.splitlines()], shown.err


@pytest.mark.parametrize("spelling", READ)
def test_a_spelling_gives_the_right_answer(
    spelling: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, readings, said = backtest(READ[spelling](tmp_path), tmp_path, capsys)
    assert code == 0, said
    reading, right = readings[-1], right_answer()
    for name in ("index_vol", "basket_vol"):
        assert reading[name] == pytest.approx(getattr(right, name), rel=TOLERANCE), name
    found = reading["implied_correlation"]
    assert found == pytest.approx(right.implied_correlation, abs=TOLERANCE)
    assert reading["coverage"] == 1.0
    assert "left out" not in said


def test_a_recorder_that_fetches_name_by_name_loses_no_reading(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One name every ten seconds, all in a minute: each name is as fresh as its own round."""
    board, names = columns(session=None), sorted(SPOTS)
    first = datetime(2026, 7, 10, 14, 0, tzinfo=UTC)
    rounds = [
        {
            **board,
            "snapshot_utc": [
                first + timedelta(seconds=60 * turn + 10 * names.index(name))
                for name in board["underlying"]
            ],
        }
        for turn in range(4)
    ]
    table = {name: [one for part in rounds for one in part[name]] for name in rounds[0]}
    path = parquet_file("recorded.parquet", table)(tmp_path)
    code, readings, said = backtest(path, tmp_path, capsys)
    assert code == 0, said
    later = [one for one in readings if one["ts_event"] >= "2026-07-10T14:01:00"]
    assert len(later) >= 18
    assert {one["coverage"] for one in later} == {1.0}
    assert not [one for one in later if one["index_vol"] is None or one["basket_vol"] is None]


def without_expiry(name: str, absent: Any) -> list[Any]:
    """The expiries of the board, those of one name away."""
    table = columns()
    pairs = zip(table["underlying"], table["expiration"], strict=True)
    return [absent if one == name else expiry for one, expiry in pairs]


N = len(columns()["bid"])
MINE = columns()["underlying"].count("AAPL")
NEARLY: dict[str, tuple[Callable[[Path], Path], str]] = {
    "null dates": (
        parquet_file("b.parquet", columns(expiration=without_expiry("AAPL", None))),
        f"left out {MINE} quotes rows, expiry: AAPL: no date",
    ),
    "empty dates": (
        csv_of(expiration=without_expiry("AAPL", "")),
        f"left out {MINE} quotes rows, expiry: AAPL: no date",
    ),
    "null numbers": (
        parquet_file(
            "b.parquet",
            columns(expiration=[day and yyyymmdd(day) for day in without_expiry("AAPL", None)]),
        ),
        f"left out {MINE} quotes rows, expiry: AAPL: no date",
    ),
    "dates that are none": (
        csv_of(expiration=without_expiry("AAPL", "2026-02-30")),
        f"left out {MINE} quotes rows, expiry: AAPL: not a date: '2026-02-30'",
    ),
    "an underlying with an escape sequence": (
        parquet_file("b.parquet", columns(underlying=spelled(AAPL="\x1b[2J\x1b[31mAAPL"))),
        f"left out {MINE} quotes rows, unknown: '\\x1b[2J\\x1b[31mAAPL': not watched",
    ),
    "strikes that are none": (
        csv_of(
            strike=[
                -1.0 if one == "AAPL" else at
                for one, at in zip(columns()["underlying"], columns()["strike"], strict=True)
            ]
        ),
        f"left out {MINE} quotes rows, strike: AAPL 2026-07-31 P -1: strike -1",
    ),
    "an adjusted series in place of its underlying": (
        csv_of(underlying=spelled(BRK_B="BRKB1")),
        "unknown: 'BRKB1': an adjusted series of BRK.B, of which no value is made",
    ),
    "an adjusted series beside the name": (
        csv_of(root=class_of("BRK.B", "BRKB1")),
        "4 of 5 names valued, without a value: BRK.B",
    ),
    "an underlying that is another": (
        csv_of(underlying=spelled(AAPL="TSLA")),
        f"left out {MINE} quotes rows, unknown: 'TSLA': not watched",
    ),
}


@pytest.mark.parametrize("case", NEARLY)
def test_rows_that_are_left_out_are_told_with_an_example(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write, told = NEARLY[case]
    code, readings, said = backtest(write(tmp_path), tmp_path, capsys)
    assert code == 0, said
    assert told in said
    judge_screen(said)
    assert readings[-1]["index_vol"] == pytest.approx(right_answer().index_vol, rel=TOLERANCE)
    absent = readings[-1]["names_missing"]
    assert list(absent) == ["BRK.B" if "BRK.B" in told else "AAPL"]
    assert readings[-1]["coverage"] == 1.0 - WEIGHTS[next(iter(absent))]


def at(hour: int, day: int = 10) -> list[str]:
    """The time of every row, in New York."""
    return [f"2026-07-{day} {hour:02}:00:00"] * N


REFUSED: dict[str, tuple[Callable[[Path], Path], int, str]] = {
    "after the close": (
        csv_of(session=None, ts=at(18)),
        1,
        "SPY: Fri 2026-07-10 18:00:00 New York; the session is 09:30 to 16:15",
    ),
    "on a Saturday": (
        csv_of(session=None, ts=at(10, day=11)),
        1,
        "SPY: Sat 2026-07-11 10:00:00 New York; no session on that day",
    ),
    "dates that may be two": (
        csv_of(expiration=["07/08/2026"] * N, session=None, ts=at(10)),
        2,
        "'07/08/2026' may have the month or the day first; write yyyy-mm-dd",
    ),
    "dates in two orders": (
        csv_of(expiration=["07/17/2026", "17/07/2026"] * (N // 2)),
        2,
        "month first and the day first in one column",
    ),
    "times in milliseconds": (
        csv_of(session=None, ts_event=[CLOSE // 10**6] * N),
        2,
        "column ts_event holds no times (1783714500000 is no time in nanoseconds: milliseconds?)",
    ),
    "times in microseconds": (
        csv_of(session=None, ts_event=[CLOSE // 10**3] * N),
        2,
        "(1783714500000000 is no time in nanoseconds: microseconds?)",
    ),
    "whole seconds": (
        csv_of(session=None, ts_event=[CLOSE // 10**9] * N),
        2,
        "(1783714500 is no time in nanoseconds: seconds?)",
    ),
    "times with and without an offset": (
        csv_of(session=None, ts=["2026-07-10T10:00:00-04:00", "2026-07-10T10:00:00"] * (N // 2)),
        2,
        "some have an offset from UTC and some have none",
    ),
    "words for prices": (
        csv_of(bid=["high"] * N),
        2,
        "column bid holds no numbers (not a number: 'high')",
    ),
    "a workbook": (
        text_file("b.csv", b"PK\x03\x04" + bytes(range(256))),
        2,
        "is an Excel workbook or a zip",
    ),
    "utf-16": (
        text_file("b.csv", csv_text(columns()).encode("utf-16")),
        2,
        "is UTF-16 text; expected CSV saved as UTF-8",
    ),
    "a saved page": (text_file("b.csv", "<!DOCTYPE html><html>"), 2, "is HTML or XML"),
    "bytes": (text_file("b.csv", bytes(range(1, 256)) * 40 + b"\0"), 2, "is no text"),
    "control bytes for a header": (text_file("b.csv", b"\x1b[2J\x9b,\x07\n1,2\n"), 2, "error: "),
    "half of a Parquet file": (text_file("b.parquet", b"PAR1" + bytes(200)), 2, "cannot be read"),
    "packed under another name": (
        text_file("b.csv", gzip.compress(csv_text(columns()).encode())),
        2,
        "is packed with gzip; expected a name that ends in .gz",
    ),
    "cut while packed": (
        text_file("b.csv.gz", gzip.compress(csv_text(columns()).encode())[:200]),
        2,
        "cannot be read",
    ),
    "nothing": (text_file("b.csv", "\n\n"), 2, "is empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_one_line_says_what_to_do(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write, expected, told = REFUSED[case]
    code, readings, said = backtest(write(tmp_path), tmp_path, capsys)
    assert (code, readings) == (expected, []), said
    assert told in said
    assert said.count("error: ") == 1
    assert len(said) < 1_000
    judge_screen(said)


def test_times_on_both_sides_of_a_change_of_clocks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Offsets of winter and summer in one column are instants like any others."""
    table: dict[str, list[Any]] = {
        "ts": ["2026-03-06T10:00:00-05:00", "2026-03-09T10:00:00-04:00", "2026-03-09T14:00:01Z"],
        "symbol": ["SPY"] * 3,
        "price": [700.0, 701.0, 702.0],
    }
    path = text_file("prices.csv", csv_text(table))(tmp_path)
    assert main(["backtest", "--ticks", str(path), "--json"]) == 0
    shown = capsys.readouterr()
    times = {json.loads(line)["ts_event"] for line in shown.out.splitlines()}
    assert {"2026-03-06T15:00:00Z", "2026-03-09T14:00:00Z", "2026-03-09T14:00:01Z"} <= times


def test_settings_with_a_byte_order_mark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    basket = basket_file(tmp_path)
    basket.write_bytes(b"\xef\xbb\xbf" + basket.read_bytes())
    file = tmp_path / "my.toml"
    file.write_bytes(
        b'\xef\xbb\xbf[[market.indices]]\r\nsymbol = "SPY"\r\nbasket = "five.toml"\r\n'
    )
    assert main(["config", "check", "--config", str(file), "--changed"]) == 0
    assert "SPY: 5 names" in capsys.readouterr().out


@pytest.mark.parametrize(("am_roots", "right"), [(None, 0.2003), ([], 0.1994)])
def test_the_monthlies_of_the_nasdaq_settle_at_the_open_by_default(
    am_roots: list[str] | None,
    right: float,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A flat vol of 20.03 a month before a standard monthly; 6.5 h more to live make it 19.94."""
    if am_roots is not None:
        monkeypatch.setenv("DISPERSION_MARKET__AM_ROOTS", json.dumps(am_roots))
    monthlies = (date(2026, 8, 21), date(2026, 9, 18))
    index = Chain("NDX", monthlies, 0.2003, 23_000.0, step=46.0, morning=True)
    names = [
        Chain(name, monthlies, vol, SPOTS[name], step=SPOTS[name] / 100)
        for name, vol in VOLS.items()
    ]
    file = tmp_path / "ndx.csv"
    file.write_text(csv_text(columns_of([index, *names], date(2026, 7, 22))))
    options = ("--index", "NDX", "--basket", str(basket_file(tmp_path)), "--rate", "0", "--json")
    assert main(["backtest", "--quotes", str(file), *options]) == 0
    out = capsys.readouterr().out
    (reading,) = [
        one for line in out.splitlines() if (one := json.loads(line)).get("tenor") == "30d"
    ]
    assert reading["index_vol"] == pytest.approx(right, abs=0.0003)
