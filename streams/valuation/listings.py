"""Which expiries each underlying has in the book, one series for each date."""

from collections.abc import Collection, Iterable, Sequence
from string import digits
from typing import NamedTuple

import numpy as np

from streams.calendar.expiries import is_friday_weekly, is_standard_monthly, settlement_ns
from streams.records import Series
from streams.valuation.contract_key import SEGMENT_SHIFT, SERIES_SHIFT

_SERIES_BITS = SERIES_SHIFT - SEGMENT_SHIFT


class Expiry(NamedTuple):
    """One strip of one underlying."""

    day: int
    """Days since 1970-01-01."""
    settles: int
    """Nanoseconds UTC."""
    segment: int
    """Upper bits of the keys of its contracts (`streams.valuation.contract_key`)."""
    standard: bool
    """A standard monthly."""
    friday: bool
    """The expiry of a Friday; the monthlies are among them."""
    morning: bool
    """Settles at the open."""
    root: str
    in_vols: bool = False
    """A strip of vols and deltas."""


class Listings:
    """Expiries by underlying, ascending, as the book learns of them."""

    def __init__(self, am_roots: Collection[str]) -> None:
        self._am_roots = frozenset(am_roots)
        self._all: dict[str, dict[int, Expiry]] = {}
        self._chosen: dict[str, tuple[Expiry, ...]] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._all.clear()
        self._chosen.clear()

    def add(self, segments: Iterable[int], series: Sequence[Series]) -> set[str]:
        """Enter strips; returns the underlyings that gained one."""
        fresh = sorted(segments)
        if not fresh:
            return set()
        number = np.array(fresh)
        code, day = number >> _SERIES_BITS, (number & ((1 << _SERIES_BITS) - 1)).astype(np.int32)
        am = np.array([one.root in self._am_roots for one in series])[code]
        standard, friday = is_standard_monthly(day), is_friday_weekly(day)
        columns = (code, day, settlement_ns(day, am), number, standard, friday, am & standard)
        gained = set()
        for owner, *facts in zip(*(column.tolist() for column in columns), strict=True):
            underlying, root, in_vols = series[owner]
            expiry = Expiry._make((*facts, root, in_vols))
            self._all.setdefault(underlying, {})[expiry.segment] = expiry
            self._chosen.pop(underlying, None)
            gained.add(underlying)
        return gained

    def of(self, underlying: str) -> tuple[Expiry, ...]:
        """The underlying's expiries in order of date.

        Where a date has several series: on the monthly date of an underlying that settles AM the
        AM series alone (its PM series of that date is left out), else the series named like the
        underlying before others. An adjusted series is never one of them: it delivers something
        else. Vols count only where the underlying has no bid and ask at all: one value is never
        made of both.
        """
        if underlying not in self._chosen:
            self._chosen[underlying] = self._choose(underlying)
        return self._chosen[underlying]

    def has_adjusted_alone(self, underlying: str) -> bool:
        """Whether there are series of the underlying, and all of them are adjusted."""
        known = self._all.get(underlying, {}).values()
        return bool(known) and all(is_adjusted(one.root, underlying) for one in known)

    def _choose(self, underlying: str) -> tuple[Expiry, ...]:
        known = self._all.get(underlying, {}).values()
        every = [one for one in known if not is_adjusted(one.root, underlying)]
        listed = [one for one in every if not one.in_vols] or every
        settles_am = underlying in self._am_roots or any(
            one.root in self._am_roots for one in listed
        )
        by_day: dict[int, Expiry] = {}
        for one in sorted(
            listed, key=lambda one: (not one.morning, one.root != underlying, one.root)
        ):
            if one.morning or not (settles_am and one.standard):
                by_day.setdefault(one.day, one)
        return tuple(by_day[day] for day in sorted(by_day))


def is_adjusted(root: str, underlying: str) -> bool:
    """Whether a root is that of the underlying with digits before or after it.

    Its contracts deliver another number of shares, shares of others or cash, or are FLEX options.

    >>> is_adjusted("AAPL1", "AAPL"), is_adjusted("BRKB2", "BRK.B"), is_adjusted("2SPX", "SPX")
    (True, True, True)
    >>> is_adjusted("AAPL", "AAPL"), is_adjusted("SPXW", "SPX"), is_adjusted("BRKB", "BRK.B")
    (False, False, False)
    """
    own, of = _plain(root), _plain(underlying)
    return own != of and own.strip(digits) == of


def _plain(symbol: str) -> str:
    return "".join(filter(str.isalnum, symbol)).upper()
