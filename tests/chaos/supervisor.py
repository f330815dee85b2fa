"""The workers of a session as a supervisor keeps them.

Who ends is started again, and every end is noted.
"""

import random
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from agents.process.exits import EXIT_ACTION_NEEDED, EXIT_INTERNAL, EXIT_OK, EXIT_UNAVAILABLE
from tests.support.fleet import Fleet
from tests.support.redis_proxy import RedisProxy

LOOK = 0.1
RESTART = (0.3, 1.5)
"""Seconds until the supervisor starts a worker again, drawn."""
STOP_SECONDS = 30.0
CLEARED_BY = "dispersion takeover"
"""The command that every refusal of a replaced log names."""
_REASON = re.compile(r"(?:leaving with exit code \d+|refused|down|internal error): ?(.*)")


@dataclass
class WorkerSlot:
    """One slot of the supervisor; processes follow each other on it."""

    name: str
    proxy: RedisProxy
    static: bool
    process: Any = None
    due: float = 0.0
    """When the supervisor starts the next process, monotonic seconds."""
    ends: set[int] = field(default_factory=set)
    """Exit codes that a fault has asked for."""
    clock_offset: float = 0.0
    """Seconds that its workers' clocks are off."""
    leaving: bool = False
    """No process follows on this slot."""


@dataclass(frozen=True)
class WorkerExit:
    """A process that is gone."""

    slot: str
    code: int
    reason: str
    asked: bool
    """A fault ended it so."""
    log: str


class Supervisor(threading.Thread):
    """Keeps `size` workers running until closed; a context manager."""

    def __init__(
        self,
        fleet: Fleet,
        size: int,
        rng: random.Random,
        command: tuple[str, ...],
        static: float = 0.5,
    ) -> None:
        """`command` is the worker's module and its arguments.

        `static` is the share of static members.
        """
        super().__init__(name="supervisor", daemon=True)
        self.fleet, self._size, self._rng, self._command, self._static = (
            fleet,
            size,
            rng,
            command,
            static,
        )
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._proxies = ExitStack()
        self.slots: list[WorkerSlot] = []
        self.ends: list[WorkerExit] = []

    def __enter__(self) -> Self:
        for _ in range(self._size):
            self.add_worker()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        for slot in self.slots:
            if slot.process is not None and slot.process.poll() is None:
                slot.process.kill()
                slot.process.wait()
        self._proxies.close()

    def add_worker(self, clock_offset: float = 0.0) -> WorkerSlot:
        """One more slot, with a worker at once."""
        redis_port = int(self.fleet.redis_url.rpartition(":")[2].partition("/")[0])
        with self._lock:
            proxy = self._proxies.enter_context(RedisProxy(redis_port))
            slot = WorkerSlot(
                f"w{len(self.slots)}", proxy, static=self._rng.random() < self._static
            )
            slot.clock_offset = clock_offset
            self.slots.append(slot)
            self._start(slot)
        return slot

    def pick(self, rng: random.Random) -> WorkerSlot:
        """A slot whose worker runs, or the drawn one if none does."""
        with self._lock:
            slots = [slot for slot in self.slots if not slot.leaving]
            drawn = rng.choice(slots)
            return next(
                (
                    slot
                    for slot in (drawn, *slots)
                    if slot.process is not None and slot.process.poll() is None
                ),
                drawn,
            )

    def send(self, slot: WorkerSlot, number: int, *ends: int) -> None:
        """A signal to the worker on a slot, and the exit codes that it may bring about."""
        with self._lock:
            if slot.process is not None and slot.process.poll() is None:
                slot.ends |= set(ends)
                slot.process.send_signal(number)

    def kill(self, slot: WorkerSlot) -> None:
        """`kill -9`."""
        self.send(slot, signal.SIGKILL, -signal.SIGKILL)

    def retire(self, slot: WorkerSlot, number: int) -> None:
        """End the worker on a slot for good."""
        slot.leaving = True
        self.send(
            slot, number, -number, *[EXIT_OK] * (number == signal.SIGTERM)
        )  # -15: it had not come as far as a handler

    @contextmanager
    def all_stopped(self) -> Iterator[None]:
        """All are killed, and nobody starts them again inside."""
        with self._lock:
            for slot in self.slots:
                self.kill(slot)
            for slot in self.slots:
                if slot.process is not None:
                    slot.process.wait()
                    self._look(slot)
            yield

    def run(self) -> None:
        """Look after the slots until closed."""
        while not self._over.wait(LOOK):
            with self._lock:
                for slot in self.slots:
                    self._look(slot)

    def settle(self) -> None:
        """SIGTERM to all at once; returns when they are gone and noted."""
        with self._lock:
            for slot in self.slots:
                self.retire(slot, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while any(slot.process is not None for slot in self.slots) and time.monotonic() < deadline:
            time.sleep(LOOK)
        left = [slot.name for slot in self.slots if slot.process is not None]
        assert not left, f"SIGTERM did not end {left} within {STOP_SECONDS:.0f} s"

    def _look(self, slot: WorkerSlot) -> None:
        if slot.process is None:
            if not slot.leaving and time.monotonic() >= slot.due:
                self._start(slot)
        elif (code := slot.process.poll()) is not None:
            log = self.fleet.log(slot.process)
            found = _REASON.findall(log)
            number = self.fleet.workers.index(slot.process)
            self.ends.append(
                WorkerExit(
                    slot.name,
                    code,
                    found[-1] if found else "",
                    code in slot.ends,
                    f"worker-{number}.log",
                )
            )
            slot.process, slot.ends = None, set()
            slot.due = time.monotonic() + self._rng.uniform(*RESTART)

    def _start(self, slot: WorkerSlot) -> None:
        instance = {"DISPERSION_KAFKA__INSTANCE_ID": slot.name} if slot.static else {}
        skewed = ("tests.chaos.skewed", str(slot.clock_offset)) if slot.clock_offset else ()
        slot.process = self.fleet.start(
            *skewed, *self._command, DISPERSION_REDIS__URL=slot.proxy.url, **instance
        )


class Expected(NamedTuple):
    """What the faults of a session may bring about."""

    outages: bool
    poison: bool
    replaced: bool
    """A log was made anew or set back: workers refuse it until a person has decided."""


def unexpected(end: WorkerExit, kinds: Expected) -> str:
    """Why a worker should not have ended like this; empty when it may.

    Expected are: what a fault did; code 3 while a server is away; what poison does, a failure on
    its record or the end of the process; and the refusal of a log that is not the one applied.
    """
    if end.asked:
        return ""
    if kinds.outages and end.code == EXIT_UNAVAILABLE:
        return ""
    if kinds.replaced and end.code == EXIT_ACTION_NEEDED and CLEARED_BY in end.reason:
        return ""
    if kinds.poison and (
        end.code == -signal.SIGKILL or (end.code == EXIT_INTERNAL and ", offsets " in end.reason)
    ):
        return ""
    return f"{end.slot} ended with code {end.code} ({end.log}): {end.reason or 'no reason given'}"
