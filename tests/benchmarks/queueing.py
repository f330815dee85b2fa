"""A market whose quotes queue for workers, simulated in steps of 10 ms with measured costs.

Shares of the underlyings have a heavy tail, names breathe on their own, and all of them burst
together. Quotes go to partitions by underlying and to workers by partition, as in the real flow;
each worker is one core with a queue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.framing.partitioner import partition_of
from tests.benchmarks.load import symbols

NAMES = 500
BURST = 14.0
"""Times the mean.

It is 120 million messages a second that recipients are to be ready for, over 8.5 million.
"""
BURST_SECONDS, BURST_EVERY = 0.05, 5.0
"""Mean length, and mean time from one to the next; both assumed, exponential."""
INDEX_SHARE, TAIL = 0.08, 1.2
"""Of the quotes, the index; Pareto exponent of the names' shares. Assumed."""
STEP, SECONDS = 0.01, 60
BUSY, DELAY_SECONDS = 0.5, 0.5
"""Mean share of a core that the hottest worker may need, and p99 of a quote's wait in the queue."""
PARTITIONS_A_WORKER = 4
MOST = 128
"""Workers; with more, the hottest underlying has long had its own."""


class Costs(NamedTuple):
    """CPU seconds of a worker."""

    quote: float
    partition: float
    """A second, with quotes."""
    name: float
    """A revaluation."""

    @classmethod
    def of(cls, report: Mapping[str, Any], kind: str = "frames") -> "Costs":
        """From `build/bench.json`. Raises `KeyError` when it lacks a figure."""
        name = report[f"revaluation_{NAMES}"]["cpu_ms"] / NAMES
        return cls(
            report[f"worker_{kind}"]["cpu_us_per_quote"] / 1e6,
            report["partition_cost"]["lively_ms"] / 1e3,
            name / 1e3,
        )


def market(mean: float, seconds: int = SECONDS, burst: float = BURST) -> NDArray[np.int64]:
    """Quotes by step and underlying, the index first; on average `mean` a second."""
    rng, steps = np.random.default_rng(20240205), round(seconds / STEP)
    tail = rng.pareto(TAIL, NAMES) + 1.0
    shares = np.concatenate([[INDEX_SHARE], (1.0 - INDEX_SHARE) * tail / tail.sum()])
    bursting = np.zeros(steps, dtype=bool)
    at = rng.exponential(BURST_EVERY)
    while burst > 1.0 and at < seconds:
        length = rng.exponential(BURST_SECONDS)
        bursting[round(at / STEP) : round((at + length) / STEP)] = True
        at += length + rng.exponential(BURST_EVERY)
    calm = (1.0 - bursting.mean() * burst) / (1.0 - bursting.mean())
    breath = rng.lognormal(-0.125, 0.5, (seconds, NAMES + 1)).repeat(round(1 / STEP), axis=0)
    quotes: NDArray[np.int64] = rng.poisson(
        np.where(bursting, burst, calm)[:, None] * shares * breath * mean * STEP
    )
    return quotes


def queue(work: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds of work that wait at the end of each step, by worker.

    One core works off a step's length a step.
    """
    walk = np.cumsum(work - STEP, axis=0)
    return walk - np.minimum(np.minimum.accumulate(walk, axis=0), 0.0)


@dataclass(frozen=True)
class Run:
    """What so many workers made of a market."""

    partitions: int
    workers: int
    busy: NDArray[np.float64]
    """Mean share of a core, by worker."""
    p99: float
    """Seconds a quote waits."""
    worst: float

    @property
    def fits(self) -> bool:
        """Whether this is enough."""
        return bool(self.busy.max() <= BUSY and self.p99 <= DELAY_SECONDS)


def run(quotes: NDArray[np.int64], costs: Costs, workers: int) -> Run:
    """Simulate.

    Each second begins with the revaluation of every name that was quoted in the last.
    """
    partitions = PARTITIONS_A_WORKER * workers
    owner = np.array([partition_of(name, partitions) for name in symbols(NAMES)]) % workers
    member = np.eye(workers)[owner]
    taken = quotes @ member
    work = taken * costs.quote
    work[:: round(1 / STEP)] += (
        member.sum(axis=0) * costs.name + costs.partition * PARTITIONS_A_WORKER
    )
    waits = queue(work)
    order = np.argsort(waits, axis=None)
    share = np.cumsum(taken.ravel()[order])
    p99 = waits.ravel()[order[np.searchsorted(share, 0.99 * share[-1])]]
    return Run(partitions, workers, work.mean(axis=0) / STEP, float(p99), float(waits.max()))


def fewest(quotes: NDArray[np.int64], costs: Costs) -> Run | None:
    """The first number of workers that fits.

    None where even `MOST` do not, as one underlying is too much for a core.
    """
    if not run(quotes, costs, MOST).fits:
        return None
    workers = max(1, int(quotes.mean(axis=0).sum() / STEP * costs.quote / BUSY))
    while not (seen := run(quotes, costs, workers)).fits:
        workers += max(1, workers // 10)
    return seen
