"""Poison, a Redis that lost data, and situations in which a worker must refuse to run.

The tests run on both stacks.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.process.exits import EXIT_ACTION_NEEDED, EXIT_INTERNAL, EXIT_OK, EXIT_UNAVAILABLE
from tests.support.counting import POISON, record_value
from tests.support.fleet import Fleet, judge_alerts, judge_once, wait_until
from tests.support.stack import Stack, create_flow_topics, settings_for

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]
START = 90.0
SOON = {"DISPERSION_WORKER__START_SECONDS": "3"}
"""How long a worker asks for its servers."""


@pytest.fixture
def fleet(stack: Stack, topic_prefix: str, tmp_path: Path) -> Iterator[Fleet]:
    settings = settings_for(
        stack,
        topic_prefix,
        kafka={"partitions": {"quotes": 1, "ticks": 1, "results": 1}},
        redis={"checkpoint_seconds": 0.5, "lease_seconds": 2},
    )
    create_flow_topics(stack, settings)
    with Fleet(settings, stack.redis.url, tmp_path) as fleet:
        yield fleet


def run_dry(fleet: Fleet, *arguments: str) -> None:
    """One worker until its input is committed, then a clean stop."""
    worker = fleet.start("tests.support.counting", *arguments)
    wait_until(
        lambda: fleet.drained("readings", 1) and fleet.drained("quotes", 1),
        START,
        f"drained: {fleet.log(worker)}",
    )
    assert fleet.stop(worker) == EXIT_OK, fleet.log(worker)


@pytest.mark.parametrize(
    ("stack", "death"),
    [
        pytest.param("embedded", b"", marks=pytest.mark.embedded, id="embedded-raises"),
        pytest.param("real", b"-kill", marks=pytest.mark.stack, id="real-kills"),
    ],
    indirect=["stack"],
)
def test_a_poisonous_record_stops_the_worker_thrice_and_then_nobody(
    fleet: Fleet, death: bytes
) -> None:
    values = [record_value(n) for n in range(150)]
    fleet.put("readings", [*values[:90], POISON + death, *values[90:]])
    for attempt in range(3):
        worker = fleet.start()
        assert worker.wait(START) == (-9 if death else EXIT_INTERNAL), fleet.log(worker)
        assert ("going record by record" in fleet.log(worker)) == (attempt > 0)
    run_dry(fleet)
    letters = [
        record
        for record in fleet.records("dead_letters")
        if dict(record.headers).get("x-error-class") == b"crash"
    ]
    assert {(record.value, dict(record.headers)["x-error-offset"]) for record in letters} == {
        (POISON + death, b"90")
    }
    judge_once(fleet, "readings", 150)
    judge_alerts(fleet, 1)


def test_a_redis_that_lost_its_last_seconds_is_rewound_to(fleet: Fleet) -> None:
    fleet.put("readings", [record_value(n) for n in range(1000)])
    fleet.put("quotes", [record_value(n) for n in range(1000)])
    run_dry(fleet)
    client = fleet.redis
    names = client.keys(f"dispersion:v1:{{*{fleet.settings.kafka.topic_prefix}*")
    saved = {name: client.dump(name) for name in names}
    fleet.put("readings", [record_value(n) for n in range(1000, 2500)])
    fleet.put("quotes", [record_value(n) for n in range(1000, 2500)])
    run_dry(fleet)
    assert fleet.committed("readings", 1) == {0: 2500}
    for name, value in saved.items():
        client.restore(name, 0, value, replace=True)
    run_dry(fleet)
    for role in ("readings", "quotes"):
        judge_once(fleet, role, 2500)
    assert fleet.committed("readings", 1) == {0: 2500}
    assert judge_alerts(fleet, 1) == 0, (
        "events found on the topic with the same number and id are not published again"
    )


def test_a_worker_that_loses_its_partitions_joins_anew(fleet: Fleet) -> None:
    client, worker = fleet.redis, fleet.start()
    names = f"dispersion:v1:{{*{fleet.settings.kafka.topic_prefix}*"

    def apply(first: int, end: int) -> None:
        for role in ("readings", "quotes"):
            fleet.put(role, [record_value(n) for n in range(first, end)])
        wait_until(
            lambda: fleet.drained("readings", 1) and fleet.drained("quotes", 1),
            START,
            fleet.log(worker),
        )

    apply(0, 1000)
    saved = {name: client.dump(name) for name in client.keys(names)}
    apply(1000, 1500)
    for name in client.keys(f"{names}:own"):
        client.hset(name, "uuid", "somebody else")
    apply(1500, 2000)
    for name, value in saved.items():
        client.restore(name, 0, value, replace=True)
    apply(2000, 2500)
    assert fleet.log(worker).count("joining the group anew") >= 2
    assert fleet.stop(worker) == EXIT_OK, fleet.log(worker)
    for role in ("readings", "quotes"):
        judge_once(fleet, role, 2500)
    judge_alerts(fleet, 1)


def lose_redis(fleet: Fleet) -> None:
    client = fleet.redis
    client.delete(*client.keys(f"dispersion:v1:{{*{fleet.settings.kafka.topic_prefix}*"))


def test_an_empty_redis_under_a_group_with_commits_is_refused_unless_told_where_to_start(
    fleet: Fleet, stack: Stack
) -> None:
    fleet.put("readings", [record_value(n) for n in range(200)])
    run_dry(fleet)
    lose_redis(fleet)
    worker = fleet.start()
    assert worker.wait(START) == EXIT_ACTION_NEEDED
    assert "committed offset 200, but Redis knows nothing of it. Restore Redis" in fleet.log(worker)
    assert "--from earliest" in fleet.log(worker)
    if stack.name == "embedded":
        return
    worker = fleet.start("tests.support.counting", "--from", "latest")
    wait_until(lambda: fleet.watermarks("readings") == {0: 199}, START, fleet.log(worker))
    fleet.put("readings", [record_value(n) for n in range(200, 300)])
    wait_until(lambda: fleet.drained("readings", 1), START, fleet.log(worker))
    assert fleet.stop(worker) == EXIT_OK, fleet.log(worker)
    assert fleet.applied("readings").nonzero()[0].tolist() == list(range(200, 300))
    lose_redis(fleet)
    run_dry(fleet, "--from", "earliest")
    judge_once(fleet, "readings", 300)


def test_a_watermark_beyond_the_log_is_refused(fleet: Fleet) -> None:
    fleet.put("readings", [record_value(n) for n in range(200)])
    run_dry(fleet)
    client = fleet.redis
    (name,) = client.keys(f"dispersion:v1:{{*{fleet.topics.name('readings')}:0}}:wm")
    client.set(name, 10_000)
    worker = fleet.start()
    assert worker.wait(START) == EXIT_ACTION_NEEDED
    assert "the log ends at 200: the topic was recreated" in fleet.log(worker)


def test_missing_servers_and_topics_have_their_exit_codes_and_no_secret_is_told(
    fleet: Fleet, stack: Stack
) -> None:
    worker = fleet.start(DISPERSION_REDIS__URL="redis://:hush-hush@127.0.0.1:1/0", **SOON)
    assert worker.wait(START) == EXIT_UNAVAILABLE
    assert "hush-hush" not in fleet.log(worker)
    worker = fleet.start(DISPERSION_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1", **SOON)
    assert worker.wait(START) == EXIT_UNAVAILABLE
    if stack.name == "real":
        worker = fleet.start(DISPERSION_KAFKA__TOPIC_PREFIX="nowhere.")
        assert worker.wait(START) == EXIT_ACTION_NEEDED
        assert "nowhere.market.option-quotes.v1" in fleet.log(worker)


def test_views_follow_the_commits(fleet: Fleet) -> None:
    fleet.put("readings", [record_value(n) for n in range(300)])
    run_dry(fleet)
    client, prefix = fleet.redis, fleet.settings.kafka.topic_prefix
    snapshot = client.hgetall(f"dispersion:v1:{prefix}:snapshot:SPX")
    assert json.loads(snapshot[b"value"])["total"] == 300
    assert float(snapshot[b"published_at"]) > 1.7e9
    assert [
        int(score)
        for _, score in client.zrange(
            f"dispersion:v1:{prefix}:readings:SPX:30d", 0, -1, withscores=True
        )
    ] == [
        1_752_500_100,
        1_752_500_200,
        1_752_500_300,
    ]
