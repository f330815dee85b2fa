"""The sessions that are evaluated: closing readings of one index.

They have the levels that every rule needs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics.practice import Levels
from streams.catalogue.measures import RULE_TENOR
from streams.reading import Reading

Rows = NDArray[np.int64]

_APART = 1_000_000
"""Added to positions at a gap: nothing reaches across it."""


@dataclass(frozen=True)
class Closes:
    """Closes of t evaluated sessions, oldest first."""

    index: str
    sessions: tuple[date, ...]
    levels: Levels
    runs: tuple[slice, ...]
    """Rows between gaps; rules begin anew in each."""
    positions: Rows
    """Sessions counted, with a great step at each gap."""

    @cached_property
    def row(self) -> dict[date, int]:
        """Row of each session."""
        return {session: at for at, session in enumerate(self.sessions)}


def closes_of(readings: Iterable[Reading], index: str, gap_days: int) -> Closes:
    """Sessions whose close has index vol, basket vol and implied correlation.

    Without dispersion its rules are unknown.

    Args:
        readings: of any index, tenor and second.
        index: the one evaluated, at 30 days.
        gap_days: calendar days; a longer gap ends a run.
    """
    found: dict[date, Reading] = {}
    for one in readings:
        known = None not in (one.index_vol, one.basket_vol, one.implied_correlation)
        if (
            one.index == index
            and one.tenor == RULE_TENOR
            and "session_close" in one.flags
            and known
        ):
            found.setdefault(one.session, one)
    sessions = tuple(sorted(found))
    levels = Levels(
        *(
            _column([getattr(found[session], name) for session in sessions])
            for name in Levels._fields
        )
    )
    gap = timedelta(days=gap_days)
    starts = [at for at in range(len(sessions)) if not at or sessions[at] - sessions[at - 1] > gap]
    runs = tuple(slice(start, end) for start, end in pairwise([*starts, len(sessions)]))
    positions = np.concatenate(
        [np.arange(run.start, run.stop) + _APART * at for at, run in enumerate(runs)]
        or [np.zeros(0, np.int64)]
    )
    return Closes(index, sessions, levels, runs, positions.astype(np.int64))


def _column(values: list[float | None]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)
