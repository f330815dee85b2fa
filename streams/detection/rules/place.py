"""The place of a level in its history, as the rules on levels take it: extreme only where its season agrees.

Basket vol less index vol is high in the weeks of earnings and low after them. The bar is raised, nothing is muted: a
level is as high as the lower of two ranks, among all closes and among those of the same season, and as low as the higher
of them. While the season has too few closes the rank among all decides alone.
"""

from typing import NamedTuple

from streams.detection.scene import Scene

SEASON = "season_rank"


class Place(NamedTuple):
    """Ranks of one level, in (0, 1]."""

    rank: float
    season: float | None

    @property
    def high(self) -> float:
        """The rank that counts towards an upper bound."""
        return self.rank if self.season is None else min(self.rank, self.season)

    @property
    def low(self) -> float:
        """The rank that counts towards a lower bound."""
        return self.rank if self.season is None else max(self.rank, self.season)


def place(scene: Scene, measure: str) -> Place | None:
    """The place of a measure of this reading; None without a level or without history."""
    level, baseline = scene.level(measure), scene.baseline
    rank = baseline.rank(measure, level)
    return None if rank is None else Place(rank, baseline.season_rank(measure, level, scene.reading.session))


def season_values(scene: Scene, places: dict[str, Place]) -> dict[str, float | None]:
    """The seasonal ranks for the event, by the name of the measure."""
    return {f"{measure}_season_percentile_{scene.baseline.sessions}d": found.season for measure, found in places.items()}


def unknown(places: dict[str, Place]) -> tuple[str, ...]:
    """`season_rank` while the season of any of the levels has too few closes."""
    return (SEASON,) if any(found.season is None for found in places.values()) else ()
