"""The 21-character OSI option symbol: root in 6, expiry as YYMMDD, C or P, strike in thousandths in 8."""

import re
from datetime import date
from typing import NamedTuple

_SYMBOL = re.compile(r"([A-Z0-9]{1,6}) *(\d{2})(\d{2})(\d{2})([CP])(\d{8})", re.ASCII)
_LENGTH = 21

INDEX_ROOTS = {
    "SPXW": "SPX",
    "SPXPM": "SPX",
    "XSPAM": "XSP",
    "NDXP": "NDX",
    "RUTW": "RUT",
    "MRUTW": "MRUT",
    "VIXW": "VIX",
    "DJXW": "DJX",
    "OEXW": "OEX",
    "XEOW": "XEO",
}
"""Roots whose underlying has another name."""

CLASS_ROOTS = {"BRKA": "BRK.A", "BRKB": "BRK.B", "BFA": "BF.A", "BFB": "BF.B"}
"""OSI has no character between a name and its share class."""


class Contract(NamedTuple):
    """What an OSI symbol says."""

    root: str
    expiry: date
    call: bool
    strike: float
    """USD, a whole number of thousandths."""


def parse(symbol: str) -> Contract:
    """Read a symbol; raises `ValueError` on anything that is not one. Two-digit years are 2000 to 2099.

    >>> parse("SPXW  260717P06200000")
    Contract(root='SPXW', expiry=datetime.date(2026, 7, 17), call=False, strike=6200.0)
    """
    found = _SYMBOL.fullmatch(symbol)
    if len(symbol) != _LENGTH or found is None:
        raise ValueError(f"not a 21-character OSI symbol: {symbol[:32]!r}")
    root, year, month, day, right, strike = found.groups()
    return Contract(root, date(2000 + int(year), int(month), int(day)), right == "C", int(strike) / 1000)


def build(contract: Contract) -> str:
    """The symbol of a contract; raises `ValueError` when root, year or strike do not fit in it.

    >>> build(Contract("AAPL", date(2026, 7, 17), True, 212.5))
    'AAPL  260717C00212500'
    """
    thousandths = round(contract.strike * 1000)
    if not 0 <= thousandths < 10**8 or abs(thousandths - contract.strike * 1000) > 1e-3:
        raise ValueError(f"strike {contract.strike} is no whole number of thousandths below 100,000")
    if not 2000 <= contract.expiry.year <= 2099:
        raise ValueError(f"year {contract.expiry.year} is not within 2000 to 2099")
    symbol = f"{contract.root:<6}{contract.expiry:%y%m%d}{'C' if contract.call else 'P'}{thousandths:08d}"
    parse(symbol)
    return symbol


def underlying_of(root: str) -> str:
    """The underlying of a root: index roots by table, an adjusted series (a digit after the name) by the name.

    >>> underlying_of("SPXW"), underlying_of("BRKB"), underlying_of("AAPL1"), underlying_of("SPY")
    ('SPX', 'BRK.B', 'AAPL', 'SPY')
    """
    named = INDEX_ROOTS.get(root) or CLASS_ROOTS.get(root)
    return named or (root.rstrip("0123456789") or root)
