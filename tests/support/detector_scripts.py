"""Two scripts for the detector.

One begins without a past, and the past of the other is long enough for every rank.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from config.rules import load_rules
from streams.detection.detector_stage import DetectorStage
from streams.detection.history.days import encode_day
from streams.reading import Reading
from streams.records import InputRecord
from streams.stage import Output
from tests.support.past_closes import facts, weekdays
from tests.support.readings import (
    FRIDAY,
    INDEX,
    MARKET,
    MONDAY,
    TUESDAY,
    closing,
    eastern,
    path,
    record,
    toy,
)

CALM, SOME, SHOCK = (0.148, 0.44, 0.10), (0.19, 0.46, 0.17), (0.31, 0.53, 0.34)
USUAL, NEAR, CROWDED, PANIC = (
    (0.150, 0.440, 0.200),
    (0.147, 0.464, 0.146),
    (0.140, 0.480, 0.110),
    (0.260, 0.500, 0.420),
)
RULES = load_rules(cap_unknown=False)


@dataclass(frozen=True)
class Script:
    """Readings, and the chunks of the state that they begin with."""

    readings: tuple[Reading, ...]
    past: Mapping[str, bytes] = field(default_factory=dict)

    @cached_property
    def records(self) -> tuple[InputRecord, ...]:
        """The readings as they come."""
        return tuple(record(reading, offset) for offset, reading in enumerate(self.readings))

    def stage(self, store: Mapping[str, bytes] | None = None) -> DetectorStage:
        """A stage as it stands at the beginning, or with the chunks of a later moment."""
        stage = DetectorStage(MARKET, RULES)
        stage.restore(self.past if store is None else store)
        return stage

    @cached_property
    def whole(self) -> Output:
        """What an undisturbed stage makes of all records at once."""
        return self.stage().process(self.records)


def past() -> dict[str, bytes]:
    """70 closes in a wave up to the Friday, with the rises of the parts of each session."""
    out = {}
    for at, day in enumerate(weekdays(70)):
        wave, other = math.sin(at), math.cos(1.7 * at)
        close = facts(
            closing(day, USUAL[0] + 0.008 * wave, USUAL[1] + 0.02 * other, USUAL[2] + 0.05 * wave)
        )
        rises = {"opening": 0.03, "middle": 0.02 + 0.01 * wave, "closing": 0.04}
        out[f"day/{INDEX}/{day}"] = encode_day(
            msgspec.structs.replace(close, correlation_rises=rises)
        )
    return out


FRESH = Script(
    (
        closing(FRIDAY, *CALM),
        *path(MONDAY, "09:50:01", 1200, [CALM, SHOCK], step=20),
        toy(eastern(MONDAY, "10:10:05"), *SHOCK, tenor="91d", tenor_days=91),
        *path(MONDAY, "10:10:11", 200, [SHOCK, SHOCK], step=10, coverage=0.6),
        *path(MONDAY, "10:13:41", 200, [SHOCK, SHOCK], step=10, dropped=("N01",)),
        *path(MONDAY, "10:17:10", 40, [(0.6, 0.5, 0.9)] * 2, step=10),
        *path(MONDAY, "10:18:00", 900, [SHOCK, SOME, SOME], step=10),
        *path(MONDAY, "10:33:10", 300, [SOME, SOME], step=25, index_vol_bid=0.15),
        *path(MONDAY, "15:50:00", 800, [SHOCK, SHOCK], step=20),
        *path(TUESDAY, "09:44:00", 900, [SHOCK, SOME], step=15),
        *path(TUESDAY, "09:59:20", 2400, [SOME, SOME], step=25),
        *path(TUESDAY, "10:40:00", 400, [(0.25, 0.48, 0.24)] * 2, step=20),
        closing(TUESDAY, *CALM),
    )
)
"""Two eventful sessions.

They hold a ramp, lost coverage, a bad print, an exit, a session without its closing reading.
"""

RANKED = Script(
    (
        *path(MONDAY, "09:50:00", 2000, [USUAL, CROWDED, CROWDED, CROWDED], step=25),
        *path(MONDAY, "10:23:45", 200, [CROWDED, CROWDED], step=20, coverage=0.6),
        *path(MONDAY, "10:27:30", 900, [CROWDED, NEAR, NEAR], step=25),
        *path(MONDAY, "10:42:55", 1000, [NEAR, USUAL, USUAL, USUAL], step=25),
        *path(MONDAY, "15:28:00", 1900, [USUAL, PANIC, PANIC], step=25),
        closing(MONDAY, *PANIC),
        *path(TUESDAY, "09:44:00", 1500, [PANIC, PANIC, USUAL, USUAL], step=25),
        *path(TUESDAY, "10:09:25", 900, [USUAL, USUAL], step=25),
        closing(TUESDAY, *USUAL),
    ),
    past(),
)
"""A crowded trade, an unwind near the close with a known rank, and high correlation overnight.

The crowded trade suspends, lingers and ends.
"""
