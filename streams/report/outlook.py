"""What stands around an explanation: signs of a rotation, what comes next, who reports soon."""

from collections.abc import Sequence

import msgspec

from streams.detection.rules.mechanical_score import RotationEnter
from streams.detection.views.explainer import Explained
from streams.detection.views.explanation import Explanation
from streams.market import IndexSpec
from streams.report.calendar_section import Event, next_events
from streams.report.document import Sign
from streams.report.earnings_section import EarningsSection, earnings_section
from streams.report.price_table import PriceTable
from streams.report.score_section import defensives_and_largest, signs
from streams.report.watch_list import WatchList


class Outlook(Explanation, frozen=True, kw_only=True):
    """An explanation and what a calendar adds to it."""

    signs: tuple[Sign, ...]
    """The six of a mechanical rotation, each with its evidence."""
    events: tuple[Event, ...]
    """Of the next ten sessions."""
    earnings: EarningsSection
    """Vols and correlation without the names that report soon."""


class OutlookInputs(msgspec.Struct, frozen=True):
    """What it is made of, beside the explanation."""

    spec: IndexSpec
    numbers: RotationEnter
    watched: WatchList
    events: Sequence[Event] | None
    """Of the calendar; None without one."""


def outlook(found: Explained, given: OutlookInputs) -> Outlook:
    """An explanation with them; without prices the yield's part of the fourth sign is unknown."""
    context, told = found.context, found.explanation
    reading = context.reading
    weights = {one.symbol: one.weight for one in given.spec.basket.constituents}
    named = defensives_and_largest(given.watched.watch, weights)
    prices = PriceTable.of((), (), reading.session)
    return Outlook(
        **{name: getattr(told, name) for name in told.__struct_fields__},
        signs=signs(context, given.numbers, given.events, prices, named),
        events=next_events(reading.session, given.events or ()),
        earnings=earnings_section(reading, given.events),
    )
