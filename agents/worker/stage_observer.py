"""Observes the runners of one stage: metrics, derived views, and the wake-up of the relay."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import time
from typing import Protocol

from redis.exceptions import RedisError

from agents.monitoring.metrics import Metrics
from agents.plan import Plan
from agents.store.client import error_reason
from agents.store.views import Views
from streams.catalogue.counters import DEAD_LETTERS, QUOTES, TICKS
from streams.left_out import LeftOut
from streams.records import Record
from streams.refusals.dead_letters import CRASH
from streams.refusals.refused_batch import RefusedBatch
from streams.stage import Count, Output, ReadingView
from streams.topics import Topics

ROWS = frozenset({QUOTES.name, TICKS.name})
"""Counters of rows by their outcome."""

log = logging.getLogger(__name__)


Noted = Callable[[Mapping[str, int], Mapping[str, int], Mapping[str, LeftOut]], None]
"""Takes rows by outcome, records (`read`, `refused`), and examples by reason."""


class Wakeable(Protocol):
    """A relay, as far as it concerns us."""

    def wake(self, length: int) -> None:
        """The outbox has grown to this length."""


class WorkerStageObserver:
    """Implements `agents.worker.stage_runner.StageObserver` for one stage and partition."""

    def __init__(
        self,
        metrics: Metrics,
        views: Views,
        plan: Plan,
        topics: Topics,
        *,
        live: bool,
        recount: Callable[[], Awaitable[None]] | None = None,
        noted: Noted | None = None,
    ) -> None:
        """`live` measures latency against event time; a replay's event time is long past.

        `recount` asks Kafka for partitions. `noted` is told what became of the input.
        """
        self._noted = noted
        self._metrics = metrics
        self._views = views
        self._plan = plan
        self._live = live
        self._recount = recount
        self.relay: Wakeable | None = None
        self._names: dict[str, str] = {str(role): name for role, name in topics.all().items()}
        self._duration = metrics.stage_duration.labels(plan.measured_as or plan.name)
        self._unknown: set[str] = set()

    def applied(self, topic: str, records: int, seconds: float) -> None:
        """A batch was applied."""
        self._metrics.consumed.labels(topic).inc(records)
        self._duration.observe(seconds)
        if self._noted is not None:
            self._noted({}, {"read": records}, {})

    def output(self, output: Output) -> None:
        """Count what the stage reports; a name we do not know is said once."""
        if output.counts:
            for key in self._metrics.count(
                {self._labelled(key): amount for key, amount in output.counts.items()}
            ):
                if key[0] not in self._unknown:
                    self._unknown.add(key[0])
                    log.warning("%s counts %s, which is no metric", self._plan.name, key)
            if self._noted is not None:
                rows = {key[-1]: amount for key, amount in output.counts.items() if key[0] in ROWS}
                letters = {
                    key[-1]: amount
                    for key, amount in output.counts.items()
                    if key[0] == DEAD_LETTERS.name
                }
                examples = {reason: shown for (_, reason), shown in output.examples.items()}
                self._noted(
                    Counter(rows) + Counter(letters), {"refused": sum(letters.values())}, examples
                )

    def _labelled(self, key: Count) -> Count:
        """Stages know the roles of topics.

        The label `topic` is the topic's name on every metric.
        """
        if key[0] != DEAD_LETTERS.name:
            return key
        return DEAD_LETTERS.of(self._names[key[1]], *key[2:])

    def replayed(self, topic: str, records: int) -> None:
        """Records at or below the watermark came again."""
        self._metrics.replayed.labels(topic).inc(records)

    def gap(self, topic: str, offsets: int) -> None:
        """Offsets are missing."""
        self._metrics.offset_gaps.labels(topic).inc(offsets)
        log.warning("%s: %d offsets are missing before the next record", topic, offsets)

    async def recount(self) -> None:
        """Learn how many partitions the topics have now."""
        if self._recount is not None:
            await self._recount()

    def crashed(self, record: Record) -> None:
        """A record is dead-lettered because it killed the process."""
        self._metrics.count({DEAD_LETTERS.of(record.topic, CRASH): 1})
        log.error(
            "dead-lettered %s partition %d offset %d: it ended the process",
            record.topic,
            record.partition,
            record.offset,
        )

    def refused(self, batch: RefusedBatch) -> None:
        """A batch is dead-lettered because it cannot be unpacked."""
        self._metrics.count({DEAD_LETTERS.of(batch.topic, batch.reason): 1})
        log.error("dead-lettered %s", batch)

    def committed(self, chunks: Mapping[str, bytes], seconds: float) -> None:
        """A checkpoint was written."""
        self._metrics.checkpoint_seconds.labels(self._plan.name).observe(seconds)
        self._metrics.checkpoint_bytes.labels(self._plan.name).inc(sum(map(len, chunks.values())))

    async def views(self, snapshots: Mapping[str, bytes], views: Sequence[ReadingView]) -> None:
        """Write the views and measure how old the newest reading is.

        A failure is logged and forgotten.
        """
        if self._live and views:
            now = time()
            for index, second in {view.index: view.second for view in views}.items():
                self._metrics.event_to_publish.labels(index).observe(max(0.0, now - second))
        try:
            await self._views.write(snapshots, views)
        except RedisError as error:
            self._metrics.redis_errors.labels("views", error_reason(error)).inc()
            log.warning("views not written: %s", type(error).__name__)

    def outbox_grew(self, length: int) -> None:
        """The outbox has grown."""
        if self.relay is not None:
            self.relay.wake(length)
