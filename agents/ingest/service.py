"""The ingest as a service: follows a feed of single quotes on Kafka.

It publishes the quotes to the monitor as frames.
"""

import asyncio
import logging
import signal
from time import monotonic

from aiokafka.errors import CorruptRecordException, KafkaError, RecordTooLargeError
from prometheus_client import CollectorRegistry

from agents.ingest.feed_reader import FeedReader, Start
from agents.ingest.loop import DENIED, IngestLoop
from agents.ingest.metrics import IngestMetrics
from agents.ingest.plain_producer import PlainProducer
from agents.kafka.client import until_reached
from agents.kafka.publisher import LogLostError, RefusedMessageError
from agents.monitoring.health import PATHS
from agents.monitoring.http_server import HealthServer
from agents.monitoring.identity import identify
from agents.monitoring.probe_answer import HealthCheck, ProbeAnswer, probe_answer
from agents.process.exits import EXIT_OK, EXIT_UNAVAILABLE, ActionNeededError, UnavailableError
from agents.process.release_deadline import Deadline, DeadlineExceededError
from agents.topics.admin import check_topics, partitions_of
from config.connections import kafka_place
from config.settings import Settings
from streams.market import Market
from streams.topics import Topics

STOP_SECONDS = 3.0
CLOSE_SECONDS = 0.75
WELL_SECONDS = 15.0
"""A commit is tried every second: one that is older is a trouble."""
STALL_SECONDS = 120.0
"""A loop that is silent for so long hangs, unless it is Kafka that it waits for."""

log = logging.getLogger(__name__)


class IngestService:
    """Serves until stopped."""

    def __init__(self, settings: Settings, market: Market, start: Start) -> None:
        """Within an event loop.

        Raises `ConfigError`, and `ActionNeededError` when the address is taken.
        """
        self._settings = settings
        self._deadline = Deadline()
        registry = CollectorRegistry()
        identify(registry, settings)
        metrics = IngestMetrics(registry, settings.ingest.topic)
        self._reader = FeedReader(settings, settings.ingest.topic, start)
        self._producer = PlainProducer(settings)
        self._loop = IngestLoop(
            settings, market, self._reader, self._producer, self._deadline, metrics
        )
        self._server = HealthServer(
            settings.metrics.host, settings.metrics.port, registry, self._probe
        )
        self.url = self._server.url

    async def run(self) -> int:
        """Work until SIGTERM or SIGINT; the exit code.

        Raises `ActionNeededError`, `UnavailableError`.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(
                number, self._deadline.wind_down, STOP_SECONDS
            )
        self._server.start()
        log.info("metrics and health on %s", self.url)
        try:
            await self._work()
        except DeadlineExceededError:
            log.warning(
                "stopped while Kafka was away; "
                "the next start publishes again what was not committed"
            )
            return EXIT_UNAVAILABLE
        finally:
            self._server.stop()
            closing = [
                asyncio.ensure_future(client.close()) for client in (self._reader, self._producer)
            ]
            # Without Kafka they fail, or are cancelled by themselves, or do not end.
            await asyncio.wait(closing, timeout=CLOSE_SECONDS)
        return EXIT_OK

    async def _work(self) -> None:
        try:
            for client in (self._reader, self._producer):
                await self._deadline.within(client.open())
            # An outage is said once, by us.
            logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
            await self._loop.run(lambda: self._deadline.winding_down)
        except DENIED as error:
            raise ActionNeededError(
                f"Kafka denies us something: {error!r}; the runbook lists what the ingest needs"
            ) from error
        except (CorruptRecordException, RecordTooLargeError) as error:
            raise ActionNeededError(
                f"the feed cannot be read on: {error}; "
                "mend the broker's log, or delete the records up to behind it"
            ) from error
        except KafkaError as error:
            if not error.retriable:
                raise ActionNeededError(
                    f"Kafka refuses us: {error!r}; see `dispersion doctor`"
                ) from error
            place = kafka_place(self._settings.kafka)
            raise UnavailableError(
                f"{place} cannot be reached ({error}): check that it runs"
            ) from error
        except LogLostError as error:
            raise UnavailableError(str(error)) from error
        except RefusedMessageError as error:
            raise ActionNeededError(str(error)) from error

    def _probe(self, path: str, query: str) -> ProbeAnswer | None:
        if path not in PATHS:
            return None
        silent, well = monotonic() - self._loop.beat, self._loop.well
        checks = [
            HealthCheck(
                "loop",
                silent <= STALL_SECONDS or self._loop.waiting,
                f"last ran {silent:.1f} s ago",
                silent,
            )
        ]
        if path != "/livez":
            age = silent if well is None else monotonic() - well
            words = "no commit yet" if well is None else f"last commit {age:.1f} s ago"
            checks.append(
                HealthCheck("kafka", well is not None and age <= WELL_SECONDS, words, age)
            )
        return probe_answer(path, query, checks, {})


def run_ingest(settings: Settings, market: Market, start: Start) -> int:
    """Ingest until SIGTERM or SIGINT; the exit code.

    Raises `ConfigError`, `ActionNeededError`, `UnavailableError`.
    """
    if settings.ingest.topic in Topics(settings.kafka.topic_prefix).all().values():
        raise ActionNeededError(
            f"{settings.ingest.topic} is a topic of the monitor itself: name the feed's topic"
        )
    seconds = settings.worker.start_seconds
    until_reached(lambda: check_topics(settings), seconds).refuse()
    if not until_reached(lambda: partitions_of(settings, settings.ingest.topic), seconds):
        raise ActionNeededError(
            f"there is no topic {settings.ingest.topic}: "
            "correct ingest.topic or --topic, or grant Describe on it"
        )

    async def serve() -> int:
        return await IngestService(settings, market, start).run()

    return asyncio.run(serve())
