"""The daily history of one index: one fact a session, and the baseline that ranks are taken in.

Facts, not statistics, are stored; every rank and window is recomputed from them, so that changing one needs no migration.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.rolling import percentile_rank
from streams.detection.history_codec import pack, unpack
from streams.detection.instant import Instant

Floats = NDArray[np.float64]
SESSIONS = 504
"""Facts kept."""
VECTORS = 6
"""Latest facts that keep their constituents in memory: the longest window is five sessions."""


class DayFacts(Instant, frozen=True, kw_only=True):
    """The close of one session, and what the session adds to the intraday baselines."""

    dispersion: float | None = None
    vol_spread: float | None = None
    correlation_rise: float | None = None
    """Greatest rise of implied correlation from a 60-minute low of index vol at any evaluated reading of the session."""


def encode_day(facts: DayFacts) -> bytes:
    """Chunk payload of one session's facts, for the detector and for `backfill` alike."""
    return pack(facts)


def decode_day(payload: bytes) -> DayFacts:
    """Facts in a chunk payload. Raises `ValueError` on foreign bytes."""
    return unpack(payload, DayFacts)


@dataclass(frozen=True)
class Baseline:
    """Closes before one session, oldest first, none before the last gap; ranks are over the trailing `sessions` of them."""

    closes: tuple[DayFacts, ...] = ()
    sessions: int = 252
    minimum: int = 60

    def close(self, back: int) -> DayFacts | None:
        """The close `back` stored sessions ago; None without one."""
        return self.closes[-back] if len(self.closes) >= back else None

    def levels(self, measure: str) -> Floats:
        """Known closes of a field of `DayFacts`, trailing window; array of length at most `sessions`."""
        values = [getattr(close, measure) for close in self.closes[-self.sessions :]]
        return np.array([value for value in values if value is not None], dtype=np.float64)

    def rank(self, measure: str, value: float | None) -> float | None:
        """Percentile rank of a level; None while the history is too short."""
        return None if value is None else self._rank(self.levels(measure), value)

    @cached_property
    def correlation_changes(self) -> Floats:
        """Session-to-session changes of implied correlation, trailing window."""
        values = np.array([close.implied_correlation for close in self.closes[-self.sessions - 1 :]], dtype=np.float64)
        steps = np.diff(values)
        return steps[np.isfinite(steps)]

    def rank_of_change(self, move: float) -> float | None:
        """Rank of a rise of implied correlation among the daily ones."""
        return self._rank(self.correlation_changes, move)

    @cached_property
    def correlation_rises(self) -> Floats:
        """Each session's greatest rise of implied correlation from a 60-minute low."""
        return self.levels("correlation_rise")

    def rank_of_rise(self, move: float) -> float | None:
        """Rank of a rise of implied correlation from the 60-minute low among the sessions' greatest."""
        return self._rank(self.correlation_rises, move)

    def _rank(self, history: Floats, value: float) -> float | None:
        return float(percentile_rank(history, value)) if len(history) >= self.minimum else None


class Days:
    """Facts of the sessions, oldest first, and the chunks that changed."""

    def __init__(self) -> None:
        self._facts: list[DayFacts] = []
        self._changed: dict[str, bytes] = {}

    def add(self, facts: DayFacts) -> None:
        """Store the facts of a session, the first word on a session wins; the oldest beyond `SESSIONS` go."""
        place = bisect_left(self._facts, facts.session, key=lambda known: known.session)
        if place < len(self._facts) and self._facts[place].session == facts.session:
            return
        self._facts.insert(place, facts)
        self._changed[facts.session.isoformat()] = encode_day(facts)
        while len(self._facts) > SESSIONS:
            self._changed[self._facts.pop(0).session.isoformat()] = b""
        self._thin()

    def baseline(self, session: date, basis: str, gap: timedelta, sessions: int, minimum: int) -> Baseline:
        """Closes before `session` of the same pair of vols, cut at a gap of more than `gap` between two of them or before `session`.

        The model-free and the ATM pair are never mixed; published levels belong to the model-free pair. Closes without
        a basket do not fill a gap between closes with one.
        """
        closes: list[DayFacts] = []
        newer = newer_pair = session
        for facts in reversed(self._facts):
            if facts.session >= session or (facts.basis == "atm") != (basis == "atm"):
                continue
            paired = facts.spread_level is not None
            if newer - facts.session > gap or (paired and newer_pair - facts.session > gap):
                break
            newer = facts.session
            newer_pair = facts.session if paired else newer_pair
            closes.append(facts)
        return Baseline(tuple(reversed(closes)), sessions, minimum)

    @property
    def newest(self) -> DayFacts | None:
        """Facts of the latest session; None without any."""
        return self._facts[-1] if self._facts else None

    def changed(self) -> dict[str, bytes]:
        """Chunk payloads by session since the last call; empty bytes delete."""
        changed, self._changed = self._changed, {}
        return changed

    def restore(self, payloads: Iterable[bytes]) -> None:
        """Replace all facts. Raises `ValueError` on foreign bytes."""
        self._facts = sorted((decode_day(payload) for payload in payloads), key=lambda facts: facts.session)
        self._changed = {}
        self._thin()

    def _thin(self) -> None:
        """Drop the constituents of all but the latest facts from memory; they stay in the store."""
        for place, facts in enumerate(self._facts[:-VECTORS]):
            if facts.constituents is not None:
                self._facts[place] = _without_constituents(facts)


def _without_constituents(facts: DayFacts) -> DayFacts:
    kept = {name: getattr(facts, name) for name in facts.__struct_fields__ if name != "constituents"}
    return DayFacts(**kept)
