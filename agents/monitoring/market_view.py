"""Indices as Redis shows them, and what the gauges of the market are made with."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily

from agents.monitoring.freshness import event_time, fresh_from
from streams.detection.views.snapshot import Snapshot
from streams.market import IndexSpec
from streams.reading import Reading


@dataclass(frozen=True, slots=True)
class View:
    """One index as Redis shows it."""

    spec: IndexSpec
    snapshot: Snapshot
    published_at: float

    @property
    def fresh_from(self) -> float:
        """Unix time from which the wall counts the age of what it shows."""
        return fresh_from(self.snapshot.mode, event_time(self.snapshot.readings), self.published_at)


class SnapshotViews(NamedTuple):
    """What Redis holds of the indices."""

    views: list[View]
    unreadable: dict[str, str]
    """Index → why its snapshot cannot be shown."""


def pictures(views: Sequence[View]) -> list[tuple[IndexSpec, Snapshot]]:
    """Index and snapshot."""
    return [(view.spec, view.snapshot) for view in views]


def gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    """A family of gauges of the product."""
    return GaugeMetricFamily(f"dispersion_{name}", text, labels=labels)


def readings_of(views: Iterable[View]) -> Iterator[tuple[str, Reading]]:
    """Symbol and reading, of every tenor."""
    return (
        (view.spec.symbol, reading) for view in views for reading in view.snapshot.readings.values()
    )
