import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from time import monotonic

import pytest
from prometheus_client import CollectorRegistry

from agents.monitoring.health import Probes
from agents.monitoring.http_server import HealthServer
from agents.monitoring.metrics import Metrics
from agents.monitoring.status import PartitionStatus, WorkerStatus
from agents.transport.assignment import Partition

TP = Partition("points", 0)


@pytest.fixture
def status() -> WorkerStatus:
    made = WorkerStatus(redis_ok=True)
    made.enter("running")
    return made


@pytest.fixture
def address(status: WorkerStatus) -> Iterator[str]:
    registry = CollectorRegistry()
    Metrics(registry).redis_seconds.labels("commit").observe(0.1, {"trace_id": "abc"})
    server = HealthServer("127.0.0.1", 0, registry, Probes(status, 60.0).answer)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


def get(url: str, accept: str = "*/*") -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers={"Accept": accept}), timeout=5
        ) as answer:
            return answer.status, answer.read().decode(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers["Content-Type"]


def test_a_working_worker_is_alive_and_ready(address: str) -> None:
    assert get(f"{address}/livez")[:2] == (200, "ok\n")
    assert get(f"{address}/readyz")[:2] == (200, "ok\n")


@pytest.mark.parametrize("phase", ["starting", "rebalancing", "draining"])
def test_a_rebalancing_worker_is_alive_but_not_ready(
    address: str, status: WorkerStatus, phase: str
) -> None:
    status.enter(phase)  # type: ignore[arg-type]
    status.partitions[TP] = PartitionStatus(5, 10, monotonic() - 100)
    assert get(f"{address}/livez")[0] == 200
    code, text, _ = get(f"{address}/readyz")
    assert (code, phase in text) == (503, True)


def test_one_stuck_partition_is_not_alive(address: str, status: WorkerStatus) -> None:
    status.partitions[TP] = PartitionStatus(5, 10, monotonic() - 100)
    code, text, _ = get(f"{address}/livez")
    assert code == 503
    assert "points/0: 5 records wait" in text


def test_silence_without_waiting_input_is_no_stall(address: str, status: WorkerStatus) -> None:
    status.partitions[TP] = PartitionStatus(10, 10, monotonic() - 1000)
    assert get(f"{address}/livez")[0] == 200


def test_a_worker_that_redis_holds_up_is_alive_but_not_ready(
    address: str, status: WorkerStatus
) -> None:
    status.partitions[TP] = PartitionStatus(5, 10, monotonic() - 100)
    status.redis_ok, status.held = False, True
    assert get(f"{address}/livez")[0] == 200
    assert get(f"{address}/readyz")[0] == 503


def test_a_blocked_event_loop_is_not_alive(address: str, status: WorkerStatus) -> None:
    status.beat = monotonic() - 3
    assert get(f"{address}/livez")[0] == 503


def test_healthz_tells_every_check(address: str, status: WorkerStatus) -> None:
    status.redis_ok = False
    code, text, kind = get(f"{address}/healthz")
    told = json.loads(text)
    assert (code, kind, told["status"]) == (200, "application/json", "failing")
    assert told["checks"]["redis"]["ok"] is False
    assert set(told["checks"]) == {"event_loop", "progress", "phase", "redis", "kafka"}
    assert get(f"{address}/readyz?verbose")[2] == "application/json"


def test_metrics_are_always_served_in_the_format_asked_for(
    address: str, status: WorkerStatus
) -> None:
    status.beat = 0.0
    code, text, kind = get(f"{address}/metrics")
    assert (code, kind.startswith("text/plain")) == (200, True)
    assert "dispersion_redis_operation_seconds_bucket" in text
    code, text, kind = get(f"{address}/metrics", "application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert 'trace_id="abc"' in text


def test_other_paths_are_not_found(address: str) -> None:
    assert get(f"{address}/secrets")[0] == 404
