"""Why a point has no value: small codes while columns are computed, text when they leave."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.atm import AtmStatus
from analytics.strip import StripReason
from analytics.strip_doubts import Doubt
from streams.points import BASIS_ATM
from streams.valuation.ex_dates import SIZE_FLAGS
from streams.valuation.terms import TermReason

Codes = NDArray[np.int64]

TERM_CODES: Final[dict[TermReason, int]] = {
    "": 0,
    "no_near_term": 1,
    "no_next_term": 2,
    "not_bracketed": 3,
    "adjusted_series_alone": 5,
}
NEAR, NEXT = 16, 32
"""Added to the code of a strip."""
NO_QUOTES = 15
"""A strip without a usable quote."""
BASIS_ATM_CODE = 4
"""A line known by vols alone.

It has no variance, and this reason tells it from a line of bid and ask.
"""

FALLBACK: Final = 1
RATE_STALE: Final = 2
STATED: Final = 4
SINGLE: Final = 8
ROLL: Final = 16
"""The terms are others than on the session before."""
DIVIDEND: Final = 32
"""Times the size class of the largest dividend inside a strip (`streams.valuation.ex_dates`)."""
_BITS: Final = ("near_term_fallback", "rate_stale", "stated_vols", "single_term", "roll")
_OWN_FLAGS: Final = tuple(
    ",".join(
        [*(flag for bit, flag in enumerate(_BITS) if bits >> bit & 1), *([size] if size else [])]
    )
    for size in SIZE_FLAGS
    for bits in range(DIVIDEND)
)
DOUBT: Final = len(_OWN_FLAGS)
"""Times the `Doubt` bits of the two strips."""
FLAGS: Final = tuple(
    ",".join([*([own] if own else []), *(doubt.label for doubt in Doubt if doubts & doubt)])
    for doubts in range(2 ** len(Doubt))
    for own in _OWN_FLAGS
)
"""Text by code.

1 near term nearer than the methodology allows, 2 rate carried too long, 4 vols as the source states
them, 8 one term alone, 16 other terms than on the session before; a dividend; doubts about the
shape of a strip.
"""


def _texts(labels: dict[int, str]) -> tuple[str, ...]:
    texts = [""] * 48
    for reason, code in TERM_CODES.items():
        texts[code] = reason
    texts[BASIS_ATM_CODE] = BASIS_ATM
    for code, label in (labels | {NO_QUOTES: "no quotes"}).items():
        if code:
            texts[NEAR + code], texts[NEXT + code] = f"near:{label}", f"next:{label}"
    return tuple(texts)


STRIP_TEXTS: Final = _texts({int(reason): reason.label for reason in StripReason})
ATM_TEXTS: Final = _texts({int(status): status.label for status in AtmStatus})


def of_terms(near: Codes, following: Codes) -> Codes:
    """Code of a line from those of its two strips; 0 when both are well.

    The near one speaks first.
    """
    return np.where(near != 0, NEAR + near, np.where(following != 0, NEXT + following, 0))


def texts(table: tuple[str, ...], codes: Codes) -> tuple[str, ...]:
    """Text of each code."""
    return tuple([table[code] for code in codes.tolist()])
