"""The base board in the layouts of others: each gives the right answer, or says what is missing."""

import gzip
import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agents.cli.main import main
from streams.decoding.osi import Contract, build
from tests.support.base_board import (
    CLOSE,
    SESSION,
    SPOTS,
    TOLERANCE,
    basket_file,
    columns,
    csv_text,
    right_answer,
)

BOARD = columns()
N = len(BOARD["bid"])
DAY = SESSION.isoformat()
Table = Mapping[str, list[Any]]
UNDEFINED = 2**63 - 1


def symbols(*, padded: bool = False) -> list[str]:
    """The OSI symbol of each row."""
    columns = (BOARD[name] for name in ("underlying", "expiration", "strike", "cp"))
    made = [
        build(Contract(name.replace(".", ""), date.fromisoformat(expiry), right == "C", strike))
        for name, expiry, strike, right in zip(*columns, strict=True)
    ]
    return made if padded else [symbol.replace(" ", "") for symbol in made]


def rows_of(table: Table, name: str) -> dict[str, list[Any]]:
    """The rows of one underlying."""
    chosen = [at for at in range(N) if BOARD["underlying"][at] == name]
    return {field: [column[at] for at in chosen] for field, column in table.items()}


def csv_file(folder: Path, table: Table, name: str = "chain.csv") -> Path:
    path = folder / name
    path.write_text(csv_text(dict(table)))
    return path


def parquet_file(folder: Path, table: Mapping[str, Any]) -> Path:
    pq.write_table(pa.table(dict(table)), folder / "chain.parquet")
    return folder / "chain.parquet"


def words(call: str, put: str) -> list[str]:
    return [call if right == "C" else put for right in BOARD["cp"]]


def us(texts: list[str]) -> list[str]:
    return [date.fromisoformat(text).strftime("%m/%d/%Y") for text in texts]


