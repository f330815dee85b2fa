"""Metrics of the ingest."""

from collections.abc import Mapping
from time import time

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics

from streams.catalogue.counters import DEAD_LETTERS
from streams.catalogue.outcomes import UNREAD
from streams.decoding.codec import REASONS
from streams.framing.intake import Intake
from streams.refusals.refused_batch import BATCH_REASONS

disable_created_metrics()  # type: ignore[no-untyped-call]


class IngestMetrics:
    """What went in and out, and how far behind the reading is."""

    def __init__(self, registry: CollectorRegistry, topic: str) -> None:
        self._topic = topic
        texts = {
            "records": "Records of the feed that were read.",
            "quotes": "Quotes in them.",
            "frames": "Frames that were published.",
        }
        self._counters = {
            name: Counter(f"dispersion_ingest_{name}", text, registry=registry)
            for name, text in texts.items()
        }
        self._letters = Counter(
            f"dispersion_{DEAD_LETTERS.name}",
            DEAD_LETTERS.help,
            DEAD_LETTERS.labels,
            registry=registry,
        )
        for reason in (*REASONS, *BATCH_REASONS):
            self._letters.labels(topic, reason)
        text = "Quotes that could not be read beside others of their record."
        self._unread = Counter(
            "dispersion_ingest_unread_quotes", text, ("reason",), registry=registry
        )
        for reason in (*UNREAD, "time"):
            self._unread.labels(reason)
        text = "Records between the last one read and the end of the log."
        self._lag = Gauge(
            "dispersion_ingest_lag_messages", text, ("topic", "partition"), registry=registry
        )
        text = "When everything read until then was published and committed, Unix seconds."
        self._success = Gauge(
            "dispersion_ingest_last_commit_timestamp_seconds", text, registry=registry
        )

    def take(self, intake: Intake) -> None:
        """Add what an intake has counted since the last call, and let it begin again at 0."""
        for name, counter in self._counters.items():
            counter.inc(intake.counts[name])
        for reason, records in intake.refused.items():
            self._letters.labels(self._topic, reason).inc(records)
        for reason, quotes in intake.unread.items():
            self._unread.labels(reason).inc(quotes)
        for counts in (intake.counts, intake.refused, intake.unread):
            counts.clear()

    def committed(self, lag: Mapping[int, int]) -> None:
        """A commit was made."""
        self._success.set(time())
        for partition, records in lag.items():
            self._lag.labels(self._topic, partition).set(records)
