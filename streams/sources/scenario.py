"""Scenarios: how far the vols and the spot of a real close move, and by when.

The ratios are those of volatility index closes on the day a scenario is named after. The path is
played from 10:00 to 10:30 ET of the next session: a ramp of twenty minutes, linear in the
logarithm, then held. A scenario is a constructed move of real quotes, never a record of what quotes
did on that day.
"""

from dataclasses import dataclass, replace
from math import exp, log, pi, sin
from types import MappingProxyType
from typing import Final, NamedTuple

START_SECONDS: Final = 30 * 60
"""From the open to the first refresh: 10:00 ET."""
RAMP_SECONDS: Final = 20 * 60
LENGTH_SECONDS: Final = 30 * 60


class ScenarioFactors(NamedTuple):
    """Factors on the close at one instant."""

    index_vol: float
    constituent_vol: float
    spot: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """Factors reached at the end of the ramp, and how often the market is quoted anew."""

    name: str
    index_ratio: float = 1.0
    """On the vols of every index."""
    constituent_ratio: float = 1.0
    spot_move: float = 0.0
    """Of every forward, for example -0.04."""
    wobble: float = 0.0
    """Amplitude of a swing of all vols, as a share; three periods in the half hour."""
    refresh_seconds: int = 10

    def __post_init__(self) -> None:
        if (
            min(self.index_ratio, self.constituent_ratio, 1 + self.spot_move) <= 0
            or not 1 <= self.refresh_seconds <= LENGTH_SECONDS
        ):
            raise ValueError(
                f"scenario {self.name}: ratios must be above 0, the spot move above -1 "
                "and the refresh between 1 s and 1800 s"
            )

    def every(self, seconds: int) -> "Scenario":
        """The same with another refresh. Raises `ValueError` outside 1 s to 1800 s."""
        return replace(self, refresh_seconds=seconds)

    def seconds(self) -> range:
        """Times of the refreshes, in seconds after 10:00 ET, both ends included."""
        return range(0, LENGTH_SECONDS + 1, self.refresh_seconds)

    def at(self, seconds: float) -> ScenarioFactors:
        """Factors so many seconds after 10:00 ET.

        >>> Scenario("half", index_ratio=4.0).at(600).index_vol
        2.0
        """
        done = min(max(seconds / RAMP_SECONDS, 0.0), 1.0)
        swing = self.wobble * sin(6 * pi * seconds / LENGTH_SECONDS)
        index, constituents, spot = (
            exp(done * log(x))
            for x in (self.index_ratio, self.constituent_ratio, 1 + self.spot_move)
        )
        return ScenarioFactors(index * (1 + swing), constituents * (1 + swing), spot)


SCENARIOS: Final = MappingProxyType(
    {
        one.name: one
        for one in (
            Scenario("unwind_2018_02", index_ratio=2.156, constituent_ratio=1.208, spot_move=-0.04),
            Scenario(
                "repricing_2020_03", index_ratio=1.43, constituent_ratio=1.32, spot_move=-0.03
            ),
            Scenario("calm", wobble=0.02),
        )
    }
)
"""The scenarios by name.

`unwind_2018_02`: VIX 17.31 to 37.32 on 2018-02-05, single names far behind.
`repricing_2020_03`: VIX 57.83 to 82.69 on 2020-03-16, single names with it.
`calm`: nothing but a swing of 2 %.
"""
