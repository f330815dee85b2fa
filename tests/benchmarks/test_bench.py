"""The benchmark itself, small: it runs, checks what the worker did, and reports every key.

Of figures only ratios are asserted.
"""

import json
from dataclasses import asdict
from typing import Any

import pytest

from tests.benchmarks import page
from tests.benchmarks.latency import Pace
from tests.benchmarks.partition_cost import PartitionCost, Spread
from tests.benchmarks.peers.runs import PEERS
from tests.benchmarks.report import Report, growth, sheets
from tests.benchmarks.run import FULL, Sizes, measured
from tests.support.stack import RealStack

SMALL = Sizes(
    names=60,
    partitions=2,
    seconds=2,
    quotes=dict.fromkeys(FULL.quotes, 8000),
    shapes=(),
    spread=(0, 0),
    revaluations={
        key: (8, 1 if partitions == 1 else 2) for key, (_, partitions) in FULL.revaluations.items()
    },
    skews=dict.fromkeys(FULL.skews, 8),
    latency_seconds=10,
    market_pace=4000,
    pace=Pace(half_core=6000, carried=4000),
    repeats=2,
    checkpoint_seconds=0.5,
)
CONSUMERS = {f"{who}_{kind}" for who in ("worker", "aiokafka") for kind in FULL.quotes}
COST = {"cpu_us_per_quote", "quotes", "wall_s", "peak_rss_mb"}


@pytest.fixture(scope="module")
def report(real_stack: RealStack) -> Report:
    report: dict[str, Any] = json.loads(json.dumps(measured(real_stack, SMALL)))
    return report


def keys(sizes: Sizes) -> set[str]:
    growth = {"partition_cost"} if sizes.shapes else set()
    return (
        CONSUMERS
        | PEERS.keys()
        | growth
        | sizes.revaluations.keys()
        | sizes.skews.keys()
        | {"latency", "alert_latency"}
    )


@pytest.mark.stack
def test_the_benchmark_reports_what_it_measured(report: Report) -> None:
    assert report.keys() == keys(SMALL)
    for name in CONSUMERS:
        assert report[name].keys() == COST
        assert report[name]["quotes"] == 8_000
        assert all(value > 0 for value in report[name].values()), report[name]
    for kind in FULL.quotes:  # the worker does all that the bare loop does, and more
        assert (
            report[f"worker_{kind}"]["cpu_us_per_quote"]
            > 0.5 * report[f"aiokafka_{kind}"]["cpu_us_per_quote"]
        )
    for name in FULL.revaluations:
        assert 0 < sum(report[name]["split_ms"].values()) < report[name]["cpu_ms"]
    for name in FULL.skews:
        assert report[name]["cpu_ms"] > 0
    rows = [row[0] for sheet in sheets(report) for row in sheet.rows]
    assert sorted(rows) == sorted(report)


@pytest.mark.stack
def test_latency_is_the_sum_of_stages_on_the_way(report: Report) -> None:
    for name, stages in (
        ("latency", ["to_close", "to_points", "to_reading"]),
        ("alert_latency", ["to_points", "to_reading", "to_alert"]),
    ):
        one = report[name]
        assert one["count"] > 0
        assert 0 < one["p50"] <= one["p99"] <= one["p999"]
        assert list(one["split_s"]) == stages
    assert report["latency"]["count"] == SMALL.latency_seconds * 10
    latency = report["latency"]
    assert latency["p50"] > latency["split_s"]["to_close"]
    assert 0 < latency["net_p50"] <= latency["net_p99"] < latency["p999"]
    assert 0 < latency["worker_cores"] < 2
    assert latency["half_core_quotes_a_second"] == 6_000


@pytest.mark.stack
@pytest.mark.parametrize("key", PEERS)
def test_a_peer_decodes_every_quote(report: Report, key: str) -> None:
    if PEERS[key].version() is None:
        pytest.skip(report[key]["absent"])
    assert report[key].keys() == COST
    assert report[key]["quotes"] == 8_000
    assert all(value > 0 for value in report[key].values()), report[key]


@pytest.mark.stack
def test_batches_cost_less_than_events_one_by_one(report: Report) -> None:
    """The transport's reason to be: stock Faust decodes less, the worker does all else too."""
    assert (
        report["worker_json"]["cpu_us_per_quote"] < report["stock_faust_json"]["cpu_us_per_quote"]
    )


def test_growth_has_a_row_for_each_shape_and_one_for_a_partition() -> None:
    cost = PartitionCost(
        0.05, 0.2, 1.9, {"4x1": Spread(8.0, 2.0, 9.0, 0.3), "16x2": Spread(16.0, 4.0, 36.0, 0.25)}
    )
    rows = growth({"partition_cost": asdict(cost)}).rows
    assert [row[0] for row in rows] == ["4 × 1", "16 × 2", "partition_cost"]
    assert rows[1] == ("16 × 2", "0.250", "16.00", "4.00", "36.00")


def test_the_page_has_the_keys_of_the_report() -> None:
    assert page.keys(page.PAGE.read_text(encoding="utf-8")) == keys(FULL)


@pytest.mark.stack
def test_figures_are_replaced_and_the_rest_of_the_page_stays(report: Report) -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    changed = page.with_figures(text, report)
    assert page.keys(changed) == report.keys()
    assert changed.partition(page.BEGIN)[0] == text.partition(page.BEGIN)[0]
    assert changed.partition(page.END)[2] == text.partition(page.END)[2]
    assert page.with_figures(changed, report) == changed
    assert all(
        f">{key}</text>" in page.plot(report)
        for key in ("worker_json", "worker_frames", "confluent_json")
    )
