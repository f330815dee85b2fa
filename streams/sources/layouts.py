"""Files of others that are known by their columns, and what their columns mean.

Most layouts are read by the names of their columns alone. What these do not say stands here: units,
and which of several columns is meant.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from streams.sources.columns import Mapped


class FileLayout(NamedTuple):
    """One way to lay out a file."""

    name: str
    columns: str
    """The columns that matter, for the page."""
    marks: frozenset[str]
    """Columns by which it is known: all of them are there."""
    says: str
    """What is read out of them, for the page."""
    mapped: Mapping[str, Mapped] = {}
    """What names alone do not say, where the column is there."""
    fixed_point: frozenset[str] = frozenset()
    """Prices that are whole numbers of 1e-9 USD, or empty: an empty one is that of nobody."""


LAYOUTS: Final = (
    FileLayout(
        "OptionMetrics",
        "`secid`, `date`, `exdate`, `cp_flag`, `strike_price`, `best_bid`, `best_offer`, `ticker`",
        frozenset({"exdate", "cp_flag", "strike_price"}),
        "closing chains; `strike_price` is 1,000 times the strike",
        {"strike": Mapped("strike_price", 0.001)},
    ),
    FileLayout(
        "Cboe DataShop, end of day",
        "`underlying_symbol`, `quote_date`, `root`, `expiration`, `strike`, `option_type`, "
        "`bid_1545`, `ask_1545`, `bid_eod`, `ask_eod`",
        frozenset({"underlying_symbol", "bid_eod", "ask_eod"}),
        "closing chains of `bid_eod` and `ask_eod`; with `--map bid=bid_1545 --map ask=ask_1545` "
        "those of a quarter of an hour before the close of stocks",
    ),
    FileLayout(
        "Databento consolidated quotes",
        "`ts_recv` or `ts_event`, `raw_symbol`, `bid_px_00`, `ask_px_00`",
        frozenset({"bid_px_00", "ask_px_00"}),
        "timed quotes as of `ts_recv`; whole numbers are prices in 1e-9 USD, an undefined price is "
        "that of nobody",
        {"ts_event": Mapped("ts_recv")},
        fixed_point=frozenset({"bid_px_00", "ask_px_00"}),
    ),
    FileLayout(
        "DoltHub options",
        "`date`, `act_symbol`, `expiration`, `strike`, `call_put`, `bid`, `ask`, `vol`, `delta`",
        frozenset({"act_symbol", "call_put"}),
        "closing chains",
    ),
    FileLayout(
        "yfinance, one ticker a file",
        "`contractSymbol`, `strike`, `bid`, `ask`, `lastPrice`, `lastTradeDate`, "
        "`impliedVolatility`",
        frozenset({"contractsymbol", "lasttradedate"}),
        "closing chains of the symbols; the day is in no column: `--map quote_date:2026-07-10`",
    ),
    FileLayout(
        "Chain with contract symbols",
        "`contractSymbol`, `bid`, `ask`, `strike`, `expiration`, `option_type`, `quote_date`, "
        "`underlying`",
        frozenset({"contractsymbol", "underlying"}),
        "closing chains; the option class is that of the symbol",
    ),
    FileLayout(
        "Quotes with a timestamp",
        "`timestamp`, `symbol`, `expiry`, `strike`, `right`, `bid`, `ask`",
        frozenset({"timestamp", "symbol", "bid", "ask"}),
        "timed quotes; a time without an offset is one of New York",
    ),
)


def layout_of(columns: frozenset[str]) -> FileLayout | None:
    """The layout of a file with these columns; None for one of no known publisher."""
    return next((one for one in LAYOUTS if one.marks <= columns), None)
