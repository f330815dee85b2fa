"""The exporter answers whatever Redis and Kafka do, and one bad snapshot leaves the others.

It tells from outside what waits in front of each stage.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agents.monitoring.exporter import Exporter
from agents.process.ports import free_ports
from agents.store import keys
from agents.store.sync import connect_sync
from config.settings import Settings
from tests.support.fleet import Fleet, wait_until
from tests.support.own_wait import own_wait
from tests.support.pages import get, samples, series
from tests.support.readings import INDEX, MONDAY, Run, eastern, toy
from tests.support.stack import RealStack
from tests.support.toy_basket import toy_fleet, toy_settings

pytestmark = [pytest.mark.stack, pytest.mark.timeout(200)]
OTHER = "NDX"
SECONDS = 60.0


@pytest.fixture
def settings(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> Settings:
    made = toy_settings(real_stack, topic_prefix, tmp_path)
    (index,) = made.market.indices
    both = (index, index.model_copy(update={"symbol": OTHER}))
    market = made.market.model_copy(update={"indices": both})
    metrics = made.metrics.model_copy(update={"port": 0})
    return made.model_copy(update={"market": market, "metrics": metrics})


@contextmanager
def exporting(settings: Settings) -> Iterator[str]:
    exporter = Exporter(settings)
    exporter.start()
    try:
        yield exporter.url.removesuffix("/metrics")
    finally:
        exporter.stop()


def picture() -> bytes:
    """A snapshot as a detector makes it."""
    run = Run()
    run.play([toy(eastern(MONDAY, "11:00:00"), 0.15, 0.44, 0.1)])
    return run.outputs[-1].snapshots[INDEX]


def show(settings: Settings, index: str, value: bytes) -> None:
    with connect_sync(settings.redis) as redis:
        key = keys.snapshot(settings.kafka.topic_prefix, index)
        redis.delete(key)
        redis.hset(key, mapping={"value": value, "published_at": time.time()})


def of_index(found: Any, name: str) -> dict[str, float]:
    return {
        dict(labels)["index"]: value for (metric, labels), value in found.items() if metric == name
    }


def spoiled(**changes: Any) -> bytes:
    known = json.loads(picture())
    return json.dumps({**known, **changes}).encode()


def beyond_every_gauge() -> bytes:
    """It can be decoded, and its count of names cannot be told."""
    known = json.loads(picture())
    known["readings"]["30d"]["coverage_names"] = 1e308
    return json.dumps(known).encode()


BAD: dict[str, Callable[[], bytes]] = {
    "a word of a newer version": lambda: spoiled(regime="sideways"),
    "cut": lambda: picture()[:-40],
    "no JSON": lambda: b"\xff\xfe",
    "no object": lambda: b"[]",
    "readings of another kind": lambda: spoiled(readings={"30d": 1}),
    "a number that no gauge can show": beyond_every_gauge,
    "a severity of a newer version": lambda: picture().replace(b'"names"', b'"alerts":[{}],"n"'),
}


@pytest.mark.parametrize("bad", BAD)
def test_one_bad_snapshot_leaves_the_others(settings: Settings, bad: str) -> None:
    show(settings, INDEX, BAD[bad]())
    show(settings, OTHER, picture())
    with exporting(settings) as url:
        found = samples(url)
        assert of_index(found, "dispersion_snapshot_up") == {INDEX: 0.0, OTHER: 1.0}
        assert of_index(found, "dispersion_snapshot_unreadable") == {INDEX: 1.0, OTHER: 0.0}
        assert set(of_index(found, "dispersion_index_vol_ratio")) == {OTHER}
        status, _, words = get(f"{url}/readyz")
        assert status == 503
        assert INDEX in words
        assert get(f"{url}/livez")[0] == 200
        show(settings, INDEX, picture())
        assert set(of_index(samples(url), "dispersion_index_vol_ratio")) == {INDEX, OTHER}
        assert get(f"{url}/readyz")[0] == 200


def test_a_key_that_holds_something_else_leaves_the_others(settings: Settings) -> None:
    show(settings, OTHER, picture())
    with connect_sync(settings.redis) as redis:
        redis.set(keys.snapshot(settings.kafka.topic_prefix, INDEX), "text")
    with exporting(settings) as url:
        assert of_index(samples(url), "dispersion_snapshot_up") == {INDEX: 0.0, OTHER: 1.0}
        assert get(f"{url}/readyz")[0] == 503


def test_without_a_snapshot_it_is_ready_and_says_that_there_is_none(settings: Settings) -> None:
    with exporting(settings) as url:
        assert of_index(samples(url), "dispersion_snapshot_up") == {INDEX: 0.0, OTHER: 0.0}
        assert get(f"{url}/readyz")[0] == 200


def test_a_redis_that_hangs_is_told_before_the_scrape_is_given_up(
    real_stack: RealStack, settings: Settings
) -> None:
    """Its operations may take minutes by the settings; Prometheus waits for seconds."""
    patient = settings.redis.model_copy(update={"operation_timeout": 120.0})
    settings = settings.model_copy(update={"redis": patient})
    show(settings, INDEX, picture())
    with exporting(settings) as url:
        wait_until(lambda: samples(url)[series("dispersion_kafka_up")] == 1.0, SECONDS, "Kafka")
        real_stack.redis.signal(signal.SIGSTOP)
        try:
            with own_wait() as waited:
                found = samples(url)
            assert waited.seconds < 8
            assert found[series("dispersion_redis_up")] == 0.0
            assert found[series("dispersion_kafka_up")] == 1.0
            assert of_index(found, "dispersion_snapshot_up") == {INDEX: 0.0, OTHER: 0.0}
            assert of_index(found, "dispersion_config_info") == {INDEX: 1.0, OTHER: 1.0}
            assert not of_index(found, "dispersion_index_vol_ratio")
            assert get(f"{url}/readyz")[:1] == (503,)
        finally:
            real_stack.redis.signal(signal.SIGCONT)
        wait_until(lambda: samples(url)[series("dispersion_redis_up")] == 1.0, SECONDS, "Redis")
        wait_until(lambda: get(f"{url}/readyz")[0] == 200, SECONDS, "ready")


@pytest.fixture
def fleet(
    real_stack: RealStack, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fleet]:
    with toy_fleet(real_stack, settings, tmp_path, monkeypatch) as made:
        yield made


def test_what_waits_is_told_without_a_worker_and_not_while_kafka_hangs(
    real_stack: RealStack, settings: Settings, fleet: Fleet
) -> None:
    readings = fleet.topics.name("readings")

    def waiting(partition: int) -> float | None:
        key = series("dispersion_input_lag_messages", topic=readings, partition=str(partition))
        return samples(url).get(key)

    def kafka_is(value: float) -> bool:
        return samples(url)[series("dispersion_kafka_up")] == value

    with exporting(settings) as url:
        wait_until(lambda: waiting(1) == 0, SECONDS, "nothing waits")
        fleet.put("readings", [b"{}"] * 7, partition=1)
        wait_until(lambda: waiting(1) == 7, SECONDS, "seven wait")
        assert waiting(0) == 0
        watermark = keys.stage_keys("detector", [readings], 1).watermark(readings)
        fleet.redis.set(watermark, 4)
        wait_until(lambda: waiting(1) == 2, SECONDS, "two wait")
        real_stack.kafka.signal(signal.SIGSTOP)
        try:
            wait_until(lambda: kafka_is(0.0), SECONDS, "Kafka away")
            assert waiting(1) is None, "an end of long ago is no lag"
        finally:
            real_stack.kafka.signal(signal.SIGCONT)
        wait_until(lambda: kafka_is(1.0), SECONDS, "Kafka back")
        wait_until(lambda: waiting(1) == 2, SECONDS, "two still wait")


def test_without_a_kafka_the_rest_is_told(settings: Settings) -> None:
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    kafka = settings.kafka.model_copy(update={"bootstrap_servers": nowhere})
    show(settings, INDEX, picture())
    with exporting(settings.model_copy(update={"kafka": kafka})) as url:
        found = samples(url)
        assert found[series("dispersion_kafka_up")] == 0.0
        assert found[series("dispersion_redis_up")] == 1.0
        assert set(of_index(found, "dispersion_index_vol_ratio")) == {INDEX}
        assert "dispersion_input_lag_messages" not in {name for name, _ in found}
