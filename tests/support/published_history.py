"""Years of published closes through the daily form of the rules, run once (evaluation data)."""

from datetime import date
from functools import cache
from typing import NamedTuple

import msgspec

from config.rules import load_rules
from streams.detection.alerts.alert_event import AlertData, decode_event
from streams.evaluation.daily_run import DailyClose, daily_run
from streams.market import IndexSpec, Market
from streams.readings.published_reading import INDEX
from streams.sources.published_closes import PublishedCloses
from tests.support.evaluation import evaluation_data


class History(NamedTuple):
    """What the run made."""

    closes: tuple[DailyClose, ...]
    """Every session since `FIRST` that any of the files knows."""
    fired: tuple[AlertData, ...]
    """Firing and updated events."""

    @property
    def evaluated(self) -> list[str]:
        """Sessions whose four levels are known."""
        levels = ("index_vol", "basket_vol", "dispersion", "implied_correlation")
        return [
            close.reading.session.isoformat()
            for close in self.closes
            if all(getattr(close.reading, name) is not None for name in levels)
        ]

    def on(self, day: str, rule: str = "") -> list[AlertData]:
        """What caught a session."""
        return [
            event
            for event in self.fired
            if event.session.isoformat() == day and rule in {"", event.rule}
        ]


FIRST = date(2012, 1, 1)
"""Two years and a half before the first session that can be evaluated, more than rules look back.

The files begin in 1990; the earlier closes change no verdict and take a third of the time.
"""


@cache
def history(season_weeks: int = 4) -> History:
    """The run, with the rules as they are shipped but for the season."""
    files, rules = PublishedCloses(evaluation_data() / "vol_indices"), load_rules()
    baseline = msgspec.structs.replace(rules.baseline, season_weeks=season_weeks)
    rules = rules._replace(baseline=baseline)
    readings = (reading for reading in files.readings() if reading.session >= FIRST)
    closes = tuple(daily_run(readings, Market(indices=(IndexSpec(INDEX),), mode="replay"), rules))
    events = (decode_event(entry.value).data for close in closes for entry in close.events)
    return History(
        closes, tuple(event for event in events if event.transition in {"firing", "updated"})
    )
