"""A newcomer's first ten minutes: holdings, histories, `init`, `live`, and what it prints."""

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.cboe_server import CboeServer
from tests.support.command import DISPERSION, environment, run, start, stop
from tests.support.feed_run import MONDAY, eastern
from tests.support.fleet import wait_until
from tests.support.holdings_files import ishares_text
from tests.support.leftovers import TAG, leftovers
from tests.support.shifted_clock import ShiftedClock

pytestmark = pytest.mark.embedded
NAMES = {"SPY", "NVDA", "AAPL", "GOOGL", "GOOG", "BRK.B"}
SECONDS = 120.0


@pytest.fixture
def clock(tmp_path: Path) -> ShiftedClock:
    return ShiftedClock(eastern(MONDAY, 10, 30), tmp_path)


@pytest.fixture
def server(clock: ShiftedClock) -> Iterator[CboeServer]:
    with CboeServer(clock.now, NAMES - {"AAPL"}) as running:
        yield running


@pytest.fixture
def variables(
    clock: ShiftedClock, server: CboeServer, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    tag = f"live-{uuid.uuid4().hex}"
    monkeypatch.setenv(TAG, tag)
    return {
        **clock.variables,
        TAG: tag,
        "DISPERSION_FEED__CBOE__HOST": server.url,
        "DISPERSION_FEED__PERIOD": "5",
        "DISPERSION_FEED__REQUESTS_PER_SECOND": "100",
    }


def histories(folder: Path) -> list[Path]:
    """A year of published closes in the publisher's spelling, up to Friday."""
    days = [date(2026, 7, 10) - timedelta(count) for count in range(400)]
    sessions = [day for day in reversed(days) if day.weekday() < 5]
    files = []
    for name, level in (("VIX", 16.0), ("VIXEQ", 38.0), ("DSPX", 36.0), ("COR1M", 12.0)):
        rows = [
            f"{day:%m/%d/%Y},{level * (1 + 0.1 * (at % 7) / 7):.2f}"
            for at, day in enumerate(sessions)
        ]
        files.append(folder / f"{name}_History.csv")
        files[-1].write_text("\n".join([f"DATE,{name}", *rows]) + "\n")
    return files


def board(command: list[Any], variables: dict[str, str], folder: Path, until: Sequence[str]) -> str:
    """What a terminal of 80 columns and 24 lines is sent until texts have come; then Ctrl-C."""
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "cols", "80", "rows", "24"], stdin=theirs, check=True)
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env=environment({**variables, "TERM": "xterm"}),
        start_new_session=True,
    )
    os.close(theirs)
    seen, deadline = "", time.monotonic() + SECONDS
    while not all(text in seen for text in until) and time.monotonic() < deadline:
        seen += os.read(ours, 65536).decode(errors="replace")
    process.send_signal(signal.SIGINT)
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk.decode(errors="replace")
    except OSError:
        pass
    os.close(ours)
    assert process.wait(60) == 0, seen[-3000:]
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)


@pytest.mark.timeout(420)
def test_ten_minutes_of_a_newcomer(
    tmp_path: Path, server: CboeServer, variables: dict[str, str]
) -> None:
    folder = tmp_path / "mine"
    (tmp_path / "holdings.csv").write_text(ishares_text())
    made = run(
        *("init", "--index", "SPY", "--basket", tmp_path / "holdings.csv"),
        *("--from", "cboe", "--rate", "0.0364", "--dir", folder),
    )
    assert made.returncode == 0, made.stderr
    refused = run("live", env=variables, cwd=folder)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "whether you may is between you and cboe.com" in refused.stderr
    settings = folder / "dispersion.toml"
    settings.write_text(settings.read_text().replace("accept_terms = false", "accept_terms = true"))

    first = ["live", "--json"]
    first += [part for file in histories(tmp_path) for part in ("--history", str(file))]
    live = start(*first, env=variables, cwd=folder)
    try:
        assert live.stdout is not None
        told: dict[str, Any] = json.loads(live.stdout.readline())
        assert [one["written"] for one in told["history"]] == [pytest.approx(275, abs=15)]
        assert (folder / "build/live/settings.toml").samefile(told["settings"])
        second = run("live", env=variables, cwd=folder)
        assert second.returncode == 1
        assert "in use by another" in second.stderr
        _without_one_name(told, variables, tmp_path)
        server.shown |= {"AAPL"}
        _whole(told, variables, tmp_path)
    finally:
        done = stop(live, signal.SIGINT, 60)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "Traceback" not in done.stderr
    assert leftovers(variables[TAG]) == {}
    seen = board([DISPERSION, "live"], variables, folder, ["names fresh", "rank "])
    assert seen.index("╌╌╌") < seen.index("dispersion status --config")
    assert "delay 15 min" in seen
    for heading in ("index vol", "basket vol", "implied correlation"):
        value = rf"{heading} +-?\d+\.\d % .*rank [01]\.\d\d of \d+d"
        assert re.search(value, seen), f"{heading}: {seen[-4000:]}"
    assert leftovers(variables[TAG]) == {}


def _typed(command: str, variables: dict[str, str], folder: Path, *more: str) -> str:
    """A command as it was printed, in a folder of no settings."""
    program, *arguments = shlex.split(command)
    assert program == "dispersion"
    done = run(*arguments, *more, env=variables, cwd=folder)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def _without_one_name(told: dict[str, Any], variables: dict[str, str], folder: Path) -> None:
    """A third of the weight is not there: an alert, for the list and the subscriber."""
    script = shlex.split(told["subscribe"])
    assert script[0] == sys.executable
    with subprocess.Popen(
        script, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment(variables)
    ) as reading:
        assert reading.stdout is not None
        line = reading.stdout.readline()
        reading.kill()
    assert "SPY/30d/data_quality" in line
    assert "data_quality" in _typed(told["commands"][1], variables, folder)


def _whole(told: dict[str, Any], variables: dict[str, str], folder: Path) -> None:
    """All names are there: the values, their ranks, and a picture."""
    settings = told["settings"]

    def status() -> dict[str, Any]:
        done = run("status", "--json", "--config", settings, env=variables, cwd=folder)
        report: dict[str, Any] = json.loads(done.stdout or '{"indices": []}')
        return report

    def known() -> bool:
        (index,) = status()["indices"] or [None]
        values = index["values"] if index else {}
        wanted = ("index_vol", "basket_vol", "implied_correlation")
        return bool(values) and all(values[one] is not None for one in wanted)

    wait_until(known, SECONDS, "all values are known")
    (index,) = status()["indices"]
    assert index["mode"] == "delayed"
    assert 890 < index["event_age_seconds"] < 990
    for command in told["commands"]:
        _typed(command, variables, folder, *(["--no-follow"] if "tail" in command else []))
    explained = json.loads(
        _typed(f"dispersion explain SPY --json --config {settings}", variables, folder)
    )
    assert {"index_vol", "basket_vol", "implied_correlation"} <= explained["percentiles"].keys()
    picture = folder / "today.svg"
    _typed(f"dispersion plot --config {settings} --out {picture}", variables, folder)
    assert "<svg" in picture.read_text()
