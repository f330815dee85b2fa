"""`make soak`: resident memory of one worker that carries a whole basket, over minutes.

It exits with 1 where the memory grows or is too large.

The feed keeps step with the wall clock. Kafka keeps little of what was sent, so that the disk stays
small. Prints the figures, and writes them with every sample to `build/soak.json`.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import Popen
from threading import Event, Thread
from time import monotonic

import numpy as np

from tests.benchmarks.consumers import bench_settings, counted
from tests.benchmarks.feed import PARTITIONS, Feed
from tests.benchmarks.meter import cpu_seconds, rss_mb
from tests.support.fleet import ROOT, Fleet, wait_until
from tests.support.pages import ready
from tests.support.stack import RealStack, create_flow_topics

OUT = ROOT / "build" / "soak.json"
NAMES = 500
QUOTES_A_SECOND = 1_200_000
"""About what takes a worker half of a core; the report says how much it was."""
WARM_UP_MINUTES = 3
EVERY_SECONDS = 5.0
PEAK_MB = 600.0
SLOPE_MB = 1.0
"""A minute."""
RETENTION = {
    "log.retention.bytes": str(512 * 2**20),
    "log.segment.bytes": str(64 * 2**20),
    "log.initial.task.delay.ms": "5000",
    "log.retention.check.interval.ms": "5000",
    "log.segment.delete.delay.ms": "1000",
}
"""Of a partition."""

Sample = tuple[float, float]
"""Seconds since the feed began, and MB."""


@dataclass(frozen=True)
class Soak:
    """What was seen of one worker."""

    minutes: int
    """After the warm-up, which only `peak_rss_mb` knows of."""
    quotes: int
    """Counted by the worker, in all."""
    quotes_a_second: float
    cores: float
    """Of CPU, all threads."""
    feed_late_s: float
    peak_rss_mb: float
    slope_mb_a_minute: float
    samples: Sequence[Sample]

    @property
    def steady(self) -> bool:
        """Whether memory neither grows nor is too large."""
        return self.peak_rss_mb <= PEAK_MB and self.slope_mb_a_minute < SLOPE_MB


def slope(samples: Sequence[Sample], after: float) -> float:
    """MB a minute, least squares over the samples at and after so many seconds."""
    seconds, mb = np.array([one for one in samples if one[0] >= after]).T
    return float(np.polyfit(seconds / 60.0, mb, 1)[0])


def soak(stack: RealStack, directory: Path, minutes: int, quotes_a_second: int) -> Soak:
    """Feed a worker. Raises `AssertionError` when it ended or did not take every quote."""
    settings = bench_settings(stack, directory, NAMES, PARTITIONS)
    create_flow_topics(stack, settings)
    with Fleet(settings, stack.redis.url, directory) as fleet:
        worker = fleet.start("agents.cli.main", "worker")
        port = int(ready(fleet, worker).rpartition(":")[2])
        feed = Feed(settings, stack.bootstrap_servers, NAMES, quotes_a_second)
        begun, cpu, seconds = monotonic(), cpu_seconds(worker.pid), 60 * (WARM_UP_MINUTES + minutes)
        with sampled(worker) as samples:
            feed.run(seconds, lambda: worker.poll() is None)
        wall, cpu = monotonic() - begun, cpu_seconds(worker.pid) - cpu
        wait_until(
            lambda: fleet.drained("quotes", PARTITIONS),
            60,
            "every quote is covered by a checkpoint",
        )
        quotes = sum(counted(port).values())
        assert quotes >= feed.quotes, f"the worker counted {quotes} of {feed.quotes} quotes"
        assert fleet.stop(worker) == 0, fleet.log(worker)
    peak = max(mb for _, mb in samples)
    return Soak(
        minutes,
        quotes,
        quotes / wall,
        cpu / wall,
        max(feed.late),
        peak,
        slope(samples, 60.0 * WARM_UP_MINUTES),
        samples,
    )


@contextmanager
def sampled(worker: Popen[bytes]) -> Iterator[list[Sample]]:
    """Resident memory of a process, every few seconds while the block runs."""
    samples: list[Sample] = []
    over, begun = Event(), monotonic()

    def watch() -> None:
        while not over.wait(EVERY_SECONDS) and worker.poll() is None:
            samples.append((monotonic() - begun, rss_mb(worker.pid)))
            print(f"{samples[-1][0]:6.0f} s  {samples[-1][1]:.0f} MB", file=sys.stderr)

    thread = Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def main() -> None:
    """Measure, print, write, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak", description=__doc__)
    parser.add_argument(
        "--minutes", type=int, default=15, help=f"after {WARM_UP_MINUTES} of warm-up"
    )
    parser.add_argument("--quotes", type=int, default=QUOTES_A_SECOND, help="a second")
    asked = parser.parse_args()
    with (
        RealStack(properties=RETENTION) as stack,
        tempfile.TemporaryDirectory(prefix="soak-") as directory,
    ):
        seen = soak(stack, Path(directory), asked.minutes, asked.quotes)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(asdict(seen), indent=2) + "\n")
    print(
        f"{seen.minutes} minutes at {seen.quotes_a_second:,.0f} quotes a second, "
        f"{seen.cores:.2f} cores: "
        f"peak {seen.peak_rss_mb:.0f} MB, {seen.slope_mb_a_minute:+.2f} MB a minute"
    )
    sys.exit(
        0
        if seen.steady
        else (
            f"memory: more than {PEAK_MB:.0f} MB, or {SLOPE_MB} MB a minute and more; "
            f"see {OUT.relative_to(ROOT)}"
        )
    )


if __name__ == "__main__":
    main()
