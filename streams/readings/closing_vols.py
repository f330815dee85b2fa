"""The vols at the closes of the latest sessions, and at the open of the current one."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise

import numpy as np

from streams.readings.grid_window import GAP_DAYS
from streams.readings.vols_at import VolsAt, read_vols

PREFIX = "vols/"
OPENING = f"{PREFIX}open"
KEEP = 21
"""Sessions kept: a change over 20 sessions, and one to spare."""


class ClosingVols:
    """Vols by session. State: one chunk a session, and one of the open."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        """`symbols` are the names by position, the index last."""
        self._symbols = symbols
        self._days: dict[date, VolsAt] = {}
        self._unsaved: set[str] = set()
        self._gone: set[str] = set()
        self.opening: VolsAt | None = None
        """Of the current session; None until it is believed."""

    def begin(self) -> None:
        """A new session: it has no opening yet."""
        if self.opening is not None:
            self._gone.add(OPENING)
        self.opening = None

    def open(self, vols: VolsAt) -> None:
        """Keep the vols of the open."""
        self.opening = vols
        self._gone.discard(OPENING)
        self._unsaved.add(OPENING)

    def close(self, vols: VolsAt) -> None:
        """Keep the vols of a close."""
        self._days[vols.session] = vols
        self._unsaved.add(_name(vols.session))
        for day in sorted(self._days)[:-KEEP]:
            del self._days[day]
            self._unsaved.discard(_name(day))
            self._gone.add(_name(day))

    def on_next_terms(self, ratios: Mapping[str, tuple[float, float]]) -> None:
        """A session begins on whose terms names are valued otherwise: so are the closes before it.

        `ratios` are those of variances and ATM vols; a close without one has no vol any more.
        """
        rows = [at for at, symbol in enumerate(self._symbols) if symbol in ratios]
        of = np.array([ratios[self._symbols[at]] for at in rows]).reshape(len(rows), 2)
        for day, vols in self._days.items():
            variance, atm_vol = vols.variance.copy(), vols.atm_vol.copy()
            variance[rows] *= of[:, 0]
            atm_vol[rows] *= of[:, 1]
            self._days[day] = vols._replace(variance=variance, atm_vol=atm_vol)
            self._unsaved.add(_name(day))

    def before(self, session: date, *, atm_only: bool) -> list[VolsAt]:
        """Closes before a session of the same pair of vols, the latest first.

        Closes without an index vol are left out, and none is older than a gap of more than ten
        calendar days.
        """
        known = [
            vols
            for day, vols in sorted(self._days.items(), reverse=True)
            if day < session and vols.atm_only == atm_only and vols.paired
        ]
        days = [session, *(vols.session for vols in known)]
        gaps = (
            at for at, (later, day) in enumerate(pairwise(days)) if (later - day).days > GAP_DAYS
        )
        return known[: next(gaps, len(known))]

    def changed(self) -> Iterator[tuple[str, bytes]]:
        """Chunks since the last call; an empty value deletes one."""
        yield from ((name, b"") for name in sorted(self._gone))
        for name in sorted(self._unsaved):
            vols = self.opening if name == OPENING else self._days[_day(name)]
            if vols is not None:
                yield name, vols.chunk(self._symbols)
        self._unsaved.clear()
        self._gone.clear()

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Take the chunks of a checkpoint. Raises `ValueError` on foreign bytes."""
        for name, value in chunks.items():
            if name == OPENING:
                self.opening = read_vols(value, self._symbols)
            elif name.startswith(PREFIX):
                self._days[_day(name)] = read_vols(value, self._symbols)


def _name(session: date) -> str:
    return f"{PREFIX}{session}"


def _day(name: str) -> date:
    return date.fromisoformat(name.removeprefix(PREFIX))
