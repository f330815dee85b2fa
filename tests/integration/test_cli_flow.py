"""The commands as processes, one after another as a person types them, on the embedded stack."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agents.alerts.cloud_event import event_message
from agents.alerts.heartbeat import heartbeat
from agents.kafka.frame_publisher import FramePublisher
from agents.process.ports import free_ports
from config.settings import Settings
from tests.support.command import START_SECONDS, Running, answers, run, start, stop
from tests.support.fleet import wait_until
from tests.support.monitor import QUOTES
from tests.support.stack import EmbeddedTestStack, create_flow_topics, environment_for, settings_for
from tests.support.subscriber import consumed, documented, judge

pytestmark = pytest.mark.embedded

SCENARIO = ("--quotes", QUOTES[-1], "--scenario", "unwind_2018_02", "--refresh", "300")
STOP_SECONDS = 60.0
"""A stop takes less than a second where nothing else runs. What hangs is told by what is logged."""
PARTITIONS = {"quotes": 4, "ticks": 1, "results": 1}
"""A whole close is one second: on fewer partitions the embedded log could not hold it."""


@pytest.fixture
def settings(embedded_stack: EmbeddedTestStack, topic_prefix: str, tmp_path: Path) -> Settings:
    """Settings of the embedded stack."""
    return settings_for(
        embedded_stack,
        topic_prefix,
        mode="scenario",
        kafka={"partitions": PARTITIONS},
        redis={"checkpoint_seconds": 0.5},
        rules={"cap_unknown": False},
        metrics={"port": free_ports(1)[0]},
        worker={"data_dir": tmp_path},
    )


@pytest.fixture
def variables(settings: Settings) -> dict[str, str]:
    """The same for a command."""
    return environment_for(settings)


@pytest.fixture
def topics(embedded_stack: EmbeddedTestStack, settings: Settings) -> list[str]:
    """The topics, made by hand: the embedded broker has no CreateTopics."""
    return [topic.name for topic in create_flow_topics(embedded_stack, settings).topics]


@pytest.fixture
def worker(variables: dict[str, str], topics: list[str]) -> Iterator[Running]:
    """A worker that is ready."""
    assert topics
    process = start("worker", env=variables)
    try:
        wait_until(
            lambda: answers(f"http://127.0.0.1:{variables['DISPERSION_METRICS__PORT']}/readyz"),
            START_SECONDS,
            "a ready worker",
        )
        yield process
    finally:
        stop(process)


def test_from_topics_to_alerts(
    settings: Settings,
    variables: dict[str, str],
    topics: list[str],
    worker: Running,
    tmp_path: Path,
) -> None:
    _topics_create(variables, topics)
    degraded = run("status", "--json", env=variables)
    assert degraded.returncode == 1, degraded.stderr
    assert json.loads(degraded.stdout)["problems"] == [
        "SPY: no reading yet; is a worker running and is there input?"
    ]

    totals = _replay(variables)
    events = _events(variables, 3)
    assert [
        (event["data"]["transition"], event["data"]["severity"], event["data"]["label"])
        for event in events
    ] == [
        ("pending", "info", "early"),
        ("firing", "info", "early"),
        ("updated", "critical", "unwind"),
    ]
    assert {event["data"]["rule"] for event in events} == {"vix_spike_unwind"}
    _subscribers(settings, events, topics, tmp_path)
    _tail_for_people(variables)
    _status(variables, totals)
    _doctor(variables, topics)

    done = stop(worker, signal.SIGTERM, STOP_SECONDS)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "stopped in" in done.stderr
    assert "did not stop within" not in done.stderr


def _topics_create(variables: dict[str, str], topics: list[str]) -> None:
    done = run("topics", "create", "--json", env=variables)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [topic["name"] for topic in report["topics"]] == topics
    assert {topic["status"] for topic in report["topics"]} == {"existing"}
    assert report["problems"] == []
    people = run("topics", "create", env=variables)
    assert people.returncode == 0
    assert all(f"{name} " in people.stdout for name in topics)
    assert "\x1b" not in people.stdout


def _replay(variables: dict[str, str]) -> dict[str, Any]:
    done = run("replay", *SCENARIO, "--ahead", str(2 * 2**20), "--json", env=variables)
    assert done.returncode == 0, done.stderr
    totals: dict[str, Any] = json.loads(done.stdout)
    assert set(totals) == {"records", "bytes", "event_time", "complete", "rejected"}
    assert totals["complete"] is True
    assert totals["records"] > 50
    assert datetime.fromisoformat(totals["event_time"]).isoformat() == "2026-07-13T14:30:00+00:00"
    return totals


def _events(variables: dict[str, str], wanted: int) -> list[dict[str, Any]]:
    """What a subscriber reads once the relay has published that many."""
    events: list[dict[str, Any]] = []
    deadline = time.monotonic() + START_SECONDS
    while len(events) < wanted and time.monotonic() < deadline:
        done = run("alerts", "tail", "--from-beginning", "--no-follow", "--json", env=variables)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        events = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(events) == wanted
    return events


def _tail_for_people(variables: dict[str, str]) -> None:
    done = run("alerts", "tail", "--from-beginning", "--no-follow", env=variables)
    assert done.returncode == 0
    first, second, third = done.stdout.splitlines()
    what = "vix_spike_unwind  SPY 30d intraday"
    assert f"info      {what}  pending  Building: SPY index vol" in first
    assert f"info      {what}  firing  SPY index vol" in second
    assert f"critical  {what}  firing  Update: SPY index vol" in third


def _status(variables: dict[str, str], totals: dict[str, Any]) -> None:
    wait_until(
        lambda: set(_health(variables)["lag"].values()) == {0},
        30.0,
        "the last reading is judged, long after the second event",
    )
    found = _health(variables)
    (index,) = found["indices"]
    assert (index["index"], index["mode"]) == ("SPY", "scenario")
    assert datetime.fromisoformat(index["event_time"]) == datetime.fromisoformat(
        totals["event_time"]
    )
    assert index["values"]["index_vol"] == pytest.approx(0.31, abs=0.005)
    assert [alert["rule"] for alert in index["alerts"]] == ["vix_spike_unwind"]
    assert set(found["lag"].values()) == {0}
    assert found["problems"] == []
    people = run("status", env=variables)
    assert people.returncode == 0
    assert "vix_spike_unwind intraday firing: Update: SPY index vol" in people.stdout
    assert max(map(len, people.stdout.splitlines())) > 80


def _health(variables: dict[str, str]) -> dict[str, Any]:
    done = run("status", "--json", env=variables)
    found: dict[str, Any] = json.loads(done.stdout)
    wanted = {
        "session_open",
        "indices",
        "lag",
        "problems",
        "inputs",
        "service",
        "partitions",
        "feed",
    }
    assert set(found) == wanted
    assert done.returncode == (1 if found["problems"] else 0)
    return found


def _doctor(variables: dict[str, str], topics: list[str]) -> None:
    done = run("doctor", "--json", env=variables)
    assert done.returncode == 0, done.stdout
    findings = json.loads(done.stdout)
    assert all(finding["ok"] for finding in findings)
    assert {finding["check"] for finding in findings} == {
        "settings",
        "kafka",
        "redis",
        "logs",
        "clock",
        "input",
        "calendar",
    }
    assert sum(finding["check"] == "kafka" for finding in findings) == len(topics)


def test_doctor_names_missing_topics(variables: dict[str, str]) -> None:
    done = run("doctor", env=variables)
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert line.startswith("FAIL  kafka      topics are missing (")
    assert line.endswith("run `dispersion topics create`")


def test_worker_refuses_missing_topics(variables: dict[str, str]) -> None:
    done = run("worker", env=variables)
    assert done.returncode == 1
    assert "run `dispersion topics create`" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_paced_replay_ends_in_order_on_ctrl_c(
    variables: dict[str, str], topics: list[str]
) -> None:
    assert topics
    replaying = start("replay", *SCENARIO, "--speed", "60x", "--json", env=variables)
    assert replaying.stderr is not None
    progress = replaying.stderr.readline()  # the first after ten seconds
    assert " records  " in progress, progress
    done = stop(replaying, signal.SIGINT)
    assert done.returncode == 130, done.stderr
    totals = json.loads(done.stdout)
    assert totals["complete"] is False
    assert totals["records"] > 0
    assert totals["event_time"] < "2026-07-13T14:30"
    assert "Traceback" not in done.stderr


def test_replay_refuses_live_topics() -> None:
    with (
        EmbeddedTestStack() as stack
    ):  # one of its own: topics without a prefix belong to no other test
        stack.create_topics([("market.option-quotes.v1", 1), ("market.ticks.v1", 1)])
        live = environment_for(settings_for(stack, ""))
        refused = run("replay", *SCENARIO, env=live)
        allowed = run("replay", *SCENARIO, "--allow-live", env=live)
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        "error: the broker has the live topics market.ticks.v1 and market.option-quotes.v1: "
        "set kafka.topic_pre"
    )
    assert "or pass --allow-live" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert allowed.returncode == 1
    assert "topics are missing" in allowed.stderr


def test_a_followed_tail_ends_on_sigterm(
    variables: dict[str, str], topics: list[str], settings: Settings
) -> None:
    assert topics
    with FramePublisher(settings) as publisher:
        publisher.publish_message(
            event_message("alerts", heartbeat(0, "scenario", 1_783_951_200.0), 0)
        )
    following = start("alerts", "tail", "--from-beginning", "--heartbeats", env=variables)
    assert following.stdout is not None
    assert "io.dispersion.heartbeat.v1" in following.stdout.readline()
    done = stop(following, signal.SIGTERM, STOP_SECONDS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def _subscribers(
    settings: Settings, told: list[dict[str, Any]], topics: list[str], directory: Path
) -> None:
    """A plain consumer and the subscriber of the documentation read what `alerts tail` told."""
    (topic,) = [name for name in topics if name.endswith("dispersion.alerts.v1")]
    events = [judge(record) for record in consumed(settings.kafka.bootstrap_servers, topic)]
    assert events == told
    script = directory / "subscriber.py"
    script.write_text(documented(settings.kafka.bootstrap_servers, topic, "api_version=(2, 0)"))
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in told]
    process.kill()
    process.communicate()
    assert lines == [
        f"{one['time']} {one['subject']} {one['data']['status']} {one['data']['summary']}\n"
        for one in told
    ]
