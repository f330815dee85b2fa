"""DBN to columns: nothing raises, and what is read is what the vendor's own library reads."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import databento
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.feeds.dbn_quotes import instruments, watched_quotes
from streams.feeds.dbn_records import (
    QUOTE_SCHEMAS,
    mapped_symbols,
    record_runs,
    recorded_quotes,
    said,
)
from streams.feeds.refused import ROW_REASONS, LeftOutRows
from streams.sources.dbn_file import DbnFile
from streams.sources.file_report import EVERY_NAME
from streams.sources.source_error import SourceError
from tests.support import dbn_bytes
from tests.support.feed_run import MONDAY, eastern

AT = eastern(MONDAY, 10)
SPY = dict(enumerate(dbn_bytes.contracts(["SPY"]), 1001))
NUMBERS = st.integers(0, 2**32 - 1) | st.sampled_from(list(SPY))
SIDES = st.none() | st.integers(-(2**63), 2**63 - 2)
TIMES = st.integers(-(2**63), 2**63 - 1) | st.integers(AT, AT + 10**10)
ROWS = st.lists(st.tuples(NUMBERS, TIMES, SIDES, SIDES), max_size=30)
SYMBOLS = st.dictionaries(NUMBERS, st.text(max_size=25), max_size=5).map(lambda one: SPY | one)
RECORD = st.tuples(st.integers(0, 130), st.sampled_from([*QUOTE_SCHEMAS, 0x15, 0x16, 0x17, 7]))
BLOCKS = st.lists(st.tuples(RECORD, st.binary(max_size=520)), max_size=6).map(
    lambda found: b"".join(bytes(first) + more for first, more in found)
)


def read(data: bytes, symbols: dict[int, str]) -> int:
    """Rows of what some bytes hold."""
    found = record_runs(data)
    assert 0 <= found.taken <= len(data)
    rows = 0
    for run in found.runs:
        mapped_symbols(run)
        said(run)
        quotes = recorded_quotes(run)
        if quotes is None:
            continue
        left_out = LeftOutRows()
        made = watched_quotes(quotes, instruments(symbols), {"SPY"}, left_out)
        assert set(left_out.counts) <= set(ROW_REASONS)
        assert made.strike.size + sum(left_out.counts.values()) == quotes.bid.size
        assert ((made.bid >= 0) & (made.ask >= 0) & (made.ts_event > 0)).all()
        rows += quotes.bid.size
    return rows


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=600) | BLOCKS, SYMBOLS)
def test_no_bytes_raise(data: bytes, symbols: dict[int, str]) -> None:
    read(data, symbols)


@settings(deadline=None, max_examples=60)
@given(ROWS, SYMBOLS)
def test_no_fields_raise_and_every_row_is_read_or_counted(
    rows: list[tuple[int, int, int | None, int | None]], symbols: dict[int, str]
) -> None:
    assert read(dbn_bytes.fixed_quotes(rows), symbols) == len(rows)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_file_raises_anything_but_a_source_error(noise: bytes, cut: int) -> None:
    whole = dbn_bytes.head(dict(list(SPY.items())[:2]), MONDAY)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "some.dbn"
        for data in (b"DBN" + noise, whole[:cut] + noise, whole + noise):
            path.write_bytes(data)
            with suppress(SourceError):
                for batch in DbnFile(path).batches(EVERY_NAME):
                    assert batch.rows.ts_event.size


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(list(SPY)[:50]), SIDES, SIDES), min_size=1, max_size=40))
def test_columns_are_those_of_the_client(rows: list[tuple[int, int | None, int | None]]) -> None:
    data = dbn_bytes.fixed_quotes([(number, AT, bid, ask) for number, bid, ask in rows])
    ours = recorded_quotes(record_runs(data).runs[0])
    store = databento.DBNStore.from_bytes(dbn_bytes.head(SPY, MONDAY) + data)
    theirs = store.to_ndarray()
    assert ours is not None
    assert (ours.instrument == theirs["instrument_id"]).all()
    assert (ours.known_at == theirs["ts_recv"].astype(np.int64)).all()
    for column, side in (("bid_px_00", ours.bid), ("ask_px_00", ours.ask)):
        fixed = theirs[column]
        undefined = fixed == 2**63 - 1
        assert (side[undefined] == 0).all()
        assert (side[~undefined] == fixed[~undefined] / 1e9).all()
