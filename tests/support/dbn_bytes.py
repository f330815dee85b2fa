"""Records in DBN, made by the vendor's own library from the shipped closes."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import databento_dbn as dbn
import numpy as np
from numpy.typing import NDArray

from tests.support.vendor_documents import closes

CBBO_1S = 0xC0
PARENT: Any = dbn.SType.PARENT
RAW_SYMBOL: Any = dbn.SType.RAW_SYMBOL
INSTRUMENT: Any = dbn.SType.INSTRUMENT_ID
DATASET = "OPRA.PILLAR"
QUOTE: Any = np.dtype(dbn.CBBOMsg._dtypes)
"""The library's own layout of a consolidated quote."""
PUBLISHER = 30


def contracts(names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Bid and ask by padded OSI symbol."""
    return {
        f"{name.replace('.', ''):<6}{row['expiration']:%y%m%d}{row['cp']}"
        f"{round(row['strike'] * 1000):08d}": (row["bid"], row["ask"])
        for name in names
        for row in closes(name)
    }


def head(
    symbols: Mapping[int, str], day: date, schema: str | None = "cbbo-1s", **more: Any
) -> bytes:
    """The head of a file: instruments by number, on a day."""
    return head_of_spans(
        [(symbol, day, str(number)) for number, symbol in symbols.items()], schema, **more
    )


def head_of_spans(
    spans: Sequence[tuple[str, date, str]], schema: str | None = "cbbo-1s", **more: Any
) -> bytes:
    """The head of a file: symbols, each with its number on a day."""
    by_symbol: dict[str, list[Any]] = {}
    for symbol, day, number in spans:
        span = SimpleNamespace(start_date=day, end_date=day + timedelta(1), symbol=number)
        by_symbol.setdefault(symbol, []).append(span)
    mappings: list[Any] = [
        SimpleNamespace(raw_symbol=symbol, intervals=found) for symbol, found in by_symbol.items()
    ]
    return bytes(
        dbn.Metadata(
            dataset=DATASET,
            start=0,
            stype_in=PARENT,
            stype_out=INSTRUMENT,
            schema=None if schema is None else dbn.Schema(schema),
            symbols=["SPY.OPT"],
            mappings=mappings,
            **more,
        )
    )


def quotes(
    number: NDArray[np.uint32],
    ts_recv: NDArray[np.int64],
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    *,
    rtype: int = CBBO_1S,
) -> bytes:
    """Quotes, one record a row; NaN is an undefined price, a negative time an undefined one."""
    rows = np.zeros(number.size, QUOTE)
    rows["length"] = QUOTE.itemsize // 4
    rows["rtype"] = rtype
    rows["publisher_id"] = PUBLISHER
    rows["instrument_id"] = number
    rows["ts_event"] = dbn.UNDEF_TIMESTAMP
    rows["price"] = dbn.UNDEF_PRICE
    rows["ts_recv"] = ts_recv.astype(np.uint64)
    for column, side in (("bid_px_00", bid), ("ask_px_00", ask)):
        fixed = np.where(np.isnan(side), 0, np.round(side * 1e9)).astype(np.int64)
        rows[column] = np.where(np.isnan(side), dbn.UNDEF_PRICE, fixed)
    rows["bid_sz_00"] = rows["ask_sz_00"] = 10
    return rows.tobytes()


def mapping(number: int, symbol: str, at: int) -> bytes:
    """What a gateway says of an instrument."""
    return bytes(
        dbn.SymbolMappingMsg(
            publisher_id=PUBLISHER,
            instrument_id=number,
            ts_event=at,
            stype_in=PARENT,
            stype_in_symbol=f"{symbol[:6].strip()}.OPT",
            stype_out=RAW_SYMBOL,
            stype_out_symbol=symbol,
            start_ts=at,
            end_ts=at + 86_400 * 10**9,
        )
    )


def fixed_quotes(rows: Sequence[tuple[int, int, int | None, int | None]]) -> bytes:
    """Quotes with prices as the encoding has them; None is an undefined one."""
    made = np.zeros(len(rows), QUOTE)
    made["length"] = QUOTE.itemsize // 4
    made["rtype"] = CBBO_1S
    for at, (number, ts_recv, bid, ask) in enumerate(rows):
        made["instrument_id"][at] = number
        made["ts_recv"][at] = ts_recv % 2**64
        made["bid_px_00"][at] = dbn.UNDEF_PRICE if bid is None else bid
        made["ask_px_00"][at] = dbn.UNDEF_PRICE if ask is None else ask
    return made.tobytes()


def message(at: int, text: str, code: int) -> bytes:
    """What a gateway says of itself."""
    codes: Any = dbn.SystemCode
    return bytes(dbn.SystemMsg(ts_event=at, msg=text, code=codes(code)))


def error(at: int, text: str, code: int) -> bytes:
    """Why it ends the session, or leaves something out."""
    codes: Any = dbn.ErrorCode
    return bytes(dbn.ErrorMsg(ts_event=at, err=text, code=codes(code)))


def day_of(at: int) -> date:
    """UTC."""
    return date(1970, 1, 1) + timedelta(at // (86_400 * 10**9))
