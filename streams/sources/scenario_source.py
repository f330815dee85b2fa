"""A scenario as a source.

The last close of some option files is quoted again through the next session's move.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from streams.calendar.sessions import day_number, next_session, open_ns, session_of
from streams.market import Market
from streams.records import NS, Quotes, take_quotes
from streams.sources.closing_surface import closing_surface
from streams.sources.needed_terms import needed_rows
from streams.sources.refusals import Refusals
from streams.sources.scenario import START_SECONDS, Scenario
from streams.sources.source import Batch, Source, SourceUniverse
from streams.stage import Role


class ScenarioSource:
    """One refresh of all wanted contracts every few seconds.

    It runs from 10:00 to 10:30 ET of the session after the close.
    """

    role: Role = "quotes"

    def __init__(self, closes: Sequence[Source], scenario: Scenario, market: Market) -> None:
        self._closes = closes
        self._scenario = scenario
        self._market = market
        self.refusals = Refusals()
        """Of its own none: the files tell of theirs."""

    def batches(self, universe: SourceUniverse) -> Iterator[Batch]:
        """The refreshes; none when the files hold no wanted quotes in session."""
        close = last_close(self._closes, universe)
        today = None if close is None else session_of(int(close.ts_event[0]))
        if close is None or today is None:
            return
        played = next_session(today)
        start = open_ns(played) + START_SECONDS * NS
        times = (start, start + self._scenario.seconds()[-1] * NS)
        needed = take_quotes(
            close, np.flatnonzero(needed_rows(close, self._market, day_number(played), times))
        )
        surface = closing_surface(needed, self._market.rates, self._market.am_roots)
        indices = {index.symbol for index in self._market.indices}
        is_index = np.array([one.underlying in indices for one in close.series], dtype=np.bool_)
        for seconds in self._scenario.seconds():
            now, move = start + seconds * NS, self._scenario.at(seconds)
            ratio = np.where(is_index, move.index_vol, move.constituent_vol)
            yield Batch(
                now, surface.quotes(now, ratio, move.spot, float(self._scenario.refresh_seconds))
            )


def last_close(sources: Sequence[Source], universe: SourceUniverse) -> Quotes | None:
    """The quotes of the last second that any source has; None when there are none."""
    last: Batch | None = None
    for source in sources:
        for batch in source.batches(universe):
            if (
                isinstance(batch.rows, Quotes)
                and len(batch.rows.bid)
                and (last is None or batch.boundary >= last.boundary)
            ):
                last = batch
    return None if last is None or not isinstance(last.rows, Quotes) else last.rows
