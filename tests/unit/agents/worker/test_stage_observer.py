"""What a stage counts reaches the metrics under the labels that were declared."""

from collections import Counter
from unittest.mock import Mock

import pytest
from prometheus_client import CollectorRegistry
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError
from redis.exceptions import TimeoutError as RedisTimeoutError

from agents.monitoring.initial_label_values import initial_label_values
from agents.monitoring.metrics import Metrics
from agents.plan import Plan
from agents.store.client import error_reason
from agents.worker.stage_observer import WorkerStageObserver
from streams.records import InputRecord
from streams.stage import Output
from streams.topics import Topics

TOPICS = Topics("x.")
QUOTES = TOPICS.name("quotes")


@pytest.fixture
def metrics() -> Metrics:
    metrics = Metrics(CollectorRegistry())
    metrics.declare(initial_label_values(["SPY"], TOPICS))
    return metrics


def children(metrics: Metrics) -> set[tuple[tuple[str, str], ...]]:
    return {
        tuple(sorted(sample.labels.items()))
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "dispersion_dead_letter_messages_total"
    }


def test_a_dead_letter_and_a_crash_move_children_that_were_there_at_zero(metrics: Metrics) -> None:
    before = children(metrics)
    plan = Plan("surfaces", (QUOTES,), Mock())
    observer = WorkerStageObserver(metrics, Mock(), plan, TOPICS, live=False)
    observer.output(
        Output(
            counts=Counter({("dead_letter_messages", "quotes", "json"): 2, ("quotes", "late"): 1})
        )
    )
    observer.crashed(InputRecord(QUOTES, 0, 7, 0, None, b"x", ()))
    for reason, count in (("json", 2.0), ("crash", 1.0)):
        labels = {"topic": QUOTES, "reason": reason}
        assert (
            metrics.registry.get_sample_value("dispersion_dead_letter_messages_total", labels)
            == count
        )
    assert children(metrics) == before


def test_redis_errors_have_three_reasons() -> None:
    errors = (RedisTimeoutError(), RedisConnectionError(), OutOfMemoryError())
    assert [error_reason(error) for error in errors] == ["timeout", "connection", "refused"]
