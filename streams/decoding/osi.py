"""The OSI option symbol: root in 6 characters, expiry as YYMMDD, C or P, strike in 8 characters.

The strike is in thousandths. Most vendors leave out the padding of the root, some put `O:` before
it or write it small: all of these are read, and say the same.
"""

import re
from datetime import date
from typing import NamedTuple

from streams.symbols import CLASS_SHARES

_SYMBOL = re.compile(
    r"(?:O:|OPRA:)?([A-Z0-9][A-Z0-9./-]{0,6}) *(\d{2})(\d{2})(\d{2})([CP])(\d{8})", re.ASCII
)
_SHORT = re.compile(
    r"\.([A-Z]{1,6}\d?)(\d{2})(\d{2})(\d{2})([CP])(\d{1,5}(?:\.\d{1,3})?)", re.ASCII
)
"""The form of trading screens, told by its dot: the strike is in dollars."""
_ROOT = re.compile(r"[A-Z0-9]{1,6}", re.ASCII)
_LONGEST = 32
_CLASS_MARKS = str.maketrans("", "", "./-")

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


class Contract(NamedTuple):
    """What an OSI symbol says."""

    root: str
    expiry: date
    call: bool
    strike: float
    """USD, a whole number of thousandths."""


def parse(symbol: str) -> Contract:
    """Read a symbol; raises `ValueError` on anything that is not one.

    Two-digit years are 2000 to 2099.

    >>> padded = parse("SPXW  260717P06200000")
    >>> padded == parse("O:SPXW260717P06200000") == parse("spxw260717p06200000")
    True
    >>> parse("SPXW260717P06200000")
    Contract(root='SPXW', expiry=datetime.date(2026, 7, 17), call=False, strike=6200.0)
    """
    text = symbol.strip(" ").upper() if len(symbol) <= _LONGEST and symbol.isascii() else ""
    whole = _SYMBOL.fullmatch(text)
    found = whole or _SHORT.fullmatch(text)
    if found is None:
        raise ValueError(
            f"not an OSI option symbol such as SPXW260717P06200000: {symbol[:_LONGEST]!r}"
        )
    root, year, month, day, right, strike = found.groups()
    root = root.translate(_CLASS_MARKS)
    if len(root) > 6:
        raise ValueError(
            f"the root of an OSI option symbol has six characters at most: {symbol[:_LONGEST]!r}"
        )
    try:
        expiry = date(2000 + int(year), int(month), int(day))
    except ValueError as problem:
        raise ValueError(
            f"the option symbol {symbol[:_LONGEST]!r} holds no date: {problem}"
        ) from None
    return Contract(root, expiry, right == "C", int(strike) / 1000 if whole else float(strike))


def build(contract: Contract) -> str:
    """The symbol of a contract; raises `ValueError` when root, year or strike do not fit in it.

    >>> build(Contract("AAPL", date(2026, 7, 17), True, 212.5))
    'AAPL  260717C00212500'
    """
    thousandths = round(contract.strike * 1000)
    if not 0 <= thousandths < 10**8 or abs(thousandths - contract.strike * 1000) > 1e-3:
        raise ValueError(
            f"strike {contract.strike} is no whole number of thousandths below 100,000"
        )
    if not 2000 <= contract.expiry.year <= 2099:
        raise ValueError(f"year {contract.expiry.year} is not within 2000 to 2099")
    if not _ROOT.fullmatch(contract.root):
        raise ValueError(
            f"the root of an OSI option symbol is one to six letters and digits: {contract.root!r}"
        )
    return (
        f"{contract.root:<6}{contract.expiry:%y%m%d}"
        f"{'C' if contract.call else 'P'}{thousandths:08d}"
    )


def underlying_of(root: str) -> str:
    """The underlying of a root.

    Index roots go by table, an adjusted series (a digit after the name) by the name.

    >>> roots = "SPXW", "BRKB", "BRKB1", "AAPL1", "SPY"
    >>> tuple(underlying_of(root) for root in roots)
    ('SPX', 'BRK.B', 'BRK.B', 'AAPL', 'SPY')
    """
    name = root.rstrip("0123456789") or root
    return INDEX_ROOTS.get(root) or CLASS_SHARES.get(name) or name


def roots_of(underlying: str) -> tuple[str, ...]:
    """The option classes of an underlying: its own, and of an index the one of its weeks.

    >>> roots_of("SPX"), roots_of("BRK.B"), roots_of("NDX")
    (('SPX', 'SPXW'), ('BRKB',), ('NDX', 'NDXP'))
    """
    own = underlying.translate(_CLASS_MARKS)
    weeks = [f"{own}{letter}" for letter in "WP"]
    return (own, *(root for root in weeks if INDEX_ROOTS.get(root) == underlying))
