"""The watchdog: a thread that ends the process when input waits and nothing moves.

A restart is the cure it has.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from time import monotonic

from agents.monitoring.stacks import all_stacks
from agents.monitoring.status import WorkerStatus
from agents.process.exits import EXIT_INTERNAL, exit_now

HELD_FACTOR = 10
"""How many times longer a partition may wait while Redis or Kafka is known to be away."""
REBALANCE_SECONDS = 120.0

log = logging.getLogger(__name__)


class Watchdog(threading.Thread):
    """Looks once a second."""

    def __init__(
        self,
        status: WorkerStatus,
        stall_after: float,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        end: Callable[[int, str], object] = exit_now,
        period: float = 1.0,
    ) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._status = status
        self._stall_after = stall_after
        self._loop = loop
        self._end = end
        self._period = period
        self._over = threading.Event()

    def run(self) -> None:
        """Until `stop`, or the end of the process."""
        while not self._over.wait(self._period):
            reason = self.complaint()
            if reason:
                # Whatever becomes of the words, the process ends.
                try:
                    log.critical("stalled: %s\n%s", reason, all_stacks(self._loop))
                finally:
                    self._end(EXIT_INTERNAL, reason)
                return

    def stop(self) -> None:
        """Stop watching."""
        self._over.set()

    def complaint(self) -> str:
        """Why the process should end; empty when it should not."""
        status, now = self._status, monotonic()
        timeout = self._stall_after * (HELD_FACTOR if status.held else 1)
        if now - status.beat > self._stall_after:
            return f"the event loop has not run for {now - status.beat:.0f} s"
        if status.phase == "rebalancing" and now - status.since > max(
            REBALANCE_SECONDS, 2 * self._stall_after
        ):
            return f"rebalancing for {now - status.since:.0f} s"
        return "; ".join(status.stalled(timeout)) if status.phase == "running" else ""
