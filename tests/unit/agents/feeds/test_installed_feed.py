"""A feed in a package of somebody else, installed as that person would install it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.feeds.registry import feed_config, find_feed
from config.errors import ConfigError
from streams.records import Ticks
from tests.support.cboe_server import CboeServer
from tests.support.command import NONE, Finished, run
from tests.support.feed_run import MONDAY, MonitorSink, eastern, feed_settings, played
from tests.support.page_blocks import ROOT, blocks_of
from tests.support.played_clock import PlayedClock
from tests.support.shifted_clock import ShiftedClock
from tests.support.vendor_server import VendorServer

PACKAGE = ROOT / "tests/support/own_feed"
START = eastern(MONDAY, 10, 15)
INSTALL = ("-m", "uv", "pip", "install", "--quiet", "--offline", "--no-index", "--no-cache")
"""Nothing is fetched: the package is built by what is installed here."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has the package, installed from a copy of its files."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for file in ("pyproject.toml", "my_feed.py"):
        (source / file).write_text((PACKAGE / file).read_text())
    python = ("--python", sys.executable, "--target", str(target))
    command = [sys.executable, *INSTALL, "--no-deps", "--no-build-isolation", *python, str(source)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return target


@pytest.fixture
def importable(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(site))
    yield
    sys.modules.pop("my_feed", None)


def test_the_page_shows_the_package() -> None:
    texts = {block.text for block in blocks_of(ROOT / "docs/connect/feeds.md")}
    assert (PACKAGE / "my_feed.py").read_text() in texts
    declared = (PACKAGE / "pyproject.toml").read_text()
    assert any("entry-points" in text and text in declared for text in texts)


def test_commands_know_it_and_run_it(site: Path, tmp_path: Path) -> None:
    clock = ShiftedClock(START, tmp_path)
    shifted = {**clock.variables, "PYTHONPATH": str(site), "DISPERSION_MODE": "live"}

    def typed(*words: str, env: dict[str, str] | None = None) -> Finished:
        return run("feed", *words, env={**shifted, **(env or {})}, cwd=tmp_path)

    listed = typed("list", "--json")
    rows = {row["name"]: row for row in map(json.loads, listed.stdout.splitlines())}
    assert rows["mine"] == {
        "name": "mine",
        "package": "my-feed",
        "mode": "live",
        "needs": "",
        "about": "the VIX of our own server",
    }
    with CboeServer(clock.now, {"vix"}) as server:
        server.texts["/vix"] = b"17.25"
        own = {"DISPERSION_FEED__MINE__URL": f"{server.url}/vix"}
        folder = tmp_path / "recorded"
        made = typed("run", "mine", "--once", "--dry-run", "--record", str(folder), env=own)
    assert made.returncode == 0, made.stderr
    assert "1 rows" in made.stdout
    assert len(list(folder.glob("ticks*.parquet"))) == 1
    unknown = run("feed", "run", "mine", "--once", "--dry-run", env=NONE, cwd=tmp_path)
    assert unknown.returncode == 2
    assert "install the package that brings it" in unknown.stderr


async def test_it_runs_on_its_period_with_its_own_keys(importable: None, tmp_path: Path) -> None:
    async with VendorServer(lambda path: b"17.25" if path == "/vix" else None) as server:
        own = {"mine": {"url": f"{server.url}/vix"}, "period": 5.0}
        settings = feed_settings(tmp_path, mode="live", feed=own)
        clock = PlayedClock(START)
        sink = MonitorSink(settings, clock)
        async with played(settings, clock, sink, name="mine") as running:
            await running.seconds(12)
        ticks = [one for one in sink.rows if isinstance(one, Ticks)]
        assert [one.price.tolist() for one in ticks] == [[17.25]] * 3
        wrong = feed_settings(tmp_path, feed={"mine": {"uri": "x"}})
        with pytest.raises(ConfigError, match="uri"):
            feed_config(wrong, "mine", find_feed(wrong, "mine")[1])
