"""The demo as a newcomer starts it.

It ends by itself, it holds when asked, and a signal leaves nothing behind.
"""

import json
import resource
import shlex
import signal
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Running, answers, environment, run, start, stop
from tests.support.fleet import wait_until
from tests.support.leftovers import TAG, leftovers, processes_of

pytestmark = pytest.mark.embedded

CALM = ("demo", "--scenario", "calm", "--refresh", "300")
SECONDS = 60.0


def cpu_of_children() -> float:
    """Seconds of CPU of all processes that have ended and been waited for."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


@pytest.fixture
def tag(monkeypatch: pytest.MonkeyPatch) -> str:
    """A mark in the environment of this demo's processes alone."""
    name = f"demo-{uuid.uuid4().hex}"
    monkeypatch.setenv(TAG, name)
    assert environment({})[TAG] == name
    return name


def test_calm_ends_by_itself_without_an_alert(tag: str) -> None:
    before = cpu_of_children()
    done = run(*CALM, "--json", seconds=4 * SECONDS)
    assert done.returncode == 0, done.stderr
    assert cpu_of_children() - before < SECONDS
    (line,) = done.stdout.splitlines()
    summary = json.loads(line)
    assert (summary["scenario"], summary["alerts"]) == ("calm", [])
    assert "kafka" not in summary
    page = Path(summary["report"])
    assert page.name == "SPY-2026-07-13-scenario.html"
    assert "SPY is stable" in page.read_text(encoding="utf-8")
    _, _, last = summary["closes"]
    assert last["session"] == "2026-07-10"
    assert last["index_vol"] == pytest.approx(last["vix"], abs=0.005)
    assert leftovers(tag) == {}


def subscribed(summary: dict[str, Any]) -> list[str]:
    """What the subscriber that the demo has written prints, started as the demo says."""
    command = shlex.split(summary["subscribe"])
    reading = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert reading.stdout is not None
        return [reading.stdout.readline() for _ in summary["alerts"]]
    finally:
        reading.kill()
        reading.communicate()


def test_hold_prints_one_object_and_waits(tag: str) -> None:
    """While it waits, its commands and the subscriber of the documentation tell of its alert."""
    demo = start("demo", "--refresh", "300", "--hold", "--json", "--quiet")
    try:
        assert demo.stdout is not None
        summary: dict[str, Any] = json.loads(demo.stdout.readline())
        assert demo.poll() is None
        where = {"kafka", "redis", "metrics", "workers", "topic_prefix", "settings", "commands"}
        where |= {"subscribe", "subscriber"}
        assert where | {"scenario", "closes", "readings", "alerts", "report"} == set(summary)
        # Three closes, and from 10:00 to 10:30 one at each round of quotes.
        assert summary["readings"] == 3 + 7
        told_of = [(alert["at"], alert["status"], alert["summary"]) for alert in summary["alerts"]]
        assert "firing" in {status for _, status, _ in told_of}
        for line, (at, status, words) in zip(subscribed(summary), told_of, strict=True):
            assert line == f"{at} SPY/30d/vix_spike_unwind {status} {words}\n"
        assert all(answers(url) for url in (summary["metrics"], *summary["workers"]))
        for command in summary["commands"]:
            program, *arguments = shlex.split(command)
            assert program == "dispersion"
            more = (
                ["--no-follow"]
                if "tail" in arguments
                else ["--json"]
                if "status" in arguments
                else []
            )
            told = run(*arguments, *more)
            assert told.returncode == 0, f"{command}: {told.stdout}{told.stderr}"
        assert "settings.toml" in summary["settings"]
        told = run("explain", "SPY", "--json", "--config", summary["settings"])
        assert told.returncode == 0, told.stderr
    finally:
        done = stop(demo, signal.SIGTERM, 30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert leftovers(tag) == {}


def _servers(tag: str) -> Callable[[], bool]:
    """True as soon as the broker, Redis and the first services run: the middle of starting."""
    return lambda: len(processes_of(tag)) >= 5


def _publishing(demo: Running) -> Callable[[], bool]:
    """Blocks until the demo has told of its first state: the middle of replaying."""

    def told() -> bool:
        assert demo.stderr is not None
        return "alerts" in demo.stderr.readline()

    return told


@pytest.mark.parametrize(
    ("number", "moment"),
    [(signal.SIGTERM, "starting"), (signal.SIGTERM, "replaying"), (signal.SIGINT, "replaying")],
)
def test_a_signal_in_the_middle_leaves_nothing(
    number: signal.Signals, moment: str, tag: str
) -> None:
    demo = start(*CALM, "--json")
    wait_until(_servers(tag) if moment == "starting" else _publishing(demo), SECONDS, moment)
    done = stop(demo, number, 30)
    assert done.returncode == 130, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert leftovers(tag) == {}
