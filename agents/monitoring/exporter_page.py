"""The exporter's page: its parts read Redis together within half a second.

Prometheus waits a second for a page. One that comes later says that the exporter is dead, where
Redis hangs.
"""

from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agents.monitoring.lag_gauges import LagGauges
from agents.monitoring.market_gauges import MarketGauges
from agents.monitoring.refused_gauge import RefusedGauge
from agents.process.call_timeout import call_within
from agents.process.exits import UnavailableError

PAGE_SECONDS = 0.5
"""For all that a page, or the answer to a probe, asks of Redis."""


class ExporterPage(Collector):
    """All gauges of an exporter; without Redis those that need none."""

    def __init__(self, market: MarketGauges, refused: RefusedGauge, lag: LagGauges) -> None:
        self._market = market
        self._refused = refused
        self._lag = lag

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing in advance: registering must not ask Redis."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The page."""
        try:
            yield from call_within("Redis", self._read, PAGE_SECONDS)
        except UnavailableError:
            yield from self._market.without_redis()
            yield self._lag.kafka_up()

    def _read(self) -> list[GaugeMetricFamily]:
        parts = (self._market, self._refused, self._lag)
        return [family for part in parts for family in part.collect()]
