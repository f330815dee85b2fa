"""Symbols in one spelling: upper case, share classes after a dot."""

import re
from functools import lru_cache

MAX_LENGTH = 16

_ALLOWED = re.compile(r"[A-Z0-9][A-Z0-9.]{0,15}", re.ASCII)
_CLASS_MARKS = str.maketrans("-/ _", "....")


def normalise(symbol: str) -> str:
    """The house spelling of a symbol; empty when it is none (a letter or digit first, then those and dots, 16 at most).

    >>> normalise("brk-b"), normalise("BRK/B"), normalise(" SPY "), normalise("<script>")
    ('BRK.B', 'BRK.B', 'SPY', '')
    """
    return _spelled(symbol) if len(symbol) <= 4 * MAX_LENGTH and symbol.isascii() else ""


@lru_cache(maxsize=65_536)
def _spelled(symbol: str) -> str:
    name = symbol.strip().upper().translate(_CLASS_MARKS)
    return name if _ALLOWED.fullmatch(name) else ""
