"""Local codes of option series: what the keys of a book call an (underlying, root)."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.records import Series
from streams.valuation.contract_key import SERIES_LIMIT
from streams.valuation.universe import Universe

UNMONITORED, FULL = -1, -2
"""Instead of a code."""
PER_UNDERLYING = 32
"""Series of one underlying, many times what is listed.

A producer that writes something else into the root spoils its own names alone.
"""
REMEMBERED, REMEMBERED_SERIES = 64, 4096
"""So many vocabularies of at most so many series are remembered with their codes."""


class SeriesCodes:
    """Series of monitored underlyings in order of arrival.

    Keys are made of a code: it stays until `keep` says that no key has it. The series named like
    its underlying has a place in any case.
    """

    def __init__(
        self, universe: Universe, limit: int = SERIES_LIMIT, per_underlying: int = PER_UNDERLYING
    ) -> None:
        self._universe = universe
        self._limit = limit
        self._per_underlying = per_underlying
        self._codes: dict[Series, int] = {}
        self._counts: Counter[str] = Counter()
        self._free: list[int] = []
        self.changed = False
        """Whether there are other codes than at the last `encode`."""
        self._vocabularies: dict[tuple[Series, ...], NDArray[np.int64]] = {}
        self.known: list[Series] = []
        """By code; a series of the underlying "" where a code is free."""
        self.underlying: NDArray[np.int64] = np.empty(0, np.int64)
        """By code, the position among the monitored underlyings.

        It is -1 for one that is no longer monitored.
        """
        self.in_vols: NDArray[np.bool_] = np.empty(0, np.bool_)
        """By code, whether the series is known by vols and deltas."""

    def of(self, series: Sequence[Series]) -> NDArray[np.int64]:
        """Codes of a vocabulary, entered where new; UNMONITORED or FULL where there is none."""
        if len(series) > REMEMBERED_SERIES:
            return self._codes_of(series)
        vocabulary = tuple(series)
        if vocabulary not in self._vocabularies:
            if len(self._vocabularies) >= REMEMBERED:
                self._vocabularies.clear()
            self._vocabularies[vocabulary] = self._codes_of(vocabulary)
        return self._vocabularies[vocabulary]

    def encode(self) -> bytes:
        """State chunk."""
        self.changed = False
        return msgspec.msgpack.encode(self.known)

    def restore(self, value: bytes | None) -> None:
        """Replace all codes by those of a chunk; None is a fresh start.

        Raises `ValueError` on foreign bytes. Of a table that is fuller than it may be, as earlier
        versions made them, the latest series of an underlying are left out.
        """
        known = [] if value is None else msgspec.msgpack.decode(value, type=list[Series])
        if len(set(known)) != len(known) or len(known) > self._limit:
            raise ValueError("a chunk of series with repetitions")
        self.known = known
        self.changed = False
        self._index()
        for code in self._too_many():
            self._release(code)
        self._index()

    def keep(self, codes: NDArray[np.int64]) -> None:
        """Forget all series but those of some codes, the only ones that a key still has."""
        for code in sorted(set(range(len(self.known))).difference(codes.tolist())):
            self._release(code)
        while self.known and not self.known[-1].underlying:
            self.known.pop()
        self.changed = True
        self._index()

    def _release(self, code: int) -> None:
        self.known[code] = Series("", str(code))
        self.changed = True

    def _too_many(self) -> list[int]:
        """Codes beyond the share of their underlying."""
        excess = {
            name: count - self._per_underlying
            for name, count in self._counts.items()
            if count > self._per_underlying
        }
        codes = []
        for code in range(len(self.known) - 1, -1, -1):
            name, root = self.known[code].underlying, self.known[code].root
            if root != name and excess.get(name, 0) > 0:
                excess[name] -= 1
                codes.append(code)
        return codes

    def _index(self) -> None:
        """What follows from `known`."""
        self._vocabularies.clear()
        held = {one: code for code, one in enumerate(self.known) if one.underlying}
        self._codes = held
        self._counts = Counter(one.underlying for one in held)
        self._free = [code for code, one in enumerate(self.known) if not one.underlying][::-1]
        self._place()

    def _codes_of(self, series: Sequence[Series]) -> NDArray[np.int64]:
        before = len(self._codes)
        codes = np.array(
            [self._codes[one] if one in self._codes else self._enter(one) for one in series],
            np.int64,
        )
        if len(self._codes) > before:
            self.changed = True
            self._place()
        return codes

    def _enter(self, series: Series) -> int:
        if series.underlying not in self._universe.position:
            return UNMONITORED
        full = (
            self._counts[series.underlying] >= self._per_underlying
            and series.root != series.underlying
        )
        if full or len(self._codes) >= self._limit:
            return FULL
        code = self._free.pop() if self._free else len(self.known)
        self.known[code : code + 1] = [series]
        self._counts[series.underlying] += 1
        return self._codes.setdefault(series, code)

    def _place(self) -> None:
        self.underlying = np.array(
            [self._universe.position.get(one.underlying, -1) for one in self.known], np.int64
        )
        self.in_vols = np.array([one.in_vols for one in self.known], np.bool_)
