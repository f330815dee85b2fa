"""A cross-section that is fed frames one by one."""

from typing import Any

from streams.calendar.sessions import close_ns
from streams.points import PointsFrame
from streams.reading import Reading
from streams.readings.cross_section import CrossSection
from streams.records import NS
from streams.stage import Output
from tests.support.points_frames import SESSION, market, second, spec

VOLS = {"IDX": 0.18, "A": 0.30, "B": 0.25, "C": 0.40, "D": 0.20}
WEIGHTS = {"A": 0.40, "B": 0.25, "C": 0.20, "D": 0.15}
"""The four names of the worked example in methodology 3.4."""
CLOSE = close_ns(SESSION)


class Run:
    """One index over a basket, with its counts."""

    def __init__(self, weights: dict[str, float] | None = None, **more: Any) -> None:
        index = spec(WEIGHTS if weights is None else weights, **more)
        self.section = CrossSection(index, market(index))
        self.counts = Output().counts

    def feed(self, *frames: PointsFrame) -> list[Reading]:
        """Readings that these frames complete."""
        return [
            reading for each in frames for reading in self.section.receive(each, b"", self.counts)
        ]


def at(readings: list[Reading]) -> list[float]:
    """Seconds after the open of readings."""
    return [reading.ts_event.timestamp() - second(0) / NS for reading in readings]
