"""Gauges of the rotation: strength and gaps, the signs of a mechanical one, and what comes next."""

from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client.core import GaugeMetricFamily

from agents.monitoring.event_calendar import EventCalendar
from streams.catalogue.measures import RULE_TENOR
from streams.detection.views.snapshot import Snapshot
from streams.market import IndexSpec
from streams.reading import Rotation

MEASURES: Final = (
    "index_return",
    "sector_dispersion",
    "sector_dispersion_z",
    "sector_range",
    "defensive_strength",
    "defensive_today",
    "mag7_spread",
)
"""Fields of `Rotation` that have a gauge; returns of sectors have one of their own."""
STATES: Final = {True: "passed", False: "failed", None: "unknown"}

Pictures = Sequence[tuple[IndexSpec, Snapshot]]


def rotation_gauges(pictures: Pictures) -> Iterator[GaugeMetricFamily]:
    """Strength, gaps and signs of the newest reading of each index; what is unknown is absent."""
    measures = _gauge(
        "rotation_ratio", "What sectors, defensives and leaders do.", "index", "measure"
    )
    signs = _gauge(
        "rotation_sign",
        "1 for the state of each sign of a mechanical rotation.",
        *("index", "sign", "state"),
    )
    for spec, snapshot in pictures:
        for name, value in _measures(_rotation(snapshot)):
            measures.add_metric([spec.symbol, name], value)
        for sign, passed in snapshot.signs.items():
            for outcome, state in STATES.items():
                value = float(passed is outcome)
                signs.add_metric([spec.symbol, sign.removeprefix("test_"), state], value)
    yield from (measures, signs)


def _rotation(snapshot: Snapshot) -> Rotation | None:
    reading = snapshot.readings.get(RULE_TENOR)
    return None if reading is None else reading.rotation


def _measures(rotation: Rotation | None) -> Iterator[tuple[str, float]]:
    for name in MEASURES if rotation is not None else ():
        value: float | None = getattr(rotation, name)
        if value is not None:
            yield name, value


def next_event_gauge(pictures: Pictures, calendar: EventCalendar) -> GaugeMetricFamily:
    """Sessions from that of the reading to the next event of a kind, those by rule too.

    Reports count for an index whose basket has the name.
    """
    family = _gauge(
        "next_event_sessions",
        "Sessions from that of the newest reading to the next event of a kind.",
        *("index", "kind"),
    )
    for spec, snapshot in pictures:
        reading = snapshot.readings.get(RULE_TENOR)
        if reading is not None:
            names = frozenset(one.symbol for one in spec.basket.constituents)
            for kind, ahead in calendar.ahead(reading.session, names).items():
                family.add_metric([spec.symbol, kind], ahead)
    return family


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"dispersion_{name}", text, labels=labels)
