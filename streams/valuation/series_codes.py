"""Local codes of option series: what the keys of a book call an (underlying, root)."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.records import Series
from streams.valuation.contract_key import SERIES_LIMIT
from streams.valuation.monitored import Monitored

UNMONITORED, FULL = -1, -2
"""Instead of a code."""
REMEMBERED, REMEMBERED_SERIES = 64, 4096
"""So many vocabularies of at most so many series are remembered with their codes."""


class SeriesCodes:
    """Series of monitored underlyings in order of arrival; a code is for ever, because keys are made of it."""

    def __init__(self, monitored: Monitored, limit: int = SERIES_LIMIT) -> None:
        self._monitored, self._limit = monitored, limit
        self._codes: dict[Series, int] = {}
        self._vocabularies: dict[tuple[Series, ...], NDArray[np.int64]] = {}
        self.known: list[Series] = []
        """By code."""
        self.underlying: NDArray[np.int64] = np.empty(0, np.int64)
        """By code, the position among the monitored underlyings; -1 for one that is no longer monitored."""
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
        return msgspec.msgpack.encode(self.known)

    def restore(self, value: bytes | None) -> None:
        """Replace all codes by those of a chunk; None is a fresh start. Raises `ValueError` on foreign bytes."""
        known = [] if value is None else msgspec.msgpack.decode(value, type=list[Series])
        if len(set(known)) != len(known) or len(known) > self._limit:
            raise ValueError("a chunk of series with repetitions")
        self._vocabularies.clear()
        self.known, self._codes = known, {one: code for code, one in enumerate(known)}
        self._place()

    def _codes_of(self, series: Sequence[Series]) -> NDArray[np.int64]:
        before = len(self.known)
        codes = np.array([self._codes[one] if one in self._codes else self._enter(one) for one in series], np.int64)
        if len(self.known) > before:
            self._place()
        return codes

    def _enter(self, series: Series) -> int:
        if series.underlying not in self._monitored.position:
            return UNMONITORED
        if len(self.known) >= self._limit:
            return FULL
        self.known.append(series)
        return self._codes.setdefault(series, len(self.known) - 1)

    def _place(self) -> None:
        self.underlying = np.array([self._monitored.position.get(one.underlying, -1) for one in self.known], np.int64)
        self.in_vols = np.array([one.in_vols for one in self.known], np.bool_)
