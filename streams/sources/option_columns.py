"""The columns of a file of options.

A contract is said by underlying, expiry, strike and right, or by its OSI symbol. A quote is bid and
ask, or else vol and delta.
"""

import re
from typing import Final, NamedTuple

from streams.decoding.osi import parse
from streams.sources.columns import FileColumn, all_missing
from streams.sources.source_error import SourceError
from streams.sources.table import DataFile

UNDERLYING: Final = FileColumn(
    "underlying",
    "text",
    "`SPY`, `BRK.B`",
    ("underlying_symbol", "act_symbol", "ticker", "symbol", "root_symbol"),
)
EXPIRY: Final = FileColumn(
    "expiration",
    "date",
    "date",
    ("expiry", "expiration_date", "exdate", "expire_date", "expirationdate"),
)
STRIKE: Final = FileColumn("strike", "number", "USD", ("strike_price", "strikeprice"))
RIGHT: Final = FileColumn(
    "cp",
    "text",
    "`C` or `P`, `call` or `put`",
    ("right", "option_type", "call_put", "cp_flag", "put_call", "contract_type", "type"),
)
CONTRACT: Final = FileColumn(
    "contract",
    "text",
    "OSI symbol: `SPY260821C00750000`",
    ("contractsymbol", "contract_symbol", "option_symbol", "raw_symbol", "occ_symbol", "osi"),
    "instead of the four above",
)
BID: Final = FileColumn(
    "bid",
    "number",
    "USD; 0 where nobody bids",
    ("best_bid", "bid_eod", "bid_1545", "bid_px_00", "bid_price"),
)
ASK: Final = FileColumn(
    "ask",
    "number",
    "USD",
    ("best_offer", "ask_eod", "ask_1545", "ask_px_00", "ask_price", "offer"),
)
VOL_PERCENT: Final = FileColumn(
    "iv_pct", "number", "implied vol, percent", needed="instead of `bid`"
)
VOL: Final = FileColumn(
    "iv",
    "number",
    "implied vol, decimal",
    ("implied_volatility", "impl_volatility", "vol"),
    "instead of `bid`",
)
DELTA: Final = FileColumn(
    "delta", "number", "of the option, negative for a put", needed="instead of `ask`"
)
ROOT: Final = FileColumn(
    "root",
    "text",
    "the class where it is not named like the underlying: `SPXW`",
    ("option_root",),
    "no",
)
OPTION_COLUMNS: Final = (
    UNDERLYING,
    EXPIRY,
    STRIKE,
    RIGHT,
    CONTRACT,
    BID,
    ASK,
    VOL_PERCENT,
    VOL,
    DELTA,
    ROOT,
)
_EITHER: Final = ("symbol", "ticker")
"""Names under which some have the underlying and some the contract."""
_OF_TIME: Final = re.compile(r".*_(\d{4}|eod)")
"""A column of quotes of one time of the day."""
EXPECTED: Final = "each under one of these names, or named with --map, such as --map cp=COLUMN"


class OptionColumns(NamedTuple):
    """The names that the fields of an option have in one file; None where it has none."""

    underlying: str | None
    expiry: str | None
    strike: str | None
    right: str | None
    contract: str | None
    first: str
    """Bid, or implied vol."""
    second: str
    """Ask, or delta."""
    root: str | None
    vols: str = ""
    """In place of bid and ask: the field of the vols."""

    @property
    def present(self) -> list[str]:
        """Columns to read."""
        return [name for name in self[:-1] if name]

    @property
    def identity(self) -> str:
        """The column that tells one name from another, as far as a column does."""
        return self.underlying or self.contract or self.first


def option_columns(file: DataFile) -> OptionColumns:
    """The columns of an option file. Raises `SourceError` that tells all that are missing."""
    found, missing = found_columns(file)
    if missing:
        raise SourceError(file.path, all_missing(missing, file.columns), EXPECTED)
    _refuse_two_times(file, found)
    return found


def found_columns(file: DataFile) -> tuple[OptionColumns, list[str]]:
    """The columns that are there, and in words those that are missing."""
    contract = file.column(CONTRACT)
    terms = {one: file.column(one) for one in (EXPIRY, STRIKE, RIGHT)}
    if contract is None and None in terms.values():
        contract = next((name for name in _EITHER if _holds_contracts(file, name)), None)
    underlying = file.column(UNDERLYING)
    if underlying == contract:
        underlying = None
    missing = [] if contract else [one.told for one, name in terms.items() if name is None]
    if not contract and underlying is None and file.value(UNDERLYING) is None:
        missing.insert(0, UNDERLYING.told)
    first, second, vols = _values(file)
    missing += [one.told for one, name in (first, second) if name is None]
    found = OptionColumns(
        underlying=underlying,
        expiry=terms[EXPIRY],
        strike=terms[STRIKE],
        right=terms[RIGHT],
        contract=contract,
        first=first[1] or "",
        second=second[1] or "",
        root=file.column(ROOT),
        vols=vols,
    )
    return found, missing


_Found = tuple[FileColumn, str | None]


def _values(file: DataFile) -> tuple[_Found, _Found, str]:
    """Bid and ask, or where there are neither vol and delta."""
    bid, ask = file.column(BID), file.column(ASK)
    for vol in (VOL_PERCENT, VOL):
        if bid is None and ask is None and (name := file.column(vol)):
            return (vol, name), (DELTA, file.column(DELTA)), vol.field
    return (BID, bid), (ASK, ask), ""


def _holds_contracts(file: DataFile, name: str) -> bool:
    if name not in file.columns or not isinstance(text := file.first(name), str):
        return False
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _refuse_two_times(file: DataFile, found: OptionColumns) -> None:
    """Raise `SourceError` for a bid of one time of the day beside an ask of another."""
    times = [_OF_TIME.fullmatch(name) for name in (found.first, found.second)]
    if all(times) and len({one[1] for one in times if one}) > 1:
        pair = f"{found.first} and {found.second} are of two times"
        raise SourceError(file.path, pair, "both of one, such as bid_1545 and ask_1545")