YFINANCE: Table = {
    "contractSymbol": symbols(),
    "lastTradeDate": ["2026-07-09 19:59:58+00:00"] * N,
    "strike": BOARD["strike"],
    "lastPrice": BOARD["ask"],
    "bid": BOARD["bid"],
    "ask": BOARD["ask"],
    "impliedVolatility": [0.00001] * N,
    "inTheMoney": [False] * N,
}
SCRAPED: Table = {
    "contractSymbol": symbols(),
    "lastPrice": BOARD["ask"],
    "bid": BOARD["bid"],
    "ask": BOARD["ask"],
    "strike": BOARD["strike"],
    "expiration": BOARD["expiration"],
    "option_type": words("call", "put"),
    "quote_date": ["2026-07-10 18:31:02"] * N,
    "underlying": BOARD["underlying"],
}
DATASHOP: Table = {
    "underlying_symbol": [f"^{name}" if name == "SPY" else name for name in BOARD["underlying"]],
    "quote_date": [DAY] * N,
    "root": [name.replace(".", "") for name in BOARD["underlying"]],
    "expiration": BOARD["expiration"],
    "strike": BOARD["strike"],
    "option_type": BOARD["cp"],
    "close": [0.0] * N,
    "bid_1545": [0.05] * N,
    "ask_1545": [0.1] * N,
    "bid_eod": BOARD["bid"],
    "ask_eod": BOARD["ask"],
}
AFTERNOON: Table = {
    **DATASHOP,
    "bid_1545": BOARD["bid"],
    "ask_1545": BOARD["ask"],
    "bid_eod": [0.05] * N,
    "ask_eod": [0.1] * N,
}
OPTION_METRICS: Table = {
    "secid": list(range(N)),
    "date": us([DAY] * N),
    "exdate": us(BOARD["expiration"]),
    "cp_flag": BOARD["cp"],
    "strike_price": [round(strike * 1000) for strike in BOARD["strike"]],
    "best_bid": BOARD["bid"],
    "best_offer": BOARD["ask"],
    "ticker": [name.replace(".", "") for name in BOARD["underlying"]],
}
DATABENTO: Mapping[str, Any] = {
    "ts_event": np.array([2**64 - 1] * N, np.uint64),
    "ts_recv": np.array([CLOSE] * N, np.int64),
    "raw_symbol": symbols(padded=True),
    "bid_px_00": [bid or None for bid in BOARD["bid"]],
    "ask_px_00": BOARD["ask"],
}
FIXED_POINT = {
    **DATABENTO,
    **{
        name: np.array([round(one * 1e9) if one else UNDEFINED for one in BOARD[side]], np.int64)
        for name, side in (("bid_px_00", "bid"), ("ask_px_00", "ask"))
    },
}
LIVE_SYMBOLS: dict[str, Any] = {
    "ts_event": np.array([CLOSE] * N, np.int64),
    "symbol": symbols(),
    "bid_px_00": BOARD["bid"],
    "ask_px_00": BOARD["ask"],
}
DOLTHUB: Table = {
    "date": [DAY] * N,
    "act_symbol": BOARD["underlying"],
    "expiration": BOARD["expiration"],
    "strike": BOARD["strike"],
    "call_put": words("Call", "Put"),
    "bid": BOARD["bid"],
    "ask": BOARD["ask"],
    "vol": [0.5] * N,
    "delta": [0.5] * N,
}
VENDOR: Mapping[str, Any] = {
    "timestamp": pa.array([CLOSE // 1000] * N, pa.timestamp("us", tz="UTC")),
    "symbol": BOARD["underlying"],
    "expiry": pa.array([date.fromisoformat(text) for text in BOARD["expiration"]]),
    "strike": BOARD["strike"],
    "right": words("call", "put"),
    "bid": BOARD["bid"],
    "ask": BOARD["ask"],
}
WALL = {
    **VENDOR,
    "timestamp": pa.array([CLOSE // 1000 - 4 * 3_600_000_000] * N, pa.timestamp("us")),
}

Write = Callable[[Path], list[str]]


def one(path: Path, *more: str) -> list[str]:
    return ["--quotes", str(path), *more]


def by_ticker(folder: Path) -> list[str]:
    """A file a ticker, as yfinance gives them."""
    files = [csv_file(folder, rows_of(YFINANCE, name), f"{name}.csv") for name in SPOTS]
    return ["--quotes", *map(str, files), "--map", f"quote_date:{DAY}"]


LAYOUTS: dict[str, Write] = {
    "yfinance, a file a ticker": by_ticker,
    "a scraper's chain": lambda folder: one(csv_file(folder, SCRAPED)),
    "Cboe DataShop": lambda folder: one(csv_file(folder, DATASHOP)),
    "Cboe DataShop, the afternoon": lambda folder: one(
        csv_file(folder, AFTERNOON), "--map", "bid=bid_1545", "--map", "ask=ask_1545"
    ),
    "OptionMetrics": lambda folder: one(csv_file(folder, OPTION_METRICS)),
    "Databento": lambda folder: one(parquet_file(folder, DATABENTO)),
    "Databento in fixed point": lambda folder: one(parquet_file(folder, FIXED_POINT)),
    "Databento with mapped symbols": lambda folder: one(parquet_file(folder, LIVE_SYMBOLS)),
    "DoltHub": lambda folder: one(csv_file(folder, DOLTHUB)),
    "a vendor's Parquet": lambda folder: one(parquet_file(folder, VENDOR)),
    "a vendor's Parquet in New York time": lambda folder: one(parquet_file(folder, WALL)),
    "columns of nobody": lambda folder: one(
        csv_file(
            folder,
            {
                "when": [DAY] * N,
                "name": BOARD["underlying"],
                "until": BOARD["expiration"],
                "k": [round(100 * strike, 3) for strike in BOARD["strike"]],
                "kind": BOARD["cp"],
                "b": BOARD["bid"],
                "a": BOARD["ask"],
            },
        ),
        *(
            word
            for pair in (
                "session=when",
                "underlying=name",
                "expiry=until",
                "strike=k/100",
                "right=Kind",
                "bid=b",
                "ask=a",
            )
            for word in ("--map", pair)
        ),
    ),
}


def backtest(
    arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[dict[str, Any]], str]:
    basket = ("--basket", str(basket_file(folder)), "--index", "SPY", "--rate", "0")
    code = main(["backtest", *arguments, *basket, "--json"])
    shown = capsys.readouterr()
    lines = [json.loads(line) for line in shown.out.splitlines()]
    return code, [line for line in lines if line.get("tenor") == "30d"], shown.err


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_gives_the_right_answer(
    layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, readings, said = backtest(LAYOUTS[layout](tmp_path), tmp_path, capsys)
    assert code == 0, said
    right, last = right_answer(), readings[-1]
    assert last["coverage"] == 1.0, said
    assert last["index_vol"] == pytest.approx(right.index_vol, rel=TOLERANCE)
    assert last["basket_vol"] == pytest.approx(right.basket_vol, rel=TOLERANCE)
    assert last["implied_correlation"] == pytest.approx(right.implied_correlation, rel=0.05)
    afternoon = layout.endswith("the afternoon")
    assert last["ts_event"] == ("2026-07-10T19:45:00Z" if afternoon else "2026-07-10T20:15:00Z")
    assert "left out" not in said, "every row is one of the board"


def without(table: Table, *names: str) -> Table:
    return {name: column for name, column in table.items() if name not in names}


REFUSED: dict[str, tuple[Write, tuple[str, ...]]] = {
    "yfinance without a day": (
        lambda folder: one(csv_file(folder, YFINANCE)),
        ("no column that says when: session (or quote_date", "is --map session:2026-07-10"),
    ),
    "a day that is none": (
        lambda folder: one(csv_file(folder, YFINANCE), "--map", "session:today"),
        ("the session is not a date: 'today'; expected a date such as 2026-07-10",),
    ),
    "all that is missing at once": (
        lambda folder: one(csv_file(folder, {"name": ["SPY"], "bid": [1.0], "kind": ["C"]})),
        (
            "no column underlying (or underlying_symbol",
            "no column expiration (or expiry",
            "no column strike (or strike_price",
            "no column cp (or right, option_type",
            "no column ask (or best_offer",
            "no column that says when",
            "it has name, bid, kind",
            "--map cp=COLUMN",
        ),
    ),
    "a map of a column that is not there": (
        lambda folder: one(csv_file(folder, SCRAPED), "--map", "right=kind"),
        ("no column kind; it has contractsymbol, lastprice",),
    ),
    "a map of a field that is none": (
        lambda folder: one(csv_file(folder, SCRAPED), "--map", "colour=option_type"),
        ("--map: no field 'colour'; one of",),
    ),
    "a map that is none": (
        lambda folder: one(csv_file(folder, SCRAPED), "--map", "absent.toml"),
        ("'absent.toml' is neither a map nor a file; write right=COLUMN",),
    ),
    "bid and ask of two times": (
        lambda folder: one(csv_file(folder, DATASHOP), "--map", "bid=bid_1545"),
        ("bid_1545 and ask_eod are of two times",),
    ),
    "symbols that are none": (
        lambda folder: one(csv_file(folder, {**LIVE_SYMBOLS, "symbol": ["SPY"] * N})),
        ("no column expiration", "no column strike", "no column cp"),
    ),
    "a page in place of the file": (
        lambda folder: one(write(folder / "chain.csv", b"\n  <html><body>sign in</body></html>")),
        ("is HTML or XML",),
    ),
    "half a CSV": (
        lambda folder: one(write(folder / "chain.csv", csv_text(dict(SCRAPED)).encode()[:200_030])),
        ("it ends too early or is damaged", "a whole file; fetch it again"),
    ),
    "half a gzip": (
        lambda folder: one(
            write(folder / "chain.csv.gz", gzip.compress(csv_text(dict(SCRAPED)).encode())[:-900])
        ),
        ("it ends too early or is damaged", "a whole file; fetch it again"),
    ),
    "half a Parquet": (
        lambda folder: one(
            write(folder / "half.parquet", parquet_file(folder, VENDOR).read_bytes()[:-900])
        ),
        ("it ends too early or is damaged", "a whole file; fetch it again"),
    ),
}


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("case", REFUSED)
def test_one_line_says_all_that_is_missing(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, told = REFUSED[case]
    code, readings, said = backtest(make(tmp_path), tmp_path, capsys)
    assert (code, readings) == (2, []), said
    assert [text for text in told if text not in said] == [], said
    assert said.count("error: ") == 1
    assert said.strip().count("\n") == 0, said


def checked(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[Any], str]:
    code = main(["files", "check", *arguments, "--json"])
    shown = capsys.readouterr()
    return code, [json.loads(line) for line in shown.out.splitlines()], shown.err


def test_a_check_tells_layout_rows_sessions_and_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = {**OPTION_METRICS, "exdate": ["", *OPTION_METRICS["exdate"][1:]]}
    files = [
        csv_file(tmp_path, broken, "metrics.csv"),
        parquet_file(tmp_path, DATABENTO),
        csv_file(tmp_path, {**WALL_TEXT, "timestamp": ["2026-07-10 18:30:00"] * N}, "late.csv"),
        write(tmp_path / "page.csv", b"<html>"),
    ]
    code, (metrics, databento, late, page), _ = checked([*map(str, files)], capsys)
    assert code == 2
    assert (metrics["layout"], metrics["family"]) == ("OptionMetrics", "closing chains")
    assert (metrics["rows"], metrics["refused"]) == (N - 1, {"expiry": 1})
    assert "no date" in metrics["examples"]["expiry"]
    assert (metrics["sessions"], metrics["first"], metrics["last"]) == (1, DAY, DAY)
    assert metrics["names"] == databento["names"] == sorted(SPOTS)
    assert metrics["columns"]["strike"] == "strike_price"
    assert (databento["layout"], databento["rows"]) == ("Databento consolidated quotes", N)
    assert (late["rows"], late["refused"]) == (0, {"outside_session": N})
    assert "the session is 09:30 to 16:15" in late["examples"]["outside_session"]
    assert "--map session:2026-07-10 reads it as closes" in late["notes"][0]
    assert "is HTML or XML" in page["error"]
    code, (closes,), _ = checked([str(files[2]), "--map", f"session:{DAY}"], capsys)
    assert (code, closes["rows"], closes["family"]) == (0, N, "closing chains")


WALL_TEXT: Table = {
    "timestamp": ["2026-07-10 16:15:00"] * N,
    "symbol": BOARD["underlying"],
    "expiry": BOARD["expiration"],
    "strike": BOARD["strike"],
    "right": BOARD["cp"],
    "bid": BOARD["bid"],
    "ask": BOARD["ask"],
}


def test_a_map_is_saved_and_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = {"k": [strike * 1000 for strike in BOARD["strike"]], **without(SCRAPED, "strike")}
    file, kept = csv_file(tmp_path, without(odd, "quote_date")), tmp_path / "my.toml"
    said = ("--map", "strike=k/1000", "--map", "date:2026-07-01", "--map", f"session:{DAY}")
    code, (first,), _ = checked([str(file), *said, "--save", str(kept)], capsys)
    assert (code, first["rows"], first["first"]) == (0, N, DAY), "the later word wins"
    assert kept.read_text() == (f'\n[columns]\nstrike = "k*0.001"\n\n[values]\nsession = "{DAY}"\n')
    code, (second,), _ = checked([str(file), "--map", str(kept)], capsys)
    assert (code, second) == (0, first)
    code, readings, _ = backtest(one(file, "--map", str(kept)), tmp_path, capsys)
    assert readings[-1]["coverage"] == 1.0


def test_a_check_reads_like_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = csv_file(tmp_path, SCRAPED)
    assert main(["files", "check", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        f"{file}: closing chains, layout Chain with contract symbols; pass it as --quotes"
    )
    assert lines[1] == f"  rows      {N:,} read, 0 left out"
    assert "session=quote_date" in lines[4]
