"""Metrics of a feed, and what its probes and its last line say."""

from collections import Counter as Tally
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

from streams.feeds.refused import REASONS

disable_created_metrics()  # type: ignore[no-untyped-call]

REQUESTS: Final = ("ok", "not_modified", "forbidden", "limited", "failed", "malformed")
PUBLISHED: Final = "published"
GAPS: Final = ("clock", "ended", "failed", "kafka", "slow")
STATES: Final = ("fresh", "stale", "missing")
SWEEP_SECONDS: Final = (1, 5, 15, 30, 60, 90, 120, 150, 180, 240, 300, 600, 1200)
_PREFIX: Final = "dispersion_feed_"


class FeedMetrics:
    """Counts of one feed; every label stands at 0 from the start."""

    def __init__(self, registry: CollectorRegistry, feed: str) -> None:
        self._feed = feed
        self.requests: Tally[str] = Tally()
        self.rows: Tally[str] = Tally()
        self.examples: dict[str, str] = {}
        """By reason, the latest of what was left out, in words."""
        self._requests = self._counter(registry, "requests", "Requests by outcome.", "outcome")
        self._rows = self._counter(registry, "rows", "Rows and documents by outcome.", "outcome")
        self._gaps = self._counter(registry, "gaps", "Times without quotes.", "reason")
        self._bytes = Counter(
            f"{_PREFIX}bytes", "Bytes of documents, unpacked.", ("feed",), registry=registry
        ).labels(feed)
        self._sweeps = Histogram(
            f"{_PREFIX}sweep_seconds",
            "How long a round over all names took.",
            ("feed",),
            buckets=SWEEP_SECONDS,
            registry=registry,
        ).labels(feed)
        self.source_age = self._gauge(
            registry, "source_age_seconds", "Age of the newest document or quote of the source."
        )
        self.connected = self._gauge(registry, "connected", "1 while the source answers.")
        self.last_beat = self._gauge(
            registry, "last_beat_timestamp_seconds", "When a heartbeat was published, Unix seconds."
        )
        self.open = self._gauge(registry, "open", "1 while the feed publishes.")
        self.delay = self._gauge(
            registry, "delay_seconds", "How far the feed's quotes are behind the clock."
        )
        self._names = Gauge(
            f"{_PREFIX}names", "Underlyings by state.", ("feed", "state"), registry=registry
        )
        for outcome in REQUESTS:
            self._requests.labels(feed, outcome)
        for outcome in (PUBLISHED, *REASONS):
            self._rows.labels(feed, outcome)
        for reason in GAPS:
            self._gaps.labels(feed, reason)
        self.names(dict.fromkeys(STATES, 0))

    def request(self, outcome: str, size: int = 0) -> None:
        """A request has ended."""
        self.requests[outcome] += 1
        self._requests.labels(self._feed, outcome).inc()
        self._bytes.inc(size)

    def row(self, outcome: str, rows: int, example: str = "") -> None:
        """Rows were published or left out."""
        self.rows[outcome] += rows
        self._rows.labels(self._feed, outcome).inc(rows)
        if example:
            self.examples[outcome] = example

    def gap(self, reason: str) -> None:
        """Quotes are missing."""
        self._gaps.labels(self._feed, reason).inc()

    def sweep(self, seconds: float) -> None:
        """A round has ended."""
        self._sweeps.observe(seconds)

    def names(self, states: dict[str, int]) -> None:
        """How many underlyings are in which state."""
        for state, count in states.items():
            self._names.labels(self._feed, state).set(count)

    def _counter(self, registry: CollectorRegistry, name: str, text: str, label: str) -> Counter:
        return Counter(f"{_PREFIX}{name}", text, ("feed", label), registry=registry)

    def _gauge(self, registry: CollectorRegistry, name: str, text: str) -> Gauge:
        return Gauge(f"{_PREFIX}{name}", text, ("feed",), registry=registry).labels(self._feed)
