"""What was measured as tables, for a terminal and for a page.

Rows are named by the keys of the report.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

Report = Mapping[str, Any]
"""`build/bench.json`."""
QUANTILES = ("p50", "p99", "p999", "net_p50", "net_p99")
KINDS = ("frames_repeated", "frames", "json")
"""How keys of consumers end; longer first."""


@dataclass(frozen=True)
class Sheet:
    """A table of text: the first column says what, the others hold numbers."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def rich(self) -> Table:
        """For a terminal."""
        table = Table(*self.columns)
        for column in table.columns[1:]:
            column.justify = "right"
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """For a page."""
        lines = [self.columns, ("---", *("---:" for _ in self.columns[1:])), *self.rows]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def sheets(report: Report) -> list[Sheet]:
    """Consumers, growth, revaluations, latencies."""
    every = (consumers(report), growth(report), revaluations(report), latencies(report))
    return [sheet for sheet in every if sheet.rows]


def kind_of(key: str) -> str | None:
    """The kind of record a consumer's key ends with."""
    return next((kind for kind in KINDS if key.endswith(f"_{kind}")), None)


def consumers(report: Report) -> Sheet:
    """Each consumer beside the bare loop on the same kind of record."""
    sheet = Sheet(
        (
            "consumer",
            "CPU µs/quote",
            "quotes per CPU-second",
            "of the bare loop",
            "quotes",
            "wall s",
            "peak MB",
        )
    )
    for kind in KINDS:
        bare = report[f"aiokafka_{kind}"]["cpu_us_per_quote"]
        for key, cost in report.items():
            if kind_of(key) != kind:
                continue
            if "absent" in cost:
                sheet.rows.append((key, cost["absent"], "", "", "", "", ""))
                continue
            cpu = cost["cpu_us_per_quote"]
            numbers = (
                f"{cpu:.3f}",
                f"{1e6 / cpu:,.0f}",
                f"{bare / cpu:.2f}",
                f"{cost['quotes']:,}",
            )
            sheet.rows.append(
                (key, *numbers, f"{cost['wall_s']:.1f}", f"{cost['peak_rss_mb']:.0f}")
            )
    return sheet


def growth(report: Report) -> Sheet:
    """CPU of all workers together over partitions and workers, and of one more partition."""
    sheet = Sheet(
        ("partitions × workers", "CPU µs/quote, net", "silent ms/s", "beating ms/s", "lively ms/s")
    )
    if (cost := report.get("partition_cost")) is None:
        return sheet
    for shape, one in cost["shapes"].items():
        sheet.rows.append(
            (shape.replace("x", " × "), f"{one['net_us_per_quote']:.3f}", *_each(one))
        )
    sheet.rows.append(("partition_cost", "", *_each(cost)))
    return sheet


def _each(cost: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(f"{cost[kind]:.2f}" for kind in ("silent_ms", "beating_ms", "lively_ms"))


def revaluations(report: Report) -> Sheet:
    """One second's revaluation and its parts."""
    every = {key: one for key, one in report.items() if "cpu_ms" in one}
    parts = list(next(iter(every.values()))["split_ms"])
    sheet = Sheet(("one second's revaluation", "CPU ms", *parts))
    for key, one in every.items():
        sheet.rows.append(
            (
                key,
                f"{one['cpu_ms']:.1f}",
                *(f"{one['split_ms'][part]:.1f}" if one["split_ms"] else "" for part in parts),
            )
        )
    return sheet


def latencies(report: Report) -> Sheet:
    """Milliseconds, with medians of the stages."""
    sheet = Sheet(
        (
            "milliseconds",
            "p50",
            "p99",
            "p99.9",
            "net p50",
            "net p99",
            "medians of the stages",
            "measured",
            "quotes/s",
            "worker, cores",
            "quotes/s of half a core",
            "feed late",
            "broker",
        )
    )
    for key, one in report.items():
        if "split_s" in one:
            stages = ", ".join(
                f"{stage.replace('_', ' ')} {1e3 * seconds:.0f}"
                for stage, seconds in one["split_s"].items()
            )
            quantiles = (f"{1e3 * one[name]:.0f}" for name in QUANTILES)
            sheet.rows.append(
                (
                    key,
                    *quantiles,
                    stages,
                    f"{one['count']:,}",
                    f"{one['quotes_a_second']:,}",
                    f"{one['worker_cores']:.2f}",
                    f"{half:,}" if (half := one.get("half_core_quotes_a_second")) else "",
                    f"{1e3 * one['feed_late_s']:.0f}",
                    f"{1e3 * one['broker_s']:.0f}",
                )
            )
    return sheet
