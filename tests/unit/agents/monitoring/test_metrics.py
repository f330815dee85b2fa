import subprocess

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from agents.monitoring.metrics import Metrics
from tests.support.need import program


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_promtool_accepts_every_name(metrics: Metrics) -> None:
    metrics.redis_seconds.labels("commit").observe(0.001)
    metrics.declare(
        {"quotes": [("accepted",)], "dead_letter_messages": [("market.ticks.v1", "crash")]}
    )
    page = generate_latest(metrics.registry)
    done = subprocess.run(
        [program("promtool"), "check", "metrics"], input=page, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"_created" not in page


def test_what_a_stage_counts_is_added_to_the_metric_of_that_name(metrics: Metrics) -> None:
    for _ in range(2):
        assert metrics.count({("quotes", "late"): 3, ("gate_failures", "SPX", "width"): 1}) == []
    assert value(metrics, "dispersion_quotes_total", outcome="late") == 6
    assert value(metrics, "dispersion_gate_failures_total", index="SPX", reason="width") == 2


def test_a_count_that_names_no_metric_is_handed_back(metrics: Metrics) -> None:
    assert metrics.count({("nonsense", "x"): 1, ("quotes", "late", "extra"): 1}) == [
        ("nonsense", "x"),
        ("quotes", "late", "extra"),
    ]


def test_declared_children_start_at_zero(metrics: Metrics) -> None:
    assert value(metrics, "dispersion_quotes_total", outcome="crossed") is None
    metrics.declare({"quotes": [("crossed",)]})
    assert value(metrics, "dispersion_quotes_total", outcome="crossed") == 0


def test_a_lost_partition_leaves_no_series_behind(metrics: Metrics) -> None:
    metrics.end_offset.labels("points", "1").set(7)
    metrics.end_offset.labels("points", "2").set(8)
    metrics.clock_skew.labels("surfaces:1").set(1)
    metrics.outbox_oldest.labels("1").set(7)
    for _ in range(2):
        metrics.forget("points", 1, "surfaces")
        metrics.forget_outbox(1)
    assert value(metrics, "dispersion_clock_skew_seconds", source="surfaces:1") is None
    assert value(metrics, "dispersion_outbox_oldest_timestamp_seconds", partition="1") is None
    assert value(metrics, "dispersion_kafka_end_offset", topic="points", partition="1") is None
    assert value(metrics, "dispersion_kafka_end_offset", topic="points", partition="2") == 8


def test_an_external_counter_is_followed_by_difference(metrics: Metrics) -> None:
    seen = metrics.sampled_buffer_full()
    seen("points", 4)
    seen("points", 9)
    assert value(metrics, "dispersion_topic_buffer_full_total", topic="points") == 9
