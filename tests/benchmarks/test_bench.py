"""The benchmark itself, small: it runs, checks what the worker did, and reports every key. No figure is asserted, only what one is."""

import json

import pytest

from tests.benchmarks.run import FULL, Sizes, measured, tables
from tests.support.stack import RealStack

SMALL = Sizes(
    names=60,
    partitions=2,
    seconds=2,
    quotes=dict.fromkeys(FULL.quotes, 8000),
    revaluations={key: (8, 1 if partitions == 1 else 2) for key, (_, partitions) in FULL.revaluations.items()},
    skews=dict.fromkeys(FULL.skews, 8),
    latency_seconds=10,
    latency_quotes=4000,
    repeats=2,
    checkpoint_seconds=0.5,
)


@pytest.mark.stack
def test_the_benchmark_reports_what_it_measured(real_stack: RealStack) -> None:
    results = measured(real_stack, SMALL)
    report = json.loads(json.dumps(results.as_json()))
    consumers = {f"{who}_{kind}" for who in ("worker", "aiokafka") for kind in FULL.quotes}
    assert consumers >= {"worker_frames", "worker_json", "worker_frames_repeated", "aiokafka_frames", "aiokafka_json"}
    assert report.keys() == consumers | FULL.revaluations.keys() | FULL.skews.keys() | {"alert_latency"}
    for name in consumers:
        assert report[name].keys() == {"cpu_us_per_quote", "quotes", "wall_s", "peak_rss_mb"}
        assert report[name]["quotes"] == 8_000
        assert all(value > 0 for value in report[name].values()), report[name]
    for kind in FULL.quotes:  # the worker does all that the bare loop does, and more
        assert report[f"worker_{kind}"]["cpu_us_per_quote"] > 0.5 * report[f"aiokafka_{kind}"]["cpu_us_per_quote"]
    for name in FULL.revaluations:
        assert 0 < sum(report[name]["split_ms"].values()) < report[name]["cpu_ms"]
    for name in FULL.skews:
        assert report[name]["cpu_ms"] > 0
    latency = report["alert_latency"]
    assert latency["events"] > 0
    assert 0 < latency["p50"] <= latency["p99"] <= latency["p999"]
    assert latency["split_s"].keys() == {"to_points", "to_reading", "to_alert"}
    assert [table.row_count for table in tables(results)] == [len(consumers), len(FULL.revaluations) + len(FULL.skews), 1]
