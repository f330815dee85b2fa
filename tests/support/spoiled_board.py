"""The base board as quotes, with some of them spoiled, and what the flow makes of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time

import numpy as np

from analytics.arrays import Bools
from config.rules import load_rules
from streams.calendar.sessions import EASTERN
from streams.detection.alerts.alert_event import AlertEvent, decode_event
from streams.detection.history.days import DayFacts, decode_day
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.pipeline import Pipeline
from streams.reading import Reading
from streams.records import NS, InputRecord, Quotes
from streams.stage import Count
from streams.topics import Topics
from tests.support.base_board import EXPIRIES, INDEX, INDEX_VOL, SESSION, SPOTS, VOLS, WEIGHTS
from tests.support.input_records import frame_of, heartbeat
from tests.support.option_chains import Chain, quotes_of, taken

Spoil = Callable[[Quotes], Quotes]


def at(clock: str, session: date = SESSION) -> int:
    """A time of day in New York, ns."""
    return int(datetime.combine(session, time.fromisoformat(clock), EASTERN).timestamp()) * NS


def board(ts: int, times: float = 1.0) -> Quotes:
    """All quotes of the base board, stamped `ts`, with spreads of 2 % and at least two cents.

    Vols of the names are multiplied.
    """
    vols = {INDEX: INDEX_VOL, **{name: times * vol for name, vol in VOLS.items()}}
    chains = [
        Chain(name, EXPIRIES, vols[name], spot, step=spot / 100) for name, spot in SPOTS.items()
    ]
    quotes = quotes_of(chains, ts)
    mid = 0.5 * (quotes.bid + quotes.ask)
    half = np.maximum(0.01, 0.01 * mid)
    return quotes._replace(
        bid=np.maximum(np.round(mid - half, 2), 0.0), ask=np.round(mid + half, 2)
    )


def options(
    quotes: Quotes, name: str, *, call: bool = False, low: float = 0.0, high: float = 9.0
) -> Bools:
    """The quoted options of a name whose strikes are within shares of its spot."""
    own = np.array([one.underlying == name for one in quotes.series])[quotes.series_code]
    share = quotes.strike / SPOTS[name]
    mask: Bools = own & (quotes.call == call) & (share >= low) & (share <= high) & (quotes.bid > 0)
    return mask


def priced(quotes: Quotes, where: Bools, bid: float | None, ask: float | None) -> Quotes:
    """Some quotes with another bid or ask."""
    return quotes._replace(
        bid=quotes.bid if bid is None else np.where(where, bid, quotes.bid),
        ask=quotes.ask if ask is None else np.where(where, ask, quotes.ask),
    )


def without(quotes: Quotes, where: Bools) -> Quotes:
    """Not listed at all."""
    return taken(quotes, np.flatnonzero(~where))


@dataclass
class Told:
    """What the flow has said."""

    readings: list[Reading] = field(default_factory=list)
    events: list[AlertEvent] = field(default_factory=list)
    counts: dict[Count, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    closes: dict[date, DayFacts] = field(default_factory=dict)

    @property
    def last(self) -> Reading:
        """The latest reading with input."""
        return [one for one in self.readings if "no_input" not in one.flags][-1]

    def firing(self, rule: str) -> list[AlertEvent]:
        """Events that say that an alert of a rule fires."""
        return [
            one for one in self.events if one.data.rule == rule and one.data.transition == "firing"
        ]


def market() -> Market:
    names = tuple(Constituent(name, weight) for name, weight in WEIGHTS.items())
    return Market((IndexSpec(INDEX, Basket("five", names)),), mode="replay")


def told(boards: Iterable[Quotes]) -> Told:
    """Boards in order of time through the whole flow, the second of each closed."""
    topics, out = Topics(""), Told()
    flow = Pipeline(market(), load_rules(), 1, 1, topics)
    for made in flow.run(_records(boards, topics)):
        if isinstance(made, Reading):
            out.readings.append(made)
        else:
            out.events.append(decode_event(made.value))
    days = [value for name, value in flow.detector_chunks().items() if name.startswith("day/")]
    out.closes = {facts.session: facts for facts in map(decode_day, days)}
    out.counts = dict(flow.counts)
    out.examples = {reason: one.text for (_, reason), one in flow.examples.items()}
    return out


def _records(boards: Iterable[Quotes], topics: Topics) -> Iterable[InputRecord]:
    offset = 0
    for quotes in boards:
        ts = int(quotes.ts_event.max())
        prices, ticks = topics.name("quotes"), topics.name("ticks")
        for topic, record in (
            (prices, frame_of(quotes)),
            (prices, heartbeat(ts)),
            (ticks, heartbeat(ts)),
        ):
            yield record._replace(topic=topic, offset=offset)
            offset += 1
