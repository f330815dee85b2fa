"""An index leg that stops, on a real Kafka and Redis: in status, explain and gauges, until back."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from tests.support.command import Finished, run
from tests.support.monitor import expected, follow, publish
from tests.support.pages import Series, samples
from tests.support.services import PARTITIONS, services
from tests.support.stack import RealStack, environment_for
from tests.support.stopped_legs import PLAYED, at, stopping_feed

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]
DEAD = f"{PLAYED} 14:11:30"
"""The index has been silent for a minute and a half."""
WORDS = "the index leg is silent: no quote of SPY options for 100 s"


def status(settings: Settings) -> dict[str, Any]:
    done = run("status", "--json", env=environment_for(settings))
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def shown(settings: Settings, command: str, *arguments: str) -> Finished:
    return run(command, *arguments, env={**environment_for(settings), "COLUMNS": "400"})


def gauge(page: dict[Series, float], name: str, **labels: str) -> float:
    (value,) = (
        value
        for (of, having), value in page.items()
        if of == f"dispersion_{name}" and labels.items() <= dict(having).items()
    )
    return value


def test_a_dead_index_is_named_everywhere(
    real_stack: RealStack, topic_prefix: str, tmp_path: Path
) -> None:
    with services(real_stack, topic_prefix, tmp_path) as running:
        settings = running.fleet.settings
        records = stopping_feed(settings, PARTITIONS)
        before = [record for record in records if at(record) <= DEAD]
        wanted = expected(settings, before, PARTITIONS)
        publish(settings, before)
        follow(running.fleet, PARTITIONS, wanted, 180.0)
        _named(settings, dict(samples(running.exporter)))
        wanted = expected(settings, records, PARTITIONS)
        publish(settings, records[len(before) :])
        follow(running.fleet, PARTITIONS, wanted, 180.0)
        (index,) = status(settings)["indices"]
        assert (index["legs_silent"], index["regime"]) == ([], "unwinding")
        page = dict(samples(running.exporter))
        assert gauge(page, "leg_silent_seconds", leg="index") == 0.0
        assert gauge(page, "alert_active", alert="data_quality", severity="critical") == 0.0


def _named(settings: Settings, page: dict[Series, float]) -> None:
    found = status(settings)
    (index,) = found["indices"]
    assert [(one["leg"], one["age_seconds"]) for one in index["legs_silent"]] == [("index", 100.0)]
    assert index["regime"] == "unknown"
    assert any(WORDS in problem for problem in found["problems"])
    quality = next(one for one in index["alerts"] if one["rule"] == "data_quality")
    assert (quality["status"], quality["severity"]) == ("firing", "critical")
    assert "the index leg is silent" in quality["summary"]
    screen = shown(settings, "status")
    assert screen.returncode == 1
    assert WORDS in screen.stdout
    assert WORDS in shown(settings, "explain", "SPY").stdout
    assert gauge(page, "leg_silent_seconds", leg="index") == 100.0
    assert gauge(page, "leg_silent_seconds", leg="sector", sector="Utilities") == 0.0
    assert gauge(page, "alert_active", alert="data_quality", severity="critical") == 1.0
    assert gauge(page, "regime", state="unknown") == 1.0
