"""`dispersion reporter`: one report a session and index, written to a folder and published.

What is there already is read from the topic of reports, so that a restart neither repeats nor loses
one. Whatever fails is tried again until it is done.
"""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from time import monotonic, time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics

from agents.kafka.client import until_reached
from agents.monitoring.health import PATHS
from agents.monitoring.http_server import HealthServer
from agents.monitoring.identity import identify
from agents.monitoring.probe_answer import HealthCheck, ProbeAnswer, probe_answer
from agents.process.exits import EXIT_OK, ActionNeededError, UnavailableError
from agents.report.reports_topic import ReportsTopic
from agents.report.session_ends import last_readings
from agents.report.session_report import report_session
from agents.store.shown_snapshot import Shown, UnreadableError, shown_snapshot
from agents.store.sync import connect_sync, redis_failures
from config.errors import ConfigError
from config.settings import Settings
from streams.calendar.sessions import close_ns
from streams.catalogue.measures import RULE_TENOR
from streams.reading import Reading
from streams.records import NS
from streams.report.build import report_id
from streams.report.ended import has_ended, is_overdue
from streams.sources.source_error import SourceError

LOOK_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 2.0
"""Between the closing reading and its report: the last alert events are on their way until then."""
STALL_SECONDS: Final = 600.0
"""A loop that is silent for so long hangs; a report takes seconds."""
EXPECTED: Final = (ConfigError, SourceError, ActionNeededError, UnavailableError, OSError)

log = logging.getLogger(__name__)


class IndexSessions:
    """What is known of the sessions of one index."""

    def __init__(self) -> None:
        self.newest: Reading | None = None
        self.published_at = 0.0
        """Of the newest reading, Unix seconds."""
        self.waiting: list[Reading] = []
        """Last readings of sessions that have no report yet."""
        self.reported = 0.0
        """Close of the latest session that has a report, Unix seconds."""
        self.changed_at: float | None = None
        """When a session was seen to end, by `monotonic`; None when all that ended is known."""

    def take(self, shown: Shown) -> None:
        """The latest picture of the index."""
        newest = shown.snapshot.readings.get(RULE_TENOR)
        if newest is None:
            return
        before, self.newest = self.newest, newest
        self.published_at = shown.published_at
        if before is None or _end_of(before) != _end_of(newest):
            self.changed_at = monotonic()


def _end_of(reading: Reading) -> tuple[object, bool]:
    return reading.session, has_ended(reading, reading)


