"""Reads gauges off the running worker once a second.

It reads the event loop's lag ten times a second.
"""

import asyncio
import logging
from time import monotonic, time
from typing import Any

from agents.monitoring.metrics import source_label
from agents.monitoring.status import WorkerStatus
from agents.store.breaker import Breaker, BreakerState
from agents.transport.assignment import Partition
from agents.worker.acquisition import AssignedStage
from agents.worker.faust_adapter import FaustAdapter
from agents.worker.partitions import PartitionManager
from agents.worker.stage_runner import StageRunner
from streams.records import NS

LAG_PERIOD = 0.1
ENDS_PERIOD = 15.0
"""Seconds between asking the broker for log ends: the client learns of them only by fetching."""


TOLD_AFTER = 5.0
"""Seconds that writes wait before it is said."""
WRITES_WAIT = (
    "a broker is away, or fewer replicas are in sync than min.insync.replicas asks "
    "(`dispersion status` says which). "
    "They are tried until they are taken; nothing is lost"
)

log = logging.getLogger(__name__)


class Sampler:
    """Everything that is measured by looking."""

    def __init__(
        self,
        partitions: PartitionManager,
        adapter: FaustAdapter,
        breaker: Breaker,
        status: WorkerStatus,
    ) -> None:
        self._partitions = partitions
        self._adapter = adapter
        self._breaker = breaker
        self._status = status
        self._buffer_full = adapter.metrics.sampled_buffer_full()
        self._asked = monotonic()
        self._held: float | None = None
        self._told = False

    async def watch_loop(self) -> None:
        """Measure how late timers fire; runs until cancelled."""
        while True:
            started = monotonic()
            await asyncio.sleep(LAG_PERIOD)
            self._status.beat = monotonic()
            self._adapter.metrics.loop_beat.set(time())
            self._adapter.metrics.loop_lag.observe(
                max(0.0, self._status.beat - started - LAG_PERIOD)
            )

    async def sample(self) -> None:
        """Once a second."""
        metrics, status = self._adapter.metrics, self._status
        status.redis_ok = self._breaker.state is BreakerState.CLOSED
        status.held = not status.redis_ok or self._adapter.publishing_held
        self._look_at_writes()
        metrics.redis_up.set(status.redis_ok)
        metrics.redis_breaker.set(self._breaker.state)
        fresh: Any = {}
        if monotonic() - self._asked > ENDS_PERIOD and status.partitions:
            self._asked = monotonic()
            fresh = await self._adapter.ends(list(status.partitions))
        for assigned in self._partitions.assigned_stages:
            for tp in assigned.inputs:
                self._partition(assigned, tp, fresh.get(tp))
        for buffered, total in dict(self._adapter.running_app.monitor.topic_buffer_full).items():
            self._buffer_full(getattr(buffered, "topic", str(buffered)), total)

    def _look_at_writes(self) -> None:
        """Since when acknowledgements are out; said once an outage."""
        now = monotonic()
        self._held = (self._held or now) if self._adapter.publishing_held else None
        waiting = 0.0 if self._held is None else now - self._held
        self._adapter.metrics.writes_waiting.set(waiting)
        if waiting >= TOLD_AFTER and not self._told:
            log.warning("Kafka has taken no write of ours for %.0f s: %s", waiting, WRITES_WAIT)
        elif not waiting and self._told:
            log.info("Kafka takes our writes again")
        self._told = waiting >= TOLD_AFTER

    def _partition(self, assigned: AssignedStage, tp: Partition, end: int | None) -> None:
        status = self._status.partitions.get(tp)
        if status is None:
            return
        metrics, runner, labels = (
            self._adapter.metrics,
            assigned.runner,
            (tp.topic, str(tp.partition)),
        )
        newest = runner.newest[tp.topic]
        known = end if end is not None else self._adapter.highwater(tp)
        status.look(self._adapter.following(tp, runner.applied[tp.topic] + 1), known)
        lag = status.waiting
        metrics.end_offset.labels(*labels).set(status.end)
        metrics.watermark.labels(*labels).set(runner.covered[tp.topic])
        covered = self._adapter.following(tp, runner.covered[tp.topic] + 1)
        metrics.lag_messages.labels(*labels).set(max(0, status.end - covered))
        metrics.lag_seconds.labels(*labels).set(time() - newest / 1000 if lag and newest else 0)
        committed = self._adapter.running_app.monitor.tp_committed_offsets.get(tp)
        if committed is not None:
            metrics.committed_offset.labels(*labels).set(committed)
        self._event_time(assigned, tp, runner)

    def _event_time(self, assigned: AssignedStage, tp: Partition, runner: StageRunner) -> None:
        newest = runner.stage.last_event_ns
        if newest is None:
            return
        metrics, seconds = self._adapter.metrics, newest / NS
        metrics.last_event.labels(tp.topic, str(tp.partition)).set(seconds)
        metrics.watermark_lag.labels(tp.topic).set(time() - seconds)
        if assigned.plan.owns_source and (broker_ms := runner.newest[tp.topic]):
            metrics.clock_skew.labels(source_label(assigned.plan.name, tp.partition)).set(
                seconds - broker_ms / 1000
            )
