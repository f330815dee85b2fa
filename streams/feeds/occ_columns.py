"""Option symbols of a whole document as columns.

A symbol is a root, then 15 characters: expiry as YYMMDD, C or P, the strike in thousandths. The
root may be padded with blanks or begin with `O:`.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_TAIL: Final = 15
_SPACE: Final = b" " * _TAIL
_ZERO: Final = ord("0")
_POWERS: Final = np.array([1e4, 1e3, 1e2, 1e1, 1e0, 1e-1, 1e-2, 1e-3])
"""Of the eight digits of a strike, USD."""
_FIRST_MONTH: Final = (2000 - 1970) * 12


class OccColumns(NamedTuple):
    """What n symbols say; arrays of length n. Where `valid` is False the others mean nothing."""

    roots: tuple[str, ...]
    """Vocabulary of `root_code`."""
    root_code: NDArray[np.int32]
    expiry: NDArray[np.int32]
    """Days since 1970-01-01."""
    call: NDArray[np.bool_]
    strike: NDArray[np.float64]
    """USD."""
    valid: NDArray[np.bool_]


def occ_columns(symbols: Sequence[str]) -> OccColumns:
    """Read symbols; never raises.

    >>> found = occ_columns(["SPXW260925C07800000", "O:AAPL1260717P00212500", "SPY", "é" * 20])
    >>> found.roots, found.strike[:2].tolist(), found.valid.tolist()
    (('SPXW', 'AAPL1', ''), [7800.0, 212.5], [True, True, False, False])
    """
    vocabulary: dict[str, int] = {}
    spelled: dict[str, int] = {}
    code = np.fromiter(
        (
            spelled[root] if root in spelled else _learn(root, spelled, vocabulary)
            for root in (symbol[:-_TAIL] for symbol in symbols)
        ),
        np.int32,
        len(symbols),
    )
    text = _tails(symbols)
    digits = text.astype(np.int16) - _ZERO
    numeric = (digits >= 0) & (digits <= 9)
    numeric[:, 6] = True
    call = text[:, 6] == ord("C")
    expiry, dated = _days(digits)
    known = np.array([bool(root) for root in vocabulary], np.bool_)
    return OccColumns(
        roots=tuple(vocabulary),
        root_code=code,
        expiry=expiry,
        call=call,
        strike=_strikes(digits[:, 7:]),
        valid=numeric.all(axis=1) & (call | (text[:, 6] == ord("P"))) & dated & known[code],
    )


def _learn(root: str, spelled: dict[str, int], vocabulary: dict[str, int]) -> int:
    """The code of a root that is met for the first time."""
    name = root.removeprefix("O:").strip(" ").upper()
    known = name if len(name) <= 6 and name.isascii() and name.isalnum() else ""
    spelled[root] = vocabulary.setdefault(known, len(vocabulary))
    return spelled[root]


def _tails(symbols: Sequence[str]) -> NDArray[np.uint8]:
    """The last 15 characters of each symbol; blanks where there are none."""
    tails = [symbol[-_TAIL:] for symbol in symbols]
    text = "".join(tails)
    packed = text.encode("ascii", "replace")
    if len(text) != _TAIL * len(tails):
        packed = b"".join(
            tail.encode("ascii", "replace") if len(tail) == _TAIL else _SPACE for tail in tails
        )
    return np.frombuffer(packed, np.uint8).reshape(len(tails), _TAIL)


def _strikes(digits: NDArray[np.int16]) -> NDArray[np.float64]:
    """USD."""
    strike: NDArray[np.float64] = np.round(digits.astype(np.float64) @ _POWERS, 3)
    return strike


def _days(digits: NDArray[np.int16]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Days since 1970-01-01 of YYMMDD, and where there is such a day."""
    year = digits[:, 0] * 10 + digits[:, 1]
    month = digits[:, 2] * 10 + digits[:, 3]
    day = digits[:, 4] * 10 + digits[:, 5]
    sane = (year >= 0) & (year < 100) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    months = np.where(sane, _FIRST_MONTH + year * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(sane, day - 1, 0).astype("timedelta64[D]")
    return days.astype(np.int32), sane & (days.astype("datetime64[M]") == months)
