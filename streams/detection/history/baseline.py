"""The baseline: the closes before one session, and every statistic of them.

Rules, events and the wall take the statistics from it.

Nothing here is stored: all of it is rebuilt from facts, once a session.
"""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats
from analytics.changepoint import cusum
from analytics.ewma import ew_moments, ewma_z
from analytics.rolling import percentile_rank
from streams.catalogue.measures import RANKED
from streams.detection.history.days import LEVELS, DayFacts
from streams.detection.history.seasonality import Part, quarter_week

BANDS = {"p05": 5, "p10": 10, "p90": 90, "p95": 95}
SETTLING = 20
"""Changes before the exponentially weighted mean and sd, of that half-life, score one."""


class Chart(NamedTuple):
    """The daily changes of a measure after the latest close.

    They are told by their weighted mean and sd, and the two CUSUM of their scores.
    """

    mean: float
    sd: float
    up: float
    down: float


@dataclass(frozen=True)
class Baseline:
    """Closes before one session, oldest first, none before the last gap.

    Statistics are over the trailing `sessions` of them.
    """

    closes: tuple[DayFacts, ...] = ()
    sessions: int = 252
    minimum: int = 60
    """Observations below which a statistic is unknown."""
    season_weeks: int = 4
    """Weeks of a quarter that are a season; the others are the other one."""
    _rises: dict[Part, Floats] = field(default_factory=dict, init=False, repr=False, compare=False)
    _references: dict[str, Floats] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _charts: dict[str, Chart | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def close(self, back: int) -> DayFacts | None:
        """The close `back` stored sessions ago; None without one."""
        return self.closes[-back] if len(self.closes) >= back else None

    def levels(self, measure: str) -> Floats:
        """Known closes of a measure (`Instant.level`), trailing window.

        The array has a length of at most `sessions`.
        """
        return _known(self._levels_of(measure)[-self.sessions :])

    def rank(self, measure: str, value: float | None) -> float | None:
        """Percentile rank of a level; None while the history is too short."""
        return self._rank(self.levels(measure), value)

    def reference_rank(self, name: str, level: float) -> float | None:
        """Percentile rank of a published level; None while its history is too short."""
        if name not in self._references:
            known = [close.references.get(name) for close in self.closes[-self.sessions :]]
            self._references[name] = _known(np.array(known, dtype=np.float64))
        return self._rank(self._references[name], level)

    def season_rank(self, measure: str, value: float | None, session: date) -> float | None:
        """Rank of a level of `session` among the closes of the same season in the trailing window.

        None while they are too few.
        """
        column = self._levels_of(measure)[-self.sessions :]
        return self._rank(
            _known(column[self._early == (quarter_week(session) <= self.season_weeks)]), value
        )

    def changes(self, measure: str) -> Floats:
        """Session-to-session changes of a measure, trailing window; of index vol the log change."""
        column = self._levels_of(measure)
        return _known(
            np.diff(
                np.log(np.where(column > 0.0, column, np.nan)) if measure == "index_vol" else column
            )
        )

    def rank_of_change(self, move: float) -> float | None:
        """Rank of a rise of implied correlation among the daily ones."""
        return self._rank(self.changes("implied_correlation"), move)

    def rank_of_rise(self, move: float, part: Part) -> float | None:
        """Rank of a rise of implied correlation from the 60-minute low.

        It is ranked among the greatest rises that this part of each session saw.
        """
        if part not in self._rises:
            rises = [close.correlation_rises.get(part) for close in self.closes[-self.sessions :]]
            self._rises[part] = _known(np.array(rises, dtype=np.float64))
        return self._rank(self._rises[part], move)

    def chart(self, measure: str) -> Chart | None:
        """The chart of a measure's daily changes; None while they are too few or do not vary."""
        if measure not in self._charts:
            self._charts[measure] = self._draw(self.changes(measure))
        return self._charts[measure]

    @cached_property
    def bands(self) -> dict[str, dict[str, float]]:
        """Percentiles of each measure's closes; without those whose history is too short."""
        known = {measure: self.levels(measure) for measure in RANKED}
        return {
            measure: dict(
                zip(BANDS, np.percentile(levels, list(BANDS.values())).tolist(), strict=True)
            )
            for measure, levels in known.items()
            if len(levels) >= self.minimum
        }

    @cached_property
    def _early(self) -> NDArray[np.bool_]:
        """Whether each close of the trailing window lies in the first weeks of its quarter."""
        return np.array(
            [close.week <= self.season_weeks for close in self.closes[-self.sessions :]],
            dtype=np.bool_,
        )

    def _levels_of(self, measure: str) -> Floats:
        """Of the closes of the trailing window and of the one before it, NaN where unknown."""
        column: Floats = self._columns[LEVELS.index(measure)]
        return column

    @cached_property
    def _columns(self) -> Floats:
        """A row for each of `LEVELS`."""
        rows = [close.levels for close in self.closes[-self.sessions - 1 :]]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(LEVELS)).T.copy()

    def _draw(self, changes: Floats) -> Chart | None:
        if len(changes) < self.minimum:
            return None
        mean, sd = (float(moment[-1]) for moment in ew_moments(changes, SETTLING))
        up, down = cusum(_known(ewma_z(changes, SETTLING)[SETTLING:]))
        return (
            Chart(mean, sd, float(up[-1]), float(down[-1])) if np.isfinite(sd) and len(up) else None
        )

    def _rank(self, history: Floats, value: float | None) -> float | None:
        return (
            None
            if value is None or len(history) < self.minimum
            else float(percentile_rank(history, value))
        )


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]
