"""Golden documents: the shipped closes in the shapes of vendors. Nothing of a vendor is in them.

Quirks of the real documents are kept: an underscore before an index, a root without padding, nulls,
a time of the last trade that is months old, a timestamp in UTC that has no zone.
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

CLOSES = Path(__file__).parents[2] / "samples/option_closes_2026-07-10.parquet"
LEVELS = {"VIX": 17.25, "VIXEQ": 38.5, "DSPX": 36.1, "COR1M": 8.4}
NEW_YORK = ZoneInfo("America/New_York")
DELAY = timedelta(minutes=15)


@cache
def _closes() -> pa.Table:
    return pq.read_table(CLOSES)


@cache
def closes(name: str, until: date = date(2026, 9, 18)) -> list[dict[str, Any]]:
    """Rows of an underlying, prices to the cent."""
    table = _closes()
    spelled = pc.is_in(table["underlying"], pa.array([name, name.replace(".", "-")]))
    chosen = pc.and_(spelled, pc.less_equal(table["expiration"], until))
    rows: list[dict[str, Any]] = table.filter(chosen).to_pylist()
    for row in rows:
        row["bid"], row["ask"] = round(row["bid"] or 0.0, 2), round(row["ask"] or 0.0, 2)
    return rows


def occ(row: dict[str, Any], root: str) -> str:
    """The symbol of a row, root not padded."""
    return f"{root}{row['expiration']:%y%m%d}{row['cp']}{round(row['strike'] * 1000):08d}"


@cache
def cboe_options(name: str, root: str = "") -> list[dict[str, Any]]:
    """`data.options` of a chain."""
    filler = dict.fromkeys(("delta", "gamma", "vega", "theta", "rho", "theo"), 0.1234)
    return [
        {
            "option": occ(row, root or name.replace(".", "")),
            "bid": row["bid"] if number % 97 else (row["bid"] or None),
            "bid_size": 12.0,
            "ask": row["ask"],
            "ask_size": 9.0,
            "iv": 0.1432,
            "open_interest": 1520.0,
            "volume": 873.0,
            **filler,
            "tick": "no_change",
            "last_trade_time": "2025-01-14T15:31:02" if number % 3 else None,
        }
        for number, row in enumerate(closes(name))
    ]


def within(options: Sequence[dict[str, Any]], day: date, days: tuple[int, int]) -> int:
    """How many of the options expire in a window of days."""
    first, last = (f"{day + timedelta(count):%y%m%d}" for count in days)
    return sum(first <= one["option"][-15:-9] <= last for one in options)


def cboe_chain(
    name: str,
    at: datetime,
    options: Sequence[dict[str, Any]] | None = None,
    *,
    priced: bool = True,
) -> bytes:
    """A whole chain, published at a time (UTC); not `priced` without its underlying's price."""
    rows = cboe_options(name) if options is None else options
    traded = (at - DELAY).astimezone(NEW_YORK)
    data = {
        "symbol": name,
        "security_type": "stock",
        "exchange_id": 5,
        "current_price": round(closes(name)[0]["spot"], 2) if priced else None,
        "iv30": 25.1,
        "seqno": 1,
        "last_trade_time": f"{traded:%Y-%m-%dT%H:%M:%S}",
        "options": list(rows),
    }
    document = {"timestamp": f"{at:%Y-%m-%d %H:%M:%S}", "data": data, "symbol": name}
    return json.dumps(document).encode()


def cboe_levels(at: datetime, levels: dict[str, float] | None = None) -> bytes:
    """All indices, published at a time (UTC); one that stood still for days among them."""
    traded = (at - DELAY).astimezone(NEW_YORK)
    rows = [
        {
            "symbol": f"^{name}",
            "current_price": level,
            "last_trade_time": f"{traded:%Y-%m-%dT%H:%M:%S}",
        }
        for name, level in (LEVELS if levels is None else levels).items()
    ]
    rows.append(
        {"symbol": "^VIX9D", "current_price": 16.0, "last_trade_time": "2026-01-05T16:15:00"}
    )
    return json.dumps({"timestamp": f"{at:%Y-%m-%d %H:%M:%S}", "data": rows}).encode()


def moment(ns: int) -> datetime:
    """A time of the documents."""
    return datetime.fromtimestamp(ns / 1e9, UTC)
