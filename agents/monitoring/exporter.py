"""The exporter: market gauges on `/metrics`, read from Redis at every scrape.

Two of them are redundancy, not conflict.
"""

import logging
import signal
import threading

from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError

from agents.monitoring.exporter_page import PAGE_SECONDS, ExporterPage
from agents.monitoring.health import PATHS
from agents.monitoring.http_server import HealthServer
from agents.monitoring.identity import identify
from agents.monitoring.lag_gauges import LagGauges
from agents.monitoring.log_ends import LogEnds
from agents.monitoring.market_gauges import MarketGauges
from agents.monitoring.probe_answer import HealthCheck, ProbeAnswer, probe_answer
from agents.monitoring.refused_gauge import RefusedGauge
from agents.plans import first_inputs, stage_inputs
from agents.process.call_timeout import call_within
from agents.process.exits import EXIT_OK, UnavailableError
from agents.store.sync import connect_sync
from config.market import market_of
from config.settings import Settings

log = logging.getLogger(__name__)


class Exporter:
    """Serves until stopped."""

    def __init__(self, settings: Settings) -> None:
        """Raises `ConfigError`, and `ActionNeededError` when the address is taken."""
        self._redis = connect_sync(settings.redis, PAGE_SECONDS)
        self._gauges = MarketGauges(
            self._redis,
            settings.kafka.topic_prefix,
            market_of(settings).indices,
            settings.events_file,
        )
        inputs = stage_inputs(settings)
        self._ends = LogEnds(settings, [topic for topics in inputs.values() for topic in topics])
        registry = CollectorRegistry()
        identify(registry, settings)
        registry.register(
            ExporterPage(
                self._gauges,
                RefusedGauge(self._redis, first_inputs(settings)),
                LagGauges(self._redis, self._ends, inputs),
            )
        )
        self._server = HealthServer(
            settings.metrics.host, settings.metrics.port, registry, self._probe
        )
        self.url = f"{self._server.url}/metrics"

    def start(self) -> None:
        """Begin to answer."""
        self._ends.start()
        self._server.start()

    def stop(self) -> None:
        """Close the port and the connections."""
        self._server.stop()
        self._ends.stop()
        self._redis.close()

    def _probe(self, path: str, query: str) -> ProbeAnswer | None:
        if path not in PATHS:
            return None
        if path == "/livez":
            return probe_answer(
                path, query, [HealthCheck("server", ok=True, message="answers")], {}
            )
        return probe_answer(path, query, self._checks(), {})

    def _checks(self) -> list[HealthCheck]:
        try:
            problems = call_within("Redis", self._gauges.problems, PAGE_SECONDS)
        except (RedisError, UnavailableError):
            return [HealthCheck("redis", ok=False, message="does not answer")]
        told = "; ".join(problems) or "can be read"
        return [
            HealthCheck("redis", ok=True, message="answers"),
            HealthCheck("snapshots", ok=not problems, message=told),
        ]


def run_exporter(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    exporter = Exporter(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    exporter.start()
    log.info("market gauges on %s", exporter.url)
    stop.wait()
    exporter.stop()
    return EXIT_OK
