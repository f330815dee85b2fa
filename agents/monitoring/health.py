"""`/livez`, `/readyz` and `/healthz`: what is well, and how it is told."""

from time import monotonic

from agents.monitoring.probe_answer import HealthCheck, ProbeAnswer, probe_answer
from agents.monitoring.status import WorkerStatus

PATHS = frozenset({"/livez", "/readyz", "/healthz"})
LOOP_SECONDS = 1.0
"""The event loop answers within this time, or it is not alive."""


class Probes:
    """What the probes find, from the worker's status alone."""

    def __init__(self, status: WorkerStatus, stall_after: float) -> None:
        self._status = status
        self._stall_after = stall_after

    def live(self) -> list[HealthCheck]:
        """Restarting would help when one fails.

        Rebalancing is alive, and so is a worker that Redis or Kafka holds up.
        """
        silent = monotonic() - self._status.beat
        stalled = (
            []
            if self._status.held or self._status.phase != "running"
            else self._status.stalled(self._stall_after)
        )
        return [
            HealthCheck(
                "event_loop", silent <= LOOP_SECONDS, f"last ran {silent:.1f} s ago", silent
            ),
            HealthCheck(
                "progress",
                not stalled,
                "; ".join(stalled) or "every partition with waiting input advances",
            ),
        ]

    def ready(self) -> list[HealthCheck]:
        """All true when the worker does its work."""
        status = self._status
        age = monotonic() - status.since
        return [
            *self.live(),
            HealthCheck("phase", status.phase == "running", status.phase, age),
            HealthCheck(
                "redis", status.redis_ok, "answers" if status.redis_ok else "does not answer"
            ),
            HealthCheck(
                "kafka",
                not (status.held and status.redis_ok),
                "acknowledges" if not status.held else "acknowledgements are out",
            ),
        ]

    def answer(self, path: str, query: str) -> ProbeAnswer | None:
        """The answer to a probe; None for a path that is none."""
        if path not in PATHS:
            return None
        checks = self.live() if path == "/livez" else self.ready()
        return probe_answer(
            path,
            query,
            checks,
            {"phase": self._status.phase, "partitions": len(self._status.partitions)},
        )
