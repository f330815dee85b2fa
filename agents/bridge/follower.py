"""The bridge: follows the alert states on Kafka and keeps Alertmanager at the same.

So the receivers of Alertmanager serve market alerts too.
"""

import logging
import signal
import threading
from contextlib import closing
from datetime import UTC, datetime
from time import monotonic, time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics

from agents.alerts.foreign_records import ForeignRecords
from agents.alerts.state_topic import StateTopic
from agents.bridge.alertmanager import Alertmanager, AlertmanagerError
from agents.bridge.table import BridgeTable
from agents.kafka.client import until_reached
from agents.monitoring.health import PATHS
from agents.monitoring.http_server import HealthServer
from agents.monitoring.identity import identify
from agents.monitoring.probe_answer import HealthCheck, ProbeAnswer, probe_answer
from agents.process.exits import EXIT_OK, ActionNeededError, UnavailableError
from config.settings import Settings
from streams.detection.alerts.own_event import FOREIGN_REASONS
from streams.market import REPLAYED
from streams.topics import Topics

POLL_SECONDS: Final = 0.5
RETRY_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 5.0
"""How long Kafka may take to answer; never longer than a resend, which must go on without it."""
STALL_SECONDS: Final = 120.0
"""A loop that is silent for so long hangs.

Its requests and its questions to Kafka end much sooner.
"""
MODES: Final = frozenset({"live", "delayed"})
ALL_MODES: Final = MODES | REPLAYED

log = logging.getLogger(__name__)


class Bridge:
    """One loop: read what is new, and when something is, or it is time, tell Alertmanager."""

    def __init__(self, settings: Settings, *, all_modes: bool = False) -> None:
        """Raises `ConfigError`, and `ActionNeededError` when the address is taken."""
        self._alertmanager = Alertmanager(settings.bridge)
        self._table = BridgeTable(ALL_MODES if all_modes else MODES, settings.bridge.generator_url)
        self._settings = settings
        self._resend = settings.bridge.resend_seconds
        self._troubles: dict[str, str] = {"topic": "not read yet"}
        self._beat = monotonic()
        self._due = 0.0
        registry = CollectorRegistry()
        identify(registry, settings)
        self._measure(registry)
        self._server = HealthServer(
            settings.metrics.host, settings.metrics.port, registry, self._probe
        )
        self.url = self._server.url

    def _measure(self, registry: CollectorRegistry) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._posts = Counter(
            "dispersion_bridge_posts",
            "Posts of alerts to Alertmanager.",
            ("outcome",),
            registry=registry,
        )
        for outcome in ("accepted", "refused", "unreachable"):
            self._posts.labels(outcome)
        self._active = Gauge(
            "dispersion_bridge_active_alerts",
            "Alerts that fire, suspended or not.",
            registry=registry,
        )
        text = "Records on a topic of ours that are not ours."
        foreign = Counter(
            "dispersion_foreign_records", text, ("topic", "reason"), registry=registry
        )
        states = Topics(self._settings.kafka.topic_prefix).name("alerts_state")
        for reason in (*FOREIGN_REASONS, "key"):
            foreign.labels(states, reason)
        self._foreign = ForeignRecords(lambda topic, reason: foreign.labels(topic, reason).inc())
        text = "When Kafka answered and Alertmanager had taken everything, Unix seconds."
        self._success = Gauge(
            "dispersion_bridge_last_success_timestamp_seconds", text, registry=registry
        )

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop.

        Alertmanager then keeps what it has for its `resolve_timeout`. Raises `ActionNeededError`,
        `UnavailableError` at the start.
        """
        self._server.start()
        try:
            seconds = self._settings.worker.start_seconds
            with closing(
                until_reached(lambda: StateTopic(self._settings, self._foreign), seconds)
            ) as topic:
                # An outage is said once, by us.
                logging.getLogger("kafka").setLevel(logging.CRITICAL)
                log.info(
                    "metrics and health on %s; alerts go to %s", self.url, self._alertmanager.place
                )
                while not stop.is_set():
                    self._step(topic)
        finally:
            self._server.stop()

    def _step(self, topic: StateTopic) -> None:
        self._beat = monotonic()
        changed = self._read(topic)
        if "topic" in self._troubles and topic.read:
            self._well("topic")
            changed = True
        if "topic" not in self._troubles and (changed or monotonic() >= self._due):
            self._round(topic)

    def _read(self, topic: StateTopic) -> bool:
        records = topic.poll(POLL_SECONDS)
        for record in records:
            self._table.take(record.key, record.event, record.published)
        return bool(records)

    def _round(self, topic: StateTopic) -> None:
        """Both sides are asked, so that one that is away is noticed within a resend."""
        self._active.set(self._table.active)
        well = self._tell()
        try:
            topic.check(min(ANSWER_SECONDS, self._resend))
        except (ActionNeededError, UnavailableError) as error:
            well = self._trouble("kafka", str(error))
        else:
            self._well("kafka")
        if well:
            self._success.set(time())
        self._due = monotonic() + (self._resend if well else min(RETRY_SECONDS, self._resend))

    def _tell(self) -> bool:
        """Whether Alertmanager has taken alerts and silences."""
        outcome, there = "accepted", self._alertmanager
        now = datetime.now(UTC)
        try:
            # Before the alerts: what is silenced must not ring first.
            silences, over = self._table.silences(there.silences(), now)
            for silence in silences:
                there.post_silence(silence)
            for identity in over:
                there.expire_silence(identity)
            there.post_alerts(self._table.posts(there.alerts(), now))
        except AlertmanagerError as error:
            outcome = error.outcome
            self._trouble("alertmanager", f"Alertmanager at {there.place}: {error}")
        else:
            self._well("alertmanager")
        self._posts.labels(outcome).inc()
        return outcome == "accepted"

    def _trouble(self, name: str, message: str) -> bool:
        if name not in self._troubles:
            log.warning("%s; trying until it is well", message)
        self._troubles[name] = message
        return False

    def _well(self, name: str) -> None:
        if self._troubles.pop(name, None) is not None:
            log.info("%s is well", name)

    def _probe(self, path: str, query: str) -> ProbeAnswer | None:
        if path not in PATHS:
            return None
        silent = monotonic() - self._beat
        checks = [
            HealthCheck("loop", silent <= STALL_SECONDS, f"last ran {silent:.1f} s ago", silent)
        ]
        if path != "/livez":
            troubles = dict(self._troubles)
            checks += [
                HealthCheck(name, name not in troubles, troubles.get(name, "well"))
                for name in ("topic", "kafka", "alertmanager")
            ]
        return probe_answer(path, query, checks, {})


def run_bridge(settings: Settings, *, all_modes: bool) -> int:
    """Bridge until SIGTERM or SIGINT; the exit code."""
    bridge = Bridge(settings, all_modes=all_modes)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    bridge.run(stop)
    return EXIT_OK
