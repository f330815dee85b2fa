"""A feed as a service, or for one sweep."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Coroutine
from pathlib import Path
from time import time
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry

from agents.feeds.clock import Clock, SystemClock
from agents.feeds.contract import DeniedError, Feed, Wanted
from agents.feeds.feed_host import FeedHost
from agents.feeds.feed_metrics import PUBLISHED, FeedMetrics
from agents.feeds.feed_runner import FeedRunner, next_open
from agents.feeds.http_source import HttpSource
from agents.feeds.publishing_place import PublishingPlace
from agents.feeds.recording import Recorder
from agents.feeds.sinks import DryRun, FeedSink, KafkaSink
from agents.monitoring.health import PATHS
from agents.monitoring.http_server import HealthServer
from agents.monitoring.identity import identify
from agents.monitoring.probe_answer import HealthCheck, ProbeAnswer, probe_answer
from agents.store.feed_place import FeedAccount
from config.errors import ConfigError
from config.redaction import scrubbed
from config.settings import Settings
from streams.records import NS

STALL_SECONDS = 120.0
BEAT_SECONDS = 15.0
FRESH_SHARE = 0.9

log = logging.getLogger(__name__)


class FeedPlan(NamedTuple):
    """What is to run."""

    name: str
    feed: Feed
    config: Any
    wanted: Wanted
    once: bool = False
    dry_run: bool = False
    record: Path | None = None


class FeedService:
    """One feed with its metrics and probes; within an event loop."""

    def __init__(
        self,
        settings: Settings,
        plan: FeedPlan,
        *,
        clock: Clock | None = None,
        source: HttpSource | None = None,
        sink: FeedSink | None = None,
        alone: bool = False,
    ) -> None:
        """Clock, source and sink are the machine's, HTTP and Kafka unless given.

        `alone` keeps another feed from publishing to the same topics.

        Raises `OSError` where nothing can be recorded.
        """
        self._plan = plan
        self.registry = CollectorRegistry()
        identify(self.registry, settings)
        self.metrics = FeedMetrics(self.registry, plan.name)
        delay = float(getattr(plan.config, "delay", 0.0))
        self.metrics.delay.set(delay)
        self._source = source or HttpSource()
        self.host = FeedHost(
            clock or SystemClock(),
            self._source,
            self.metrics,
            delay=delay,
            rate=settings.feed.requests_per_second,
            period=settings.feed.period,
            key=settings.feed.key.get_secret_value(),
            once=plan.once,
        )
        chosen = sink or (DryRun() if plan.dry_run else KafkaSink(settings))
        recorder = None if plan.record is None else Recorder(plan.record)
        self.runner = FeedRunner(
            *(plan.feed, plan.config, plan.wanted, self.host, chosen, self.metrics, recorder)
        )
        self._place = PublishingPlace(settings, self.account) if alone else None

    async def run(self) -> None:
        """Until the feed has no more, or the task is cancelled.

        Raises `ConfigError` where the source wants something of a person, `ActionNeededError`,
        `UnavailableError`.
        """
        try:
            await self._publish()
        except DeniedError as error:
            raise ConfigError(str(error)) from error
        finally:
            await self._source.close()

    async def _publish(self) -> None:
        """Run the feed while the place is ours."""
        if self._place is None:
            await self.runner.run()
            return
        try:
            await self._place.take()
            await _first_ended(self.runner.run(), self._place.keep())
        finally:
            await self._place.leave()

    def account(self) -> FeedAccount:
        """What the feed tells of itself."""
        rows = self.metrics.rows
        return FeedAccount(
            feed=self._plan.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            at=time(),
            in_session=self.runner.in_session,
            names=dict(self.runner.names.counts),
            troubles={kind: scrubbed(words) for kind, words in self.host.troubles.items()},
            left_out={reason: count for reason, count in rows.items() if reason != PUBLISHED},
            examples={kind: scrubbed(words) for kind, words in self.metrics.examples.items()},
        )

    def probe(self, path: str, query: str) -> ProbeAnswer | None:
        """The probes."""
        if path not in PATHS:
            return None
        silent = (self.host.now() - self.runner.looked_at) / NS
        checks = [
            HealthCheck("loop", silent <= STALL_SECONDS, f"last ran {silent:.1f} s ago", silent)
        ]
        if path != "/livez":
            checks += self._ready()
        more = {"in_session": self.runner.in_session, "names": dict(self.runner.names.counts)}
        return probe_answer(path, query, checks, more)

    def _ready(self) -> list[HealthCheck]:
        """What is well; while the market is closed nothing is asked for."""
        if not self.runner.in_session:
            now = self.host.market_time()
            hours = (next_open(now) - now) / (3600 * NS)
            words = f"the market is closed; quotes come in {hours:.1f} h"
            return [HealthCheck("session", True, words)]
        since = (self.host.now() - self.runner.beat_at) / NS
        checks = [
            HealthCheck("beats", since <= BEAT_SECONDS, f"last heartbeat {since:.1f} s ago", since)
        ]
        for kind, words in self.host.troubles.items():
            checks.append(HealthCheck(kind, kind == "documents", words))
        names = self.runner.names
        counts = names.counts
        total = max(1, sum(counts.values()))
        young = (self.host.market_time() - names.begun) / NS <= names.limit
        lacking = names.not_fresh(self.host.market_time())
        words = f"{counts['fresh']} of {total} fresh"
        if lacking:
            words += f"; not: {', '.join(lacking[:5])}{' …' if len(lacking) > 5 else ''}"
        well = young or counts["fresh"] >= FRESH_SHARE * total
        checks.append(HealthCheck("names", well, words))
        for reason, example in self.metrics.examples.items():
            told = f"{self.metrics.rows[reason]:,} left out, for example {example}"
            checks.append(HealthCheck(f"left out {reason}", True, told))
        return checks


async def serve(settings: Settings, plan: FeedPlan) -> FeedService:
    """Run until SIGTERM or SIGINT, or to the end of what there is.

    Raises as `FeedService.run`, and `ActionNeededError` when the address is taken.
    """
    service = FeedService(settings, plan, alone=not plan.dry_run)
    server = None
    if not plan.once:
        metrics = settings.metrics
        server = HealthServer(metrics.host, metrics.port, service.registry, service.probe)
        server.start()
        log.info("metrics and health on %s", server.url)
    work = asyncio.create_task(service.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        log.info("stopped")
    finally:
        if server is not None:
            server.stop()
    return service


async def _first_ended(*works: Coroutine[Any, Any, None]) -> None:
    """Until one has ended or failed; the others are told to end."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def run_feed(settings: Settings, plan: FeedPlan) -> FeedService:
    """`serve` in an event loop of its own."""
    return asyncio.run(serve(settings, plan))
