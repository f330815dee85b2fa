"""Symbols in one spelling.

It is upper case, share classes after a dot, an index without the marks that vendors put on it.
"""

import re
from functools import lru_cache

MAX_LENGTH = 16

CLASS_SHARES = {
    "BRKA": "BRK.A",
    "BRKB": "BRK.B",
    "BFA": "BF.A",
    "BFB": "BF.B",
    "CWENA": "CWEN.A",
    "GEFB": "GEF.B",
    "HEIA": "HEI.A",
    "LENB": "LEN.B",
    "LGFA": "LGF.A",
    "LGFB": "LGF.B",
    "MOGA": "MOG.A",
    "PBRA": "PBR.A",
    "RDSA": "RDS.A",
    "RDSB": "RDS.B",
    "UHALB": "UHAL.B",
}
"""Names of share classes without a mark, as OSI and some vendors write them.

None of them is another listed symbol.
"""

MARKED_INDICES = {"GSPC": "SPX", "INX": "SPX"}
"""Indices that have another name behind an index mark."""

_ALLOWED = re.compile(r"[A-Z0-9][A-Z0-9.]{0,15}", re.ASCII)
_CLASS_MARKS = str.maketrans("-/ _", "....")
# Marks of an index or a quote page: ^SPX, _SPX, $SPX, .SPX, $SPX.X, I:SPX; and the yellow keys of a
# terminal.
_INDEX = re.compile(r"(?:I:|[$^_.])([A-Z0-9][A-Z0-9./ -]*?)", re.ASCII)
_DOLLAR_INDEX = re.compile(r"\$([A-Z0-9]+)\.X", re.ASCII)
_YELLOW_KEY = re.compile(r"([^ ].*?)(?: US EQUITY| INDEX)", re.ASCII)


def normalise(symbol: str) -> str:
    """The house spelling of a symbol; empty when it is none.

    A symbol is a letter or digit first, then those and dots, 16 at most.

    >>> normalise("brk-b"), normalise("BRKB"), normalise(" SPY "), normalise("<script>")
    ('BRK.B', 'BRK.B', 'SPY', '')
    >>> [normalise(text) for text in ("^SPX", "_SPX", "$SPX.X", "I:SPX", "^GSPC", "SPX Index")]
    ['SPX', 'SPX', 'SPX', 'SPX', 'SPX', 'SPX']
    """
    return _spelled(symbol) if len(symbol) <= 4 * MAX_LENGTH and symbol.isascii() else ""


@lru_cache(maxsize=65_536)
def _spelled(symbol: str) -> str:
    name = symbol.strip().upper()
    keyed = _YELLOW_KEY.fullmatch(name)
    name = _unmarked(keyed[1].strip() if keyed else name).translate(_CLASS_MARKS)
    name = CLASS_SHARES.get(name, name)
    return name if _ALLOWED.fullmatch(name) else ""


def _unmarked(name: str) -> str:
    """A name without the mark of an index."""
    found = _DOLLAR_INDEX.fullmatch(name) or _INDEX.fullmatch(name)
    return MARKED_INDICES.get(found[1], found[1]) if found else name
