"""Market gauges, read from the snapshots in Redis at every scrape.

Nothing is cached, so nothing can outlive its truth.
Workers export no market value: when Kafka moves an index from one worker to another, the first
would go on telling its last number. Values are decimals; ages are for PromQL to compute.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import RedisError

from agents.monitoring.event_calendar import EventCalendar
from agents.monitoring.market_families import rendered
from agents.monitoring.market_view import pictures
from agents.monitoring.rotation_gauges import next_event_gauge
from agents.monitoring.snapshot_gauges import looked, redis_up, snapshot_up, snapshots_there
from streams.market import IndexSpec
from streams.safe_text import safe

SAID_EVERY = 60.0
"""Seconds between log lines on snapshots that are none."""

log = logging.getLogger(__name__)


class MarketGauges(Collector):
    """A custom collector over the snapshot views of some indices."""

    def __init__(
        self,
        redis: Redis,
        prefix: str,
        indices: Sequence[IndexSpec],
        calendar_file: Path | None = None,
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._indices = indices
        self._calendar = EventCalendar(calendar_file)
        self._said = -SAID_EVERY

    def problems(self) -> list[str]:
        """Snapshots that cannot be shown, in words.

        Raises `RedisError`.
        """
        look = looked(self._redis, self._prefix, self._indices)
        rendered(look)
        return list(look.unreadable.values())

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing in advance: registering must not ask Redis."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All gauges of all indices that have a snapshot; one that is none leaves the others."""
        try:
            look = looked(self._redis, self._prefix, self._indices)
        except RedisError:
            yield from self.without_redis()
            return
        shown = rendered(look)
        self._warn(look.unreadable)
        yield redis_up(1.0)
        yield from snapshots_there(self._indices, look)
        yield from shown
        yield next_event_gauge(pictures(look.views), self._calendar)

    def without_redis(self) -> Iterator[GaugeMetricFamily]:
        """What is there while Redis does not answer."""
        yield redis_up(0.0)
        yield snapshot_up(self._indices, frozenset())

    def _warn(self, unreadable: Mapping[str, str]) -> None:
        if unreadable and monotonic() - self._said >= SAID_EVERY:
            self._said = monotonic()
            told = safe("; ".join(unreadable.values()))
            log.warning("%s; left out until a worker writes the next", told)
