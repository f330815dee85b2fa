"""The workers of a session as a supervisor keeps them: who ends is started again, and every end is noted."""

import random
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from agents.exits import DOWN, INTERNAL, OK, REFUSED
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
class Seat:
    """One place in the staff; processes follow each other on it."""

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
    """Nobody follows on this seat."""


@dataclass(frozen=True)
class End:
    """A process that is gone."""

    seat: str
    code: int
    reason: str
    asked: bool
    """A fault ended it so."""
    log: str


class Staff(threading.Thread):
    """Keeps `size` workers running until closed; a context manager."""

    def __init__(self, fleet: Fleet, size: int, rng: random.Random, command: tuple[str, ...], static: float = 0.5) -> None:
        """`command` is the worker's module and its arguments; `static` the share of static members."""
        super().__init__(name="staff", daemon=True)
        self.fleet, self._size, self._rng, self._command, self._static = fleet, size, rng, command, static
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._proxies = ExitStack()
        self.seats: list[Seat] = []
        self.ends: list[End] = []

    def __enter__(self) -> Self:
        for _ in range(self._size):
            self.hire()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        for seat in self.seats:
            if seat.process is not None and seat.process.poll() is None:
                seat.process.kill()
                seat.process.wait()
        self._proxies.close()

    def hire(self, clock_offset: float = 0.0) -> Seat:
        """One more seat, with a worker at once."""
        redis_port = int(self.fleet.redis_url.rpartition(":")[2].partition("/")[0])
        with self._lock:
            proxy = self._proxies.enter_context(RedisProxy(redis_port))
            seat = Seat(f"w{len(self.seats)}", proxy, static=self._rng.random() < self._static)
            seat.clock_offset = clock_offset
            self.seats.append(seat)
            self._start(seat)
        return seat

    def pick(self, rng: random.Random) -> Seat:
        """A seat whose worker runs, or the drawn one if none does."""
        with self._lock:
            seats = [seat for seat in self.seats if not seat.leaving]
            drawn = rng.choice(seats)
            return next((seat for seat in (drawn, *seats) if seat.process is not None and seat.process.poll() is None), drawn)

    def send(self, seat: Seat, number: int, *ends: int) -> None:
        """A signal to the worker on a seat, and the exit codes that it may bring about."""
        with self._lock:
            if seat.process is not None and seat.process.poll() is None:
                seat.ends |= set(ends)
                seat.process.send_signal(number)

    def kill(self, seat: Seat) -> None:
        """`kill -9`."""
        self.send(seat, signal.SIGKILL, -signal.SIGKILL)

    def dismiss(self, seat: Seat, number: int) -> None:
        """End the worker on a seat for good."""
        seat.leaving = True
        self.send(seat, number, -number, *[OK] * (number == signal.SIGTERM))  # -15: it had not come as far as a handler

    @contextmanager
    def away(self) -> Iterator[None]:
        """All are killed, and nobody starts them again inside."""
        with self._lock:
            for seat in self.seats:
                self.kill(seat)
            for seat in self.seats:
                if seat.process is not None:
                    seat.process.wait()
                    self._look(seat)
            yield

    def run(self) -> None:
        """Look after the seats until closed."""
        while not self._over.wait(LOOK):
            with self._lock:
                for seat in self.seats:
                    self._look(seat)

    def settle(self) -> None:
        """SIGTERM to all at once; returns when they are gone and noted."""
        with self._lock:
            for seat in self.seats:
                self.dismiss(seat, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while any(seat.process is not None for seat in self.seats) and time.monotonic() < deadline:
            time.sleep(LOOK)
        left = [seat.name for seat in self.seats if seat.process is not None]
        assert not left, f"SIGTERM did not end {left} within {STOP_SECONDS:.0f} s"

    def _look(self, seat: Seat) -> None:
        if seat.process is None:
            if not seat.leaving and time.monotonic() >= seat.due:
                self._start(seat)
        elif (code := seat.process.poll()) is not None:
            log = self.fleet.log(seat.process)
            found = _REASON.findall(log)
            number = self.fleet.workers.index(seat.process)
            self.ends.append(End(seat.name, code, found[-1] if found else "", code in seat.ends, f"worker-{number}.log"))
            seat.process, seat.ends = None, set()
            seat.due = time.monotonic() + self._rng.uniform(*RESTART)

    def _start(self, seat: Seat) -> None:
        instance = {"DISPERSION_KAFKA__INSTANCE_ID": seat.name} if seat.static else {}
        skewed = ("tests.chaos.skewed", str(seat.clock_offset)) if seat.clock_offset else ()
        seat.process = self.fleet.start(*skewed, *self._command, DISPERSION_REDIS__URL=seat.proxy.url, **instance)


class Expected(NamedTuple):
    """What the faults of a session may bring about."""

    outages: bool
    poison: bool
    replaced: bool
    """A log was made anew or set back: workers refuse it until a person has decided."""


def unexpected(end: End, kinds: Expected) -> str:
    """Why a worker should not have ended like this; empty when it may.

    Expected are: what a fault did; code 3 while a server is away;
    what poison does, a failure on its record or the end of the process; and the refusal of a log that is not the one applied.
    """
    if end.asked:
        return ""
    if kinds.outages and end.code == DOWN:
        return ""
    if kinds.replaced and end.code == REFUSED and CLEARED_BY in end.reason:
        return ""
    if kinds.poison and (end.code == -signal.SIGKILL or (end.code == INTERNAL and ", offsets " in end.reason)):
        return ""
    return f"{end.seat} ended with code {end.code} ({end.log}): {end.reason or 'no reason given'}"
