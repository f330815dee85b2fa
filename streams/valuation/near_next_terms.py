"""The terms each line is valued from.

They are chosen anew only when something changed that the choice depends on.
"""

from collections.abc import Sequence

import numpy as np

from analytics.arrays import Bools, Ints
from streams.calendar.sessions import date_of, day_number, previous_session
from streams.valuation.listings import Expiry, Listings
from streams.valuation.reason_codes import TERM_CODES
from streams.valuation.surface_keys import SurfaceKeys
from streams.valuation.terms import Terms, bracketing, standard_monthlies
from streams.valuation.universe import Universe

DSPX_TENOR = 30
"""The one tenor for which the DSPX methodology chooses expiries.

Constituents at others are bracketed like an index.
"""
NEVER_CHOSEN = -1


class NearNextTerms:
    """Near and next of n lines in columns; those of a line without terms are meaningless."""

    def __init__(self, surface_keys: SurfaceKeys, universe: Universe, *, strict: bool) -> None:
        self._surface_keys = surface_keys
        self._universe = universe
        self._strict = strict
        n = surface_keys.underlying.size
        self.near: Ints = np.zeros(n, np.int64)
        """Segment of the near strip."""
        self.next: Ints = np.zeros(n, np.int64)
        self.near_settles: Ints = np.zeros(n, np.int64)
        """Nanoseconds."""
        self.next_settles: Ints = np.zeros(n, np.int64)
        self.reason: Ints = np.zeros(n, np.int64)
        """Code of `reason_codes`; 0 where there are terms."""
        self.fallback: Bools = np.zeros(n, np.bool_)
        self.single: Bools = np.zeros(n, np.bool_)
        """One term stands alone for the tenor: near and next are the same."""
        self.rolled: Bools = np.zeros(n, np.bool_)
        """A constituent's terms are others than its expiries gave on the session before."""
        self.in_vols: Bools = np.zeros(n, np.bool_)
        """The strips of the line are of vols and deltas."""
        self._until: Ints = np.full(n, NEVER_CHOSEN, np.int64)
        self._today = -1
        self._before = -1

    def forget(self, underlyings: set[str]) -> None:
        """The listings of these have changed."""
        if not underlyings:
            return
        positions = [
            at for symbol in underlyings if (at := self._universe.position.get(symbol)) is not None
        ]
        self._until[np.isin(self._surface_keys.underlying, positions)] = NEVER_CHOSEN

    def renew(self, rows: Ints, listings: Listings, boundary: int, today: int) -> None:
        """Bring the given lines up to date.

        `boundary` is in nanoseconds, `today` in days since 1970-01-01, New York.
        """
        if today != self._today:
            self._today = today
            self._before = day_number(previous_session(date_of(today)))
            self._until[:] = NEVER_CHOSEN
        for row in rows[self._until[rows] < boundary].tolist():
            symbol = self._universe.symbols[self._surface_keys.underlying[row]]
            expiries = listings.of(symbol)
            self.in_vols[row] = any(one.in_vols for one in expiries)
            terms = self._choose(row, expiries, boundary)
            if not expiries and listings.has_adjusted_alone(symbol):
                terms = terms._replace(reason="adjusted_series_alone")
            self._put(row, terms)
            self.rolled[row] = self._is_rolled(row, expiries, terms)

    def _is_rolled(self, row: int, expiries: Sequence[Expiry], terms: Terms) -> bool:
        """Whether a choice by days is another than on the session before.

        Brackets of minutes pass from one pair to the next without a step.
        """
        if not self._by_days(row):
            return False
        before = standard_monthlies(expiries, self._before, strict=self._strict)
        return not before.reason and (before.near, before.next) != (terms.near, terms.next)

    def _by_days(self, row: int) -> bool:
        tenor = int(self._surface_keys.tenor_days[row])
        return bool(self._surface_keys.constituent[row]) and tenor == DSPX_TENOR

    def _choose(self, row: int, expiries: Sequence[Expiry], boundary: int) -> Terms:
        tenor = int(self._surface_keys.tenor_days[row])
        if self._by_days(row):
            return standard_monthlies(expiries, self._today, strict=self._strict)
        return bracketing(expiries, tenor, boundary)

    def _put(self, row: int, terms: Terms) -> None:
        self._until[row] = terms.until
        self.reason[row] = TERM_CODES[terms.reason]
        self.fallback[row] = terms.fallback
        self.single[row] = terms.near is not None and terms.near is terms.next
        near, following = terms.near or _NONE, terms.next or _NONE
        self.near[row], self.near_settles[row] = near.segment, near.settles
        self.next[row], self.next_settles[row] = following.segment, following.settles


_NONE = Expiry(0, 0, 0, standard=False, friday=False, morning=False, root="")
