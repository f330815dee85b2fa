"""A past made of closes.

They are published levels on the weekdays up to the Friday of `tests.support.readings`.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from streams.detection.history.baseline import Baseline
from streams.detection.history.days import DayFacts
from streams.detection.history.instant import instant_of
from streams.detection.rule_context import RuleContext
from streams.market import Gates
from streams.reading import Reading
from streams.records import NS
from tests.support.readings import FRIDAY, MONDAY, published

Levels = tuple[float, float, float, float]
"""VIX, VIXEQ, DSPX, COR1M in points."""


def weekdays(count: int, last: date = FRIDAY) -> list[date]:
    """The last weekdays up to and with `last`, oldest first."""
    days = [last - timedelta(days=back) for back in range(2 * count + 7)]
    return [day for day in reversed(days) if day.weekday() < 5][-count:]


def facts(reading: Reading) -> DayFacts:
    """What the reading leaves behind as a close."""
    now = instant_of(reading, int(reading.ts_event.timestamp()) * NS)
    fields = {name: getattr(now, name) for name in now.__struct_fields__}
    return DayFacts(**fields, dispersion=reading.dispersion, vol_spread=now.spread_level)


def baseline(levels: Sequence[Levels], **numbers: int) -> Baseline:
    """Closes with these levels, the last one Friday's."""
    days = weekdays(len(levels))
    return Baseline(
        tuple(facts(published(day, *row)) for day, row in zip(days, levels, strict=True)), **numbers
    )


def context(past: Baseline, now: Levels, session: date = MONDAY) -> RuleContext:
    """The close of a later session before that past."""
    reading = published(session, *now)
    return RuleContext(
        reading=reading,
        now=instant_of(reading, int(reading.ts_event.timestamp()) * NS),
        gates=Gates(),
        baseline=past,
    )
