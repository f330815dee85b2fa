"""Quotes in DBN files, made by the vendor's own library."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from agents.cli.main import main
from streams.records import NS, Quotes
from streams.sources import dbn_file
from streams.sources.dbn_file import DbnFile
from streams.sources.file_report import EVERY_NAME
from streams.sources.registry import open_quotes
from streams.sources.source import SourceUniverse
from streams.sources.source_error import SourceError
from tests.support import dbn_bytes
from tests.support.feed_run import MONDAY, eastern

AT = eastern(MONDAY, 10)
KNOWN = dbn_bytes.contracts(["SPY", "BRK.B"])
SYMBOLS = dict(enumerate(KNOWN, 1001))
NUMBER = np.array(list(SYMBOLS), np.uint32)
BID, ASK = (np.array([pair[at] for pair in KNOWN.values()]) for at in (0, 1))
UNIVERSE = SourceUniverse(frozenset({"SPY", "BRK.B"}), frozenset())


def board(at: int = AT) -> bytes:
    """Every contract at a time."""
    return dbn_bytes.quotes(NUMBER, np.full(NUMBER.size, at), BID, ASK)


def written(folder: Path, *parts: bytes, name: str = "day.dbn") -> Path:
    path = folder / name
    path.write_bytes(b"".join(parts))
    return path


def batches(path: Path, universe: SourceUniverse = UNIVERSE) -> tuple[DbnFile, list[Any]]:
    source = open_quotes(path)
    assert isinstance(source, DbnFile)
    return source, list(source.batches(universe))


@pytest.mark.parametrize("codec", ["", "zstd"])
@pytest.mark.parametrize("chunk", [2**23, 1000])
def test_every_second_has_its_quotes(
    codec: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbn_file, "CHUNK_BYTES", chunk)
    data = dbn_bytes.head(SYMBOLS, MONDAY) + board() + board(AT + NS // 2) + board(AT + 3 * NS)
    if codec:
        data = pa.compress(data, codec=codec, asbytes=True)
    source, found = batches(written(tmp_path, data))
    assert [one.boundary for one in found] == [AT, AT + NS, AT + 3 * NS]
    for one in found:
        assert isinstance(one.rows, Quotes)
        assert one.rows.bid.tolist() == BID.tolist()
        assert one.rows.ask.tolist() == ASK.tolist()
    names = [one.underlying for one in found[0].rows.series]
    assert names == ["SPY", "BRK.B"]
    assert not source.refusals.counts


def test_what_is_undefined_unknown_or_not_watched(tmp_path: Path) -> None:
    others = {1: "NOT A SYMBOL", 2: "SPY1  260717C00620000", 3: "AAPL  260717C00200000"}
    number = np.array([1, 2, 3, 4, 1001, 1002, 1003, 1004], np.uint32)
    ts = np.array([AT] * 6 + [-1, AT])
    bid = np.array([1.0] * 4 + [np.nan, 1.0, 1.0, -1.0])
    ask = np.array([2.0] * 5 + [np.nan, 2.0, 2.0])
    data = dbn_bytes.quotes(number, ts, bid, ask)
    head = dbn_bytes.head(SYMBOLS | others, MONDAY)
    source, found = batches(written(tmp_path, head, data))
    assert [one.rows.bid.tolist() for one in found] == [[0.0, 1.0]]
    assert [one.rows.ask.tolist() for one in found] == [[2.0, 0.0]]
    assert source.refusals.counts == {
        "instrument": 1,
        "symbol": 1,
        "unknown": 1,
        "adjusted": 1,
        "price": 1,
        "time": 1,
    }
    assert "AAPL" in source.refusals.examples["unknown"].text
    assert next(iter(source.batches(UNIVERSE))).boundary == AT
    assert sum(source.refusals.counts.values()) == 6


def test_numbers_mean_what_they_mean_that_day(tmp_path: Path) -> None:
    spans = [
        (symbol, MONDAY + timedelta(day), str(1001 + (at + day) % 2))
        for at, symbol in enumerate(list(KNOWN)[:2])
        for day in (0, 1)
    ]
    head = dbn_bytes.head_of_spans(spans)
    data = b"".join(
        dbn_bytes.quotes(NUMBER[:2], np.full(2, at), BID[:2], ASK[:2])
        for at in (AT, AT + 86_400 * NS)
    )
    _, found = batches(written(tmp_path, head, data))
    first, second = (one.rows.strike.tolist() for one in found)
    assert first == second[::-1]
    assert first != second


def test_what_a_live_session_wrote(tmp_path: Path) -> None:
    """No schema, symbols and messages among the quotes, another number of a day for a contract."""
    records = [dbn_bytes.mapping(number, symbol, AT) for number, symbol in SYMBOLS.items()]
    beat = dbn_bytes.message(AT, "Heartbeat", 0)
    head = dbn_bytes.head({}, MONDAY, None)
    late = board(AT - NS)
    path = written(tmp_path, head, *records, board(), beat, board(AT + 2 * NS), beat, late)
    source, found = batches(path)
    assert [one.boundary for one in found] == [AT - NS, AT, AT + 2 * NS]
    assert all(one.rows.bid.tolist() == BID.tolist() for one in found)
    assert not source.refusals.counts


def test_what_is_behind_a_second_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbn_file, "CHUNK_BYTES", len(board()))
    head = dbn_bytes.head(SYMBOLS, MONDAY)
    path = written(tmp_path, head, board(), board(AT + NS), board(AT + 2 * NS), board(AT))
    source, found = batches(path)
    assert [one.boundary for one in found] == [AT, AT + NS, AT + 2 * NS]
    assert source.refusals.counts == {"late": NUMBER.size}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (dbn_bytes.head(SYMBOLS, MONDAY) + board()[:-3], "ends within a record"),
        (dbn_bytes.head(SYMBOLS, MONDAY) + board() + bytes(40), "a record has no length"),
        (dbn_bytes.head(SYMBOLS, MONDAY)[:200], "ends within its head"),
        (b"DBN\x03\x05\0\0\0hello", "has a head that cannot be read"),
        (dbn_bytes.head(SYMBOLS, MONDAY, "trades"), "is of the schema trades"),
        (dbn_bytes.head(SYMBOLS, MONDAY, "definition"), "is of the schema definition"),
        (
            pa.compress(dbn_bytes.head(SYMBOLS, MONDAY) + board(), "zstd", asbytes=True)[:-50],
            "cannot be unpacked|ends within|cut off",
        ),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(data: bytes, words: str, tmp_path: Path) -> None:
    path = written(tmp_path, data)
    with pytest.raises(SourceError, match=words):
        batches(path)


def test_without_the_extra_it_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, dbn_bytes.head(SYMBOLS, MONDAY), board())
    monkeypatch.setitem(sys.modules, "databento_dbn", None)
    with pytest.raises(SourceError, match=r"dispersion-monitor\[databento\]"):
        open_quotes(path)


def test_files_check_tells_what_it_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, dbn_bytes.head(SYMBOLS, MONDAY), board(), name="day.dbn.zst")
    assert main(["files", "check", str(path)]) == 0
    told = capsys.readouterr().out
    assert "DBN cbbo-1s" in told
    assert f"{NUMBER.size:,}" in told
    assert next(iter(open_quotes(path).batches(EVERY_NAME))).rows.ts_event.size == NUMBER.size
