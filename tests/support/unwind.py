"""A scripted unwind on the Monday of `tests.support.readings`.

The module also has how to read what was said about it.
"""

from datetime import timedelta
from typing import Any

from streams.detection.alerts.alert_event import AlertEvent
from streams.reading import Reading
from tests.support.readings import FRIDAY, MONDAY, Run, closing, path

CALM = (0.148, 0.44, 0.10)
SHOCK = (0.31, 0.53, 0.34)


def ramp(step: int = 1) -> list[Reading]:
    return path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=step)


def unwound() -> Run:
    """A run whose unwind is firing, critical, until 10:30:01."""
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), *ramp(10), *stay("10:20:11", 590, step=10)])
    return run


def stay(
    start: str, seconds: int, level: tuple[float, float, float] = SHOCK, **fields: Any
) -> list[Reading]:
    return path(MONDAY, start, seconds, [level, level], **fields)


def of(events: list[AlertEvent], rule: str) -> list[tuple[str, str, str]]:
    """(kind, severity, New York time) of one rule's intraday events."""
    return [
        (event.data.transition, event.data.severity, f"{event.time - timedelta(hours=4):%H:%M:%S}")
        for event in events
        if event.data.rule == rule
    ]
