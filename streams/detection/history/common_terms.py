"""Earlier instants on the terms of a session.

The expiries that a name's vol at 30 days is made of change by the calendar, and its vol steps with
them although nothing has moved. A close knows what its names would have been on the terms of the
next session. With that it is compared on common terms, and closes before it by the product of all
steps in between.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeVar

import msgspec

from streams.calendar.sessions import next_session
from streams.detection.history.days import DayFacts
from streams.detection.history.instant import Instant

Steps = Mapping[str, tuple[float, float]]
"""By name, of its variance and of its ATM vol; NaN where a step is not known."""
T = TypeVar("T", bound=Instant)


def steps_into(session: date, close: Instant | None) -> Steps:
    """The steps of names from a close to a session; none unless it is the next one."""
    if close is None or close.constituents is None or next_session(close.session) != session:
        return {}
    return {
        name: (math.nan if v is None else v, math.nan if s is None else s)
        for name, (v, s) in close.constituents.next_terms.items()
    }


def on_terms_of(session: date, closes: Sequence[DayFacts]) -> tuple[DayFacts, ...]:
    """Closes before a session, oldest first, with their names on its terms."""
    steps: dict[str, tuple[float, float]] = {}
    found: list[DayFacts] = []
    for close in reversed(closes):
        for name, (variance, vol) in steps_into(session, close).items():
            after = steps.get(name, (1.0, 1.0))
            steps[name] = (variance * after[0], vol * after[1])
        found.append(stepped(close, steps))
        session = close.session
    return tuple(reversed(found))


def stepped(instant: T, steps: Steps) -> T:
    """An instant whose names have taken steps; a name whose step is not known has no value."""
    names = instant.constituents
    if names is None or not steps:
        return instant
    ratios = [steps.get(symbol, (1.0, 1.0)) for symbol in names.symbols]
    return msgspec.structs.replace(
        instant,
        constituents=msgspec.structs.replace(
            names,
            variances=_times(names.variances, [variance for variance, _ in ratios]),
            atm_vols=_times(names.atm_vols, [vol for _, vol in ratios]),
            next_terms={},
        ),
    )


def _times(values: Sequence[float | None], ratios: Sequence[float]) -> tuple[float | None, ...]:
    return tuple(
        None if value is None or math.isnan(ratio) else value * ratio
        for value, ratio in zip(values, ratios, strict=True)
    )
