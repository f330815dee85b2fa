"""`make bench`: CPU per quote of the worker, its growth, revaluation, latency.

CPU per quote stands beside a bare aiokafka loop and its peers on a real Kafka.
Prints tables, writes `build/bench.json` and the figures of `docs/design/performance.md`. Figures
of one run may be compared with each other, not with another machine's or another day's: what counts
is the ratio to the bare loop.
"""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from config.settings import RedisSettings
from tests.benchmarks import page
from tests.benchmarks.consumers import Bench
from tests.benchmarks.latency import HALF, Pace, latencies, pace
from tests.benchmarks.load import Kind
from tests.benchmarks.partition_cost import SHAPES, Shape, partition_cost
from tests.benchmarks.peers.runs import measured_peers
from tests.benchmarks.report import sheets
from tests.benchmarks.revaluation import REPEATS, revalue, skew
from tests.support.fleet import ROOT
from tests.support.stack import RealStack

OUT = ROOT / "build" / "bench.json"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    names: int
    partitions: int
    seconds: int
    """Of event time in each backlog."""
    quotes: Mapping[Kind, int]
    """In each backlog.

    In full, a second of event time has about what a CPU-second can take: the basket is revalued
    once in each.
    """
    shapes: Sequence[Shape]
    """That growth is measured over, if any."""
    spread: tuple[int, int]
    """Quotes and seconds of event time in each shape."""
    revaluations: Mapping[str, tuple[int, int]]
    """Names and partitions by key of the report."""
    skews: Mapping[str, int]
    """Names by key of the report."""
    latency_seconds: int
    """Of the feed that latency is measured under."""
    market_pace: int = 20_000
    """Quotes a second that alerts are measured under."""
    pace: Pace | None = None
    """For the latency of readings; looked for by the worker's CPU where it is not given."""
    repeats: int = REPEATS
    checkpoint_seconds: float = RedisSettings().checkpoint_seconds
    """As shipped: the last checkpoint is waited for.

    The idle worker's CPU until then counts.
    """


FULL = Sizes(
    names=500,
    partitions=4,
    seconds=4,
    quotes={"frames": 16_000_000, "frames_repeated": 40_000_000, "json": 1_600_000},
    shapes=SHAPES,
    spread=(16_000_000, 8),
    revaluations={
        "revaluation_50": (50, 1),
        "revaluation_500": (500, 1),
        "revaluation_500_in_16_partitions": (500, 16),
        "revaluation_2000": (2000, 1),
    },
    skews={"delta_skew_500": 500},
    latency_seconds=120,
)


def measured(stack: RealStack, sizes: Sizes) -> dict[str, Any]:
    """Measure everything; the report, rounded to what the rig can tell."""
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        bench = Bench(
            stack,
            Path(directory),
            sizes.names,
            sizes.partitions,
            sizes.seconds,
            sizes.checkpoint_seconds,
        )
        backlogs = bench.backlogs(sizes.quotes)
        report |= _plain(bench.run(backlogs))
        report |= _plain(dict(measured_peers(stack, Path(directory).name, backlogs)))
    del backlogs
    if sizes.shapes:
        report |= _plain(
            {"partition_cost": partition_cost(stack, sizes.names, *sizes.spread, sizes.shapes)}
        )
    worker = report["worker_frames"]
    found = sizes.pace or pace(stack, sizes.names, round(HALF * 1e6 / worker["cpu_us_per_quote"]))
    for key, rate in (("latency", found.carried), ("alert_latency", sizes.market_pace)):
        with tempfile.TemporaryDirectory(prefix="latency-") as directory:
            report |= _plain(
                {
                    key: latencies(
                        stack, Path(directory), sizes.names, sizes.latency_seconds, rate
                    )[key]
                }
            )
    report["latency"]["half_core_quotes_a_second"] = found.half_core
    report |= _plain(
        {
            key: revalue(names, partitions, sizes.repeats)
            for key, (names, partitions) in sizes.revaluations.items()
        }
    )
    return report | _plain({key: skew(names, sizes.repeats) for key, names in sizes.skews.items()})


def _plain(measured: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _rounded(asdict(one)) for key, one in measured.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    """Measure, print, write."""
    with RealStack() as stack:
        report = measured(stack, FULL)
    for sheet in sheets(report):
        Console(width=140).print(sheet.rich())
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(report, indent=2) + "\n")
    page.write(report)
    print(
        f"wrote {OUT.relative_to(ROOT)} and the figures of {page.PAGE.relative_to(ROOT)}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
