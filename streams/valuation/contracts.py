"""Contracts of decoded quotes: their keys, and where the book keeps them.

Both are remembered where a producer repeats itself.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats, Ints
from streams.calendar.expiries import settlement_bounds, settles_am
from streams.catalogue.outcomes import NO_ROOM, Outcome
from streams.records import Quotes, Series, Vols
from streams.valuation.book import ContractSlots, QuoteBook
from streams.valuation.contract_key import EXPIRY_LIMIT, fitting, pack, series_of
from streams.valuation.identity_cache import IdentityCache
from streams.valuation.screen import MAX_STRIKE, Contracted
from streams.valuation.series_codes import FULL, SeriesCodes
from streams.valuation.universe import Universe

LEAST_STRIKE = 0.001
"""USD: the least that a key can say."""


@dataclass(slots=True)
class Packed:
    """The contracts of n rows."""

    key: Ints
    misfit: NDArray[np.int8] | None
    """Outcome of rows whose contract does not fit into a key, 0 of the others.

    None where all fit.
    """
    contracted: Contracted
    located: "Located | None" = None
    """Where the book keeps them, once it has been asked."""


class Located(NamedTuple):
    """The contracts of n rows in the book."""

    series: Ints
    """Codes by row."""
    slots: ContractSlots
    counts: Ints
    """Rows by series."""
    underlying: Ints
    """Positions of the underlyings that have rows."""


class Contracts:
    """Keys of contracts by the codes of their series, and their slots in one book."""

    def __init__(self, universe: Universe, am_roots: Collection[str], book: QuoteBook) -> None:
        self._universe = universe
        self._am_roots = am_roots
        self._book = book
        self.codes = SeriesCodes(universe)
        self._vocabularies: IdentityCache[tuple[Series, ...], tuple[Ints, Contracted]] = (
            IdentityCache()
        )
        self._packed: IdentityCache[Floats, Packed] = IdentityCache()
        self._by_key: IdentityCache[Ints, Packed] = IdentityCache()

    def forget(self) -> None:
        """The book has been cleared, or the codes are others."""
        for memory in (self._vocabularies, self._packed, self._by_key):
            memory.clear()

    def pack(self, item: Quotes | Vols) -> Packed:
        """Keys of the rows, and what can be said of their contracts."""
        packed = self._packed.get(item.strike)
        if packed is None:
            packed = self._pack(item)
            if item.from_cache:
                self._packed.put(item.strike, packed)
                self._by_key.put(packed.key, packed)
        return packed

    def _pack(self, item: Quotes | Vols) -> Packed:
        codes, contracted = self._spelled(item.series)
        series, expiry, strike = codes[item.series_code], item.expiry, item.strike
        key = pack(series, expiry, strike, item.call)
        if contracted.settles is not None and key.size:
            first, last = int(np.minimum.reduce(expiry)), int(np.maximum.reduce(expiry))
            plain = (
                np.minimum.reduce(strike) >= LEAST_STRIKE
                and np.maximum.reduce(strike) < MAX_STRIKE / 2
            )
            if plain and first >= 0 and last < EXPIRY_LIMIT:
                return Packed(
                    key, None, contracted._replace(settles=settlement_bounds(first, last))
                )
        fits = fitting(series, expiry, strike)
        misfit = (
            None
            if fits.all()
            else np.where(series == FULL, NO_ROOM, Outcome.STRIKE).astype(np.int8) * ~fits
        )
        return Packed(key, misfit, contracted._replace(settles=None))

    def locate(self, key: Ints) -> Located:
        """Where the book keeps the contracts of the rows; new ones are entered."""
        packed = self._by_key.get(key)
        if packed is not None and packed.located is not None:
            return packed.located
        series, slots = series_of(key), self._book.slots_of(key)
        counts = np.bincount(series, minlength=len(self.codes.known))
        located = Located(series, slots, counts, self.codes.underlying[np.flatnonzero(counts)])
        if packed is not None and slots.complete:
            packed.located = located
        return located

    def _spelled(self, series: tuple[Series, ...]) -> tuple[Ints, Contracted]:
        """Codes of a vocabulary and what is known of it.

        `settles` is not None where all of it is wanted and has a code.
        """
        known = self._vocabularies.get(series)
        if known is None:
            codes = self.codes.of(series)
            wanted = np.array(
                [one.underlying in self._universe.position for one in series], np.bool_
            )
            every = (0, 0) if (codes >= 0).all() else None
            known = self._vocabularies.put(
                series, (codes, Contracted(wanted, settles_am(series, self._am_roots), every))
            )
        return known
