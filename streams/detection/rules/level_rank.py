"""The place of a level in its history, as the rules on levels take it.

A level is extreme only where its season agrees.

Basket vol less index vol is high in the weeks of earnings and low after them. The bar is raised,
nothing is muted: a level is as high as the lower of two ranks, among all closes and among those of
the same season, and as low as the higher of them. While the season has too few closes the rank
among all decides alone.
"""

from collections.abc import Iterable
from typing import NamedTuple

from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition, condition

SEASON = "season_rank"
MEDIAN = 0.5
"""Rank of the neutral level, the median of the baseline."""


class LevelRank(NamedTuple):
    """Ranks of one level, in (0, 1], by the names that they have in events."""

    name: str
    rank: float
    season_name: str
    season: float | None
    """Among the closes of the same season; None while they are too few."""

    def above(self, entry: float, exit_level: float, *, strict: bool = False) -> Condition:
        """That the level is high: on the lower of its ranks."""
        if self.season is not None and self.season < self.rank:
            return condition(
                self.season_name, self.season, entry, MEDIAN, exit_level, strict=strict
            )
        return condition(self.name, self.rank, entry, MEDIAN, exit_level, strict=strict)

    def below(self, entry: float, exit_level: float, *, strict: bool = False) -> Condition:
        """That the level is low: on the higher of its ranks."""
        if self.season is not None and self.season > self.rank:
            return condition(
                self.season_name, self.season, entry, MEDIAN, exit_level, strict=strict
            )
        return condition(self.name, self.rank, entry, MEDIAN, exit_level, strict=strict)


def level_rank(context: RuleContext, measure: str) -> LevelRank | None:
    """The place of a measure of this reading; None without a level or without history."""
    level, baseline = context.level(measure), context.baseline
    rank = baseline.rank(measure, level)
    if rank is None:
        return None
    season = baseline.season_rank(measure, level, context.reading.session)
    window = f"percentile_{baseline.sessions}d"
    return LevelRank(f"{measure}_{window}", rank, f"{measure}_season_{window}", season)


def season_values(ranks: Iterable[LevelRank]) -> dict[str, float | None]:
    """The seasonal ranks for the event."""
    return {found.season_name: found.season for found in ranks}


def unknown(ranks: Iterable[LevelRank]) -> tuple[str, ...]:
    """`season_rank` while the season of any of the levels has too few closes."""
    return (SEASON,) if any(found.season is None for found in ranks) else ()
