"""What a partition costs a worker, silent, beating and lively.

It also gives what a quote costs net of it over partitions and workers.

*Silent* is without input; *beating* has a heartbeat a second of event time, which closes it,
publishes a frame and is a source to the cross-section; *lively* has a quote a second, so that one
name is revalued on top. The *full* backlog has the same seconds, names and quotes in every shape;
less the lively one it says what a quote costs. The least of some rounds is taken: other processes
only add.
"""

import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from streams.decoding.frames import encode_quotes
from streams.records import NS
from tests.benchmarks.consumers import READY_SECONDS, Bench, counted
from tests.benchmarks.load import ROWS, START, backlog, heartbeat
from tests.benchmarks.meter import cpu_seconds
from tests.benchmarks.sending import Backlog
from tests.support.fleet import wait_until
from tests.support.stack import RealStack

WORK_SECONDS = 120.0
SILENT_SECONDS = 5.0
CHECKPOINT_SECONDS = 0.5
ROUNDS = 3


class Shape(NamedTuple):
    """How the same work is spread."""

    partitions: int
    workers: int


SHAPES = (Shape(4, 1), Shape(16, 1), Shape(64, 1), Shape(16, 2))


@dataclass(frozen=True)
class Spread:
    """CPU of all workers together in one shape."""

    silent_ms: float
    """A second, with nothing to do."""
    beating_ms: float
    """A second of event time; so is the next."""
    lively_ms: float
    net_us_per_quote: float
    """Full less lively, over the quotes that make the difference."""


@dataclass(frozen=True)
class PartitionCost:
    """CPU of one more partition, from the shapes of one worker, and what each shape cost."""

    silent_ms: float
    beating_ms: float
    lively_ms: float
    shapes: Mapping[str, Spread]
    """By `<partitions>x<workers>`."""


def partition_cost(
    stack: RealStack,
    names: int,
    quotes: int,
    seconds: int,
    shapes: Sequence[Shape] = SHAPES,
    rounds: int = ROUNDS,
) -> PartitionCost:
    """Measure all shapes.

    `quotes` are in the full backlog, spread over so many seconds of event time.
    """
    spreads: dict[Shape, Spread] = {}
    for shape in shapes:
        with tempfile.TemporaryDirectory(prefix="partitions-") as directory:
            bench = Spreading(
                stack, Path(directory), names, shape.partitions, seconds, CHECKPOINT_SECONDS
            )
            spreads[shape] = bench.spread(shape.workers, quotes, rounds)
    return PartitionCost(
        silent_ms=slope(spreads, "silent_ms"),
        beating_ms=slope(spreads, "beating_ms"),
        lively_ms=slope(spreads, "lively_ms"),
        shapes={f"{shape.partitions}x{shape.workers}": spread for shape, spread in spreads.items()},
    )


def slope(spreads: Mapping[Shape, Spread], kind: str) -> float:
    """CPU of one more partition of one worker, least squares."""
    single = {
        shape.partitions: getattr(spread, kind)
        for shape, spread in spreads.items()
        if shape.workers == 1
    }
    return float(np.polyfit(list(single), list(single.values()), 1)[0])


class Spreading(Bench):
    """The worker's half of the benchmark, with several of them."""

    def spread(self, workers: int, quotes: int, rounds: int) -> Spread:
        least: dict[str, float] = {}
        sizes: dict[str, int] = {}
        kinds = (
            ("full", self._full, ROWS),
            ("lively", self._lively, 1),
            ("beating", self._beating, 0),
        )
        with self._fleet, self._crew(workers) as (pids, ports):
            self._publish(
                {
                    p: [encode_quotes(one) for one in chain.all(START)]
                    for p, chain in enumerate(self._chains)
                }
            )
            wait_until(self._covered, READY_SECONDS, "every contract is applied once")
            silent = self._cpu(pids)
            time.sleep(SILENT_SECONDS)
            silent = self._cpu(pids) - silent
            for _ in range(rounds):
                for kind, make, rows in kinds:
                    values = make(quotes)
                    cpu = self._work_off(values, rows, pids, ports)
                    least[kind] = min(cpu, least.get(kind, cpu))
                    sizes[kind] = sum(map(len, values.values())) * rows
        more = sizes["full"] - sizes["lively"]
        beating, lively = (1e3 * least[kind] / self._seconds for kind in ("beating", "lively"))
        return Spread(
            1e3 * silent / SILENT_SECONDS,
            beating,
            lively,
            1e6 * (least["full"] - least["lively"]) / more,
        )

    def _full(self, quotes: int) -> Backlog:
        after = START + self._second * NS
        return {
            p: backlog(chain, "frames", quotes // self._partitions, after, self._seconds)
            for p, chain in enumerate(self._chains)
        }

    def _lively(self, _quotes: int) -> Backlog:
        """One quote a second."""
        stamps = [START + (self._second + second) * NS + NS // 2 for second in range(self._seconds)]
        return {
            p: [encode_quotes(chain.quotes(np.array([n]), at)) for n, at in enumerate(stamps)]
            for p, chain in enumerate(self._chains)
        }

    def _beating(self, _quotes: int) -> Backlog:
        """A heartbeat a second."""
        beats = [
            heartbeat(START + (self._second + second) * NS) for second in range(1, self._seconds)
        ]
        return dict.fromkeys(range(self._partitions), beats)

    def _work_off(
        self, values: Backlog, rows: int, pids: Sequence[int], ports: Sequence[int]
    ) -> float:
        """CPU seconds of all workers for a backlog that is made while they are stopped.

        It is judged afterwards.
        """
        before = sum((counted(port) for port in ports), Counter[str]())
        self._signal(pids, signal.SIGSTOP)
        self._second += self._seconds
        self._publish(values, beats=not rows)
        spent = self._cpu(pids)
        self._signal(pids, signal.SIGCONT)
        wait_until(self._covered, WORK_SECONDS, "the backlog is worked off")
        spent = self._cpu(pids) - spent
        if rows:  # seconds without a quote have no reading
            self._judge(
                sum((counted(port) for port in ports), Counter[str]()) - before,
                sum(map(len, values.values())) * rows,
            )
        return spent

    @contextmanager
    def _crew(self, workers: int) -> Iterator[tuple[list[int], list[int]]]:
        with ExitStack() as stack:
            started = [stack.enter_context(self._worker()) for _ in range(workers)]
            wait_until(lambda: self._shared(workers), READY_SECONDS, "every worker has its share")
            yield [worker.pid for worker, _ in started], [port for _, port in started]

    def _shared(self, workers: int) -> bool:
        owners = {
            self._fleet.redis.hget(key, "uuid")
            for key in self._fleet.redis.keys(f"*:{self._fleet.topics.name('quotes')}:*:own")
        }
        return len(owners) == workers

    @staticmethod
    def _cpu(pids: Sequence[int]) -> float:
        return sum(map(cpu_seconds, pids))

    def _signal(self, pids: Sequence[int], number: signal.Signals) -> None:
        for worker in self._fleet.workers:
            if worker.pid in pids:
                worker.send_signal(number)
