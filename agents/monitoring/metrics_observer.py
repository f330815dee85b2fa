"""The observers that feed the metrics: Redis operations and the relay."""

from agents.monitoring.metrics import Metrics
from streams.catalogue.counters import ALERT_EVENTS
from streams.detection.alerts.alert_event import AlertEvent


class MetricsObserver:
    """Implements `agents.store.client.RedisObserver` and `agents.alerts.relay.RelayObserver`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def redis_operation(self, operation: str, seconds: float) -> None:
        """One operation was answered, or given up."""
        self._metrics.redis_seconds.labels(operation).observe(seconds)

    def redis_error(self, operation: str, reason: str) -> None:
        """One operation failed."""
        self._metrics.redis_errors.labels(operation, reason).inc()

    def redis_in_use(self, change: int) -> None:
        """A connection was taken or given back."""
        self._metrics.redis_pool.inc(change)

    def outbox(self, partition: int, length: int, oldest: float) -> None:
        """Alert events that wait."""
        self._metrics.outbox_entries.labels(str(partition)).set(length)
        self._metrics.outbox_oldest.labels(str(partition)).set(oldest)

    def alert(self, event: AlertEvent, outcome: str) -> None:
        """What became of one alert event.

        It is published, repeated (found on the topic already) or error.
        """
        rule, transition = event.data.rule, event.data.transition
        self._metrics.count({ALERT_EVENTS.of(rule, transition, outcome): 1})

    def delivered(self, seconds: float) -> None:
        """The broker has acknowledged an alert event so long after its commit."""
        self._metrics.alert_delivery.observe(seconds)
