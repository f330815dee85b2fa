"""The daily history of one index: one fact a session.

Facts, not statistics, are stored; every rank and window is recomputed from them, so that changing
one needs no migration.
"""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.catalogue.measures import RANKED
from streams.detection.history.instant import Instant
from streams.detection.history.seasonality import Part, quarter_week
from streams.detection.state_codec import pack, unpack

SESSIONS = 504
"""Facts kept."""
VECTORS = 6
"""Latest facts that keep their constituents in memory: the longest window is five sessions."""
LEVELS = (*RANKED, "vol_ratio")
"""Measures whose past closes are compared, by their names in `Instant.level`."""


class DayFacts(Instant, frozen=True, kw_only=True, dict=True):
    """The close of one session, and what the session adds to the intraday baselines."""

    dispersion: float | None = None
    vol_spread: float | None = None
    correlation_rises: dict[Part, float] = msgspec.field(default_factory=dict)
    """Greatest rise of implied correlation from a 60-minute low of index vol.

    It is taken at the evaluated readings of each part of the session.
    """

    doubts: tuple[str, ...] = ()
    """Flags for which the close is not believed: no rule compares with it."""
    references: dict[str, float] = msgspec.field(default_factory=dict)
    """Published levels of the close by name, decimals."""

    # a close is looked at again before each of the next 252 sessions: what follows from it is kept

    @cached_property
    def levels(self) -> NDArray[np.float64]:
        """`LEVELS`, NaN where unknown."""
        return np.array([self.level(measure) for measure in LEVELS], dtype=np.float64)

    @cached_property
    def paired(self) -> bool:
        """Whether both vols of the pair are known."""
        return self.spread_level is not None

    @cached_property
    def week(self) -> int:
        """`quarter_week` of the session."""
        return quarter_week(self.session)


def encode_day(facts: DayFacts) -> bytes:
    """Chunk payload of one session's facts, for the detector and for `backfill` alike."""
    return pack(facts)


def decode_day(payload: bytes) -> DayFacts:
    """Facts in a chunk payload. Raises `ValueError` on foreign bytes."""
    return unpack(payload, DayFacts)


class Days:
    """Facts of the sessions, oldest first, and the chunks that changed."""

    def __init__(self) -> None:
        self._facts: list[DayFacts] = []
        self._changed: dict[str, bytes] = {}

    def add(self, facts: DayFacts) -> None:
        """Store the facts of a session; the first word on a session wins.

        The oldest beyond `SESSIONS` go.
        """
        place = bisect_left(self._facts, facts.session, key=lambda known: known.session)
        if place < len(self._facts) and self._facts[place].session == facts.session:
            return
        self._facts.insert(place, facts)
        self._changed[facts.session.isoformat()] = encode_day(facts)
        while len(self._facts) > SESSIONS:
            self._changed[self._facts.pop(0).session.isoformat()] = b""
        self._thin()

    def before(self, session: date, basis: str, gap: timedelta) -> tuple[DayFacts, ...]:
        """Closes before `session` of the same pair of vols, oldest first.

        They are cut at a gap of more than `gap` between two or before `session`.

        The model-free and the ATM pair are never mixed; published levels belong to the model-free
        pair. Closes without a basket do not fill a gap between closes with one. Closes that are not
        believed are left out, and fill none either.
        """
        closes: list[DayFacts] = []
        newer = newer_pair = session
        for facts in reversed(self._facts):
            if facts.session >= session or (facts.basis == "atm") != (basis == "atm"):
                continue
            paired = facts.paired and not facts.doubts
            if newer - facts.session > gap or (paired and newer_pair - facts.session > gap):
                break
            newer = facts.session
            newer_pair = facts.session if paired else newer_pair
            if not facts.doubts:
                closes.append(facts)
        return tuple(reversed(closes))

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
        self._facts = sorted(
            (decode_day(payload) for payload in payloads), key=lambda facts: facts.session
        )
        self._changed = {}
        self._thin()

    def _thin(self) -> None:
        """Drop the constituents of all but the latest facts from memory; they stay in the store."""
        for place, facts in enumerate(self._facts[:-VECTORS]):
            if facts.constituents is not None:
                self._facts[place] = _without_constituents(facts)


def _without_constituents(facts: DayFacts) -> DayFacts:
    kept = {
        name: getattr(facts, name) for name in facts.__struct_fields__ if name != "constituents"
    }
    return DayFacts(**kept)