class Reporter:
    """One loop: look at each index, and report every session that has ended."""

    def __init__(
        self, settings: Settings, topic: ReportsTopic, registry: CollectorRegistry
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._redis = connect_sync(settings.redis)
        self._indices = {one.symbol: IndexSessions() for one in settings.market.indices}
        self._retry_at = dict.fromkeys(self._indices, 0.0)
        self.troubles: dict[str, str] = {}
        """What does not work, by the index it is of."""
        self.beat = monotonic()
        self._measure(registry)

    def _measure(self, registry: CollectorRegistry) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        text = "Reports: published, or an attempt that failed and is repeated."
        self._reports = Counter("dispersion_reports", text, ("index", "outcome"), registry=registry)
        text = "Sessions that have ended and have no report."
        self._missing = Gauge("dispersion_reports_missing", text, ("index",), registry=registry)
        text = "Close of the latest session that has a report, Unix seconds."
        self._last = Gauge(
            "dispersion_report_session_timestamp_seconds", text, ("index",), registry=registry
        )
        for index in self._indices:
            self._missing.labels(index)
            self._last.labels(index)
            for outcome in ("published", "failed"):
                self._reports.labels(index, outcome)

    def step(self) -> None:
        """Look once at every index. Failures are told, and repeated later."""
        for index, known in self._indices.items():
            self.beat = monotonic()
            if self.beat >= self._retry_at[index]:
                self._attempt(index, known)
            self._missing.labels(index).set(len(list(self._ended(known, 0.0))))

    def close(self) -> None:
        """Disconnect from Redis; the topic is its owner's."""
        self._redis.close()

    def _attempt(self, index: str, known: IndexSessions) -> None:
        try:
            self._look(index, known)
        except EXPECTED as error:
            self._failed(index, str(error))
        except Exception as error:
            # A bug in one session's report must not keep the others from theirs.
            log.exception("the report of %s", index)
            self._failed(index, f"{type(error).__name__}: {error}")
        else:
            if self.troubles.pop(index, None) is not None:
                log.info("%s is well", index)

    def _failed(self, index: str, message: str) -> None:
        self._retry_at[index] = monotonic() + RETRY_SECONDS
        self._reports.labels(index, "failed").inc()
        if index not in self.troubles:
            log.warning("%s: %s; trying until it is well", index, message)
        self.troubles[index] = message

    def _look(self, index: str, known: IndexSessions) -> None:
        with redis_failures(self._settings.redis):
            shown = self._shown(index)
        if shown is not None:
            known.take(shown)
        if known.changed_at is not None and monotonic() >= known.changed_at + SETTLE_SECONDS:
            self._find(index, known)
        for reading in list(self._ended(known, self._settings.report.wait_seconds)):
            log.info("the session %s of %s has ended", reading.session, index)
            self._report(reading)
            known.waiting.remove(reading)

    def _shown(self, index: str) -> Shown | None:
        try:
            return shown_snapshot(self._redis, self._settings.kafka.topic_prefix, index)
        except UnreadableError as problem:
            raise ActionNeededError(str(problem)) from problem

    def _find(self, index: str, known: IndexSessions) -> None:
        changed = known.changed_at
        found = last_readings(self._settings, index)
        known.waiting = [one for one in found if not self._topic.has(report_id(one))]
        for one in found:
            if one not in known.waiting:
                self._reported(one)
        if known.changed_at == changed:
            known.changed_at = None

    def _ended(self, known: IndexSessions, wait: float) -> Iterator[Reading]:
        """Sessions without a report that have ended, or so many seconds ago by the clock."""
        now = time()
        silent = now - known.published_at >= wait
        for last in known.waiting:
            closed = known.newest is not None and has_ended(last, known.newest)
            if closed or (silent and is_overdue(last, round(now * NS), wait)):
                yield last

    def _report(self, last: Reading) -> None:
        page = report_session(self._settings, self._topic, last.index, last.session)
        self._reports.labels(last.index, "published").inc()
        self._reported(last)
        log.info("report of %s %s: %s", last.index, last.session, page)

    def _reported(self, last: Reading) -> None:
        known = self._indices[last.index]
        known.reported = max(known.reported, close_ns(last.session) / NS)
        self._last.labels(last.index).set(known.reported)


class ReporterService:
    """The reporter with its page of metrics and probes."""

    def __init__(self, settings: Settings) -> None:
        """Raises `ConfigError`, and `ActionNeededError` when the address is taken."""
        self._settings = settings
        self._registry = CollectorRegistry()
        self._reporter: Reporter | None = None
        identify(self._registry, settings)
        self._server = HealthServer(
            settings.metrics.host, settings.metrics.port, self._registry, self._probe
        )

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop. Raises `ActionNeededError`, `UnavailableError` at the start."""
        seconds = self._settings.worker.start_seconds
        with ExitStack() as closing:
            self._server.start()
            closing.callback(self._server.stop)
            topic = until_reached(lambda: ReportsTopic(self._settings), seconds)
            closing.enter_context(topic)
            # An outage is said once, by us.
            logging.getLogger("kafka").setLevel(logging.CRITICAL)
            self._reporter = reporter = Reporter(self._settings, topic, self._registry)
            closing.callback(reporter.close)
            log.info(
                "metrics and health on %s; reports go to %s",
                self._server.url,
                self._settings.report.folder,
            )
            while not stop.wait(LOOK_SECONDS):
                reporter.step()

    def _probe(self, path: str, query: str) -> ProbeAnswer | None:
        if path not in PATHS:
            return None
        reporter = self._reporter
        silent = 0.0 if reporter is None else monotonic() - reporter.beat
        checks = [
            HealthCheck("loop", silent <= STALL_SECONDS, f"last ran {silent:.1f} s ago", silent)
        ]
        if path != "/livez":
            started = reporter is not None
            words = "read" if started else "not read yet"
            checks.append(HealthCheck("topic", started, words))
            checks += [
                HealthCheck(index, ok=False, message=trouble)
                for index, trouble in dict(reporter.troubles if reporter else {}).items()
            ]
        return probe_answer(path, query, checks, {})


def run_reporter(settings: Settings) -> int:
    """Report until SIGTERM or SIGINT; the exit code."""
    service = ReporterService(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    service.run(stop)
    return EXIT_OK
