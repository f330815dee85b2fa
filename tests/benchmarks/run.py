"""`make bench`: CPU per quote of the worker beside a bare aiokafka loop on a real Kafka, CPU of a revaluation, latency of alerts.

Prints tables, writes `build/bench.json`. Figures of one run may be compared with each other, not with another machine's or
another day's: what counts is the ratio to the bare loop.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from config.settings import Redis
from tests.benchmarks.alert_latency import QUOTES_A_SECOND, Latency, alert_latency
from tests.benchmarks.consumers import Bench
from tests.benchmarks.load import Kind
from tests.benchmarks.meter import Cost
from tests.benchmarks.revaluation import REPEATS, Revaluation, revalue, skew
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
    revaluations: Mapping[str, tuple[int, int]]
    """Names and partitions by key of the report."""
    skews: Mapping[str, int]
    """Names by key of the report."""
    latency_seconds: int
    """Of the feed that alert latency is measured under."""
    latency_quotes: int = QUOTES_A_SECOND
    repeats: int = REPEATS
    checkpoint_seconds: float = Redis().checkpoint_seconds
    """As shipped: the last checkpoint is waited for, and the idle worker's CPU until then counts."""


FULL = Sizes(
    names=500,
    partitions=4,
    seconds=10,
    quotes={"frames": 4_000_000, "frames_repeated": 4_000_000, "json": 320_000},
    revaluations={
        "revaluation_50": (50, 1),
        "revaluation_500": (500, 1),
        "revaluation_500_in_16_partitions": (500, 16),
        "revaluation_2000": (2000, 1),
    },
    skews={"delta_skew_500": 500},
    latency_seconds=240,
)


@dataclass(frozen=True)
class Results:
    """What was measured, by key of the report."""

    consumers: dict[str, Cost]
    revaluations: dict[str, Revaluation]
    latency: Latency

    def as_json(self) -> dict[str, Any]:
        """The report, rounded to what the rig can tell."""
        measured: dict[str, Cost | Revaluation | Latency] = {**self.consumers, **self.revaluations, "alert_latency": self.latency}
        return {name: _rounded(asdict(one)) for name, one in measured.items()}


def measured(stack: RealStack, sizes: Sizes) -> Results:
    """Measure everything."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        consumers = Bench(stack, Path(directory), sizes.names, sizes.partitions, sizes.seconds, sizes.checkpoint_seconds).run(sizes.quotes)
    with tempfile.TemporaryDirectory(prefix="latency-") as directory:
        latency = alert_latency(stack, Path(directory), sizes.names, sizes.latency_seconds, sizes.latency_quotes)
    revaluations = {key: revalue(names, partitions, sizes.repeats) for key, (names, partitions) in sizes.revaluations.items()}
    skews = {key: skew(names, sizes.repeats) for key, names in sizes.skews.items()}
    return Results(consumers, revaluations | skews, latency)


def tables(results: Results) -> list[Table]:
    """The report for people."""
    consumers = Table("consumer", "CPU µs/quote", "quotes per CPU-second", "of the bare loop", "quotes", "wall s", "peak MB")
    for name, cost in results.consumers.items():
        bare = results.consumers[f"aiokafka_{name.partition('_')[2]}"]
        consumers.add_row(
            name,
            f"{cost.cpu_us_per_quote:.3f}",
            f"{1e6 / cost.cpu_us_per_quote:,.0f}",
            f"{bare.cpu_us_per_quote / cost.cpu_us_per_quote:.2f}",
            f"{cost.quotes:,}",
            f"{cost.wall_s:.1f}",
            f"{cost.peak_rss_mb:.0f}",
        )
    parts = list(next(iter(results.revaluations.values())).split_ms)
    seconds = Table("one second's revaluation", "CPU ms", *parts)
    for name, one in results.revaluations.items():
        seconds.add_row(name, f"{one.cpu_ms:.1f}", *(f"{one.split_ms[part]:.1f}" for part in parts if one.split_ms))
    alerts = results.latency
    stages = [f"{part.replace('_', ' ')} (median)" for part in alerts.split_s]
    latency = Table("event time to alert, ms", "p50", "p99", "p99.9", *stages, "events", "quotes")
    milliseconds = (f"{1e3 * value:.0f}" for value in (alerts.p50, alerts.p99, alerts.p999, *alerts.split_s.values()))
    latency.add_row("alert on its topic", *milliseconds, str(alerts.events), f"{alerts.quotes:,}")
    for table in (consumers, seconds, latency):
        for column in table.columns[1:]:
            column.justify = "right"
    return [consumers, seconds, latency]


def main() -> None:
    """Measure, print, write."""
    with RealStack() as stack:
        results = measured(stack, FULL)
    for table in tables(results):
        Console(width=120).print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(results.as_json(), indent=2) + "\n")
    print(f"wrote {OUT.relative_to(ROOT)}", file=sys.stderr)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
