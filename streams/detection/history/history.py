"""The history of one index.

It has the closes of its sessions, the last hour, the latest reading and the spike gate.
A session's fact is written when its closing reading (flag `session_close`) has been evaluated.
When none arrives, because the feed died before the close, the session's last reading becomes its
close as soon as a reading of a later session arrives: a known value a little before the close is a
better reference than none, and its own time stands beside it.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import msgspec

from streams.detection.gates import SpikeHold
from streams.detection.history.baseline import Baseline
from streams.detection.history.common_terms import on_terms_of
from streams.detection.history.days import DayFacts, Days
from streams.detection.history.instant import Instant
from streams.detection.history.seasonality import Part, part_of_session
from streams.detection.history.window import Sample, Window
from streams.detection.numbers import Lookback
from streams.detection.state_codec import pack, unpack
from streams.reading import Basis, Reading


class SessionProgress(msgspec.Struct):
    """The small state of the session in progress."""

    session: date | None = None
    closed: bool = False
    """The session's fact has been written."""
    rises: dict[Part, float] = {}
    """Greatest rise of implied correlation from a 60-minute low so far, by part of the session."""
    samples: list[Sample] = []
    spike: SpikeHold = msgspec.field(default_factory=SpikeHold)
    atm_doubted: int = 0
    """The latest reading (ns) whose ATM vols or correlation a gate forbade to judge."""


class History:
    """What the rules compare a reading with. `lookback` says how far back ranks look."""

    def __init__(self, lookback: Lookback) -> None:
        self._lookback = lookback
        self.days = Days()
        self.window = Window()
        self.progress = SessionProgress()
        self._last: DayFacts | None = None
        self._baselines: dict[tuple[date, bool], Baseline] = {}
        self._dirty = False

    def begin(self, session: date) -> bool:
        """Whether a reading of `session` begins it.

        If so, the session before is closed and the window emptied.
        """
        if self.progress.session == session:
            return False
        if self._last is not None and not self.progress.closed:
            self._store(self._last)
        self.progress = SessionProgress(session=session)
        self.window.clear()
        self._baselines.clear()
        self._dirty = True
        return True

    def baseline(self, session: date, basis: Basis) -> Baseline:
        """Closes before a session that may be compared with readings of this basis."""
        key = (session, basis == "atm")
        if key not in self._baselines:
            lookback = self._lookback
            closes = self.days.before(session, basis, timedelta(days=lookback.gap_days))
            closes = on_terms_of(session, closes)
            self._baselines[key] = Baseline(
                closes, lookback.sessions, lookback.minimum, lookback.season_weeks
            )
        return self._baselines[key]

    def note(self, reading: Reading, now: Instant) -> None:
        """Remember the session's latest reading."""
        self._last = _facts(reading, now, self.progress.rises)
        self._dirty = True

    def close(self) -> None:
        """The latest reading was the session's last."""
        if self._last is not None and not self.progress.closed:
            self._store(self._last)
            self.progress.closed = True

    def evaluated(self, now: Instant, width: float | None, rise: float | None) -> None:
        """Take an evaluated reading into the window.

        `rise` is that of implied correlation from the 60-minute low.
        """
        self.window.add(now, width)
        if rise is not None:
            part = part_of_session(now.ts, now.session)
            self.progress.rises[part] = max(rise, self.progress.rises.get(part, rise))

    def chunks(self, index: str) -> dict[str, bytes]:
        """Chunks that changed since the last call."""
        out = {
            f"day/{index}/{session}": payload for session, payload in self.days.changed().items()
        }
        out |= {
            f"minute/{index}/{minute}": payload for minute, payload in self.window.changed().items()
        }
        if self._dirty:
            self.progress.samples = self.window.samples
            out[f"session/{index}"] = pack(self.progress)
            out[f"last/{index}"] = pack(self._last)
            self._dirty = False
        return out

    def restore(self, chunks: Mapping[tuple[str, str], bytes]) -> None:
        """Replace everything by chunks under (kind, name). Raises `ValueError` on foreign ones."""
        self.days.restore(payload for (kind, _), payload in chunks.items() if kind == "day")
        session, last = chunks.get(("session", "")), chunks.get(("last", ""))
        self.progress = unpack(session, SessionProgress) if session else SessionProgress()
        self._last = unpack(last, DayFacts | None) if last else None  # type: ignore[arg-type]
        self.window.restore(
            {name: payload for (kind, name), payload in chunks.items() if kind == "minute"},
            self.progress.samples,
        )
        self._baselines.clear()
        self._dirty = False

    def _store(self, facts: DayFacts) -> None:
        self.days.add(facts)
        self._baselines.clear()


def _facts(reading: Reading, now: Instant, rises: dict[Part, float]) -> DayFacts:
    return DayFacts(
        ts=now.ts,
        session=now.session,
        basis=now.basis,
        index_vol=now.index_vol,
        basket_vol=now.basket_vol,
        index_atm_vol=now.index_atm_vol,
        basket_atm_vol=now.basket_atm_vol,
        implied_correlation=now.implied_correlation,
        constituents=now.constituents,
        dispersion=reading.dispersion,
        vol_spread=now.spread_level,
        correlation_rises=dict(rises),
        doubts=reading.close_doubts,
        references=reading.references,
    )
